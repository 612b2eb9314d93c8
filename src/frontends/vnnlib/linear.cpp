#include "frontends/vnnlib/linear.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace boundflow::vnnlib {

void add(Linear& into, Linear&& other, int sign) {
  if (sign < 0) {
    for (LinearTerm& term : other.terms) mpq_neg(term.coefficient.get_mpq_t(), term.coefficient.get_mpq_t());
    into.constant -= other.constant;
  } else {
    into.constant += other.constant;
  }
  // The order does not matter before `normalise`; moving the fewer keeps deep sums linear in time.
  if (into.terms.size() < other.terms.size()) std::swap(into.terms, other.terms);
  if (!other.terms.empty()) {
    std::move(other.terms.begin(), other.terms.end(), std::back_inserter(into.terms));
  }
}

void scale(Linear& expression, const Rational& factor) {
  for (LinearTerm& term : expression.terms) term.coefficient *= factor;
  expression.constant *= factor;
}

double bytes_of(const Rational& number) {
  // Numerator and denominator are an allocation each.
  constexpr double kAllocations = 48;
  return static_cast<double>(sizeof(Rational)) + kAllocations + static_cast<double>(bit_count(number)) / 8;
}

double bytes_of(const Atom& atom) {
  double bytes = static_cast<double>(sizeof(Atom)) + bytes_of(atom.constant);
  for (const std::vector<LinearTerm>* terms : {&atom.inputs, &atom.outputs}) {
    for (const LinearTerm& term : *terms) {
      bytes += static_cast<double>(sizeof(term.index)) + bytes_of(term.coefficient);
    }
  }
  return bytes;
}

void normalise(Linear& expression, const std::function<void(const Rational&)>& check) {
  std::vector<LinearTerm>& terms = expression.terms;
  std::sort(terms.begin(), terms.end(), [](const LinearTerm& a, const LinearTerm& b) { return a.index < b.index; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < terms.size();) {
    const std::size_t first = i++;
    for (; i < terms.size() && terms[i].index == terms[first].index; ++i) {
      terms[first].coefficient += terms[i].coefficient;
      check(terms[first].coefficient);
    }
    if (terms[first].coefficient == 0) continue;
    if (kept != first) terms[kept] = std::move(terms[first]);
    ++kept;
  }
  terms.resize(kept);
}

}  // namespace boundflow::vnnlib
