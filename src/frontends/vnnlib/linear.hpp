#pragma once
// Linear expressions over all variables of a file, exact.

#include <cstdint>
#include <functional>
#include <vector>

#include "ir/property.hpp"

namespace boundflow::vnnlib {

// terms + constant. A variable is one number: X_i is i, Y_j is inputs + j. Until `normalise`, a variable may occur
// several times and with coefficients that cancel.
struct Linear {
  std::vector<LinearTerm> terms;
  Rational constant;
};

// into += sign * other, for sign 1 or -1.
void add(Linear& into, Linear&& other, int sign);
void scale(Linear& expression, const Rational& factor);
// About what a number or an atom takes in memory.
double bytes_of(const Rational& number);
double bytes_of(const Atom& atom);
// Ascending variables, each once, none with coefficient zero. `check` sees each sum of coefficients, which may have a
// long denominator each, before the next is added, and throws where it is too long.
void normalise(Linear& expression, const std::function<void(const Rational&)>& check);

}  // namespace boundflow::vnnlib
