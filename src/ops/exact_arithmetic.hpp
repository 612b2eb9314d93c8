#pragma once
// Arithmetic on constants that is used only where it is exact, so that a folded or scaled weight is the very number of
// the network and carries no error.

#include <cstdint>
#include <optional>

#include "ir/tensor.hpp"

namespace boundflow {

// a * b if that is a double; empty if it rounds, overflows, or is so small that this cannot be told.
std::optional<double> exact_product(double a, double b);

// Collects the terms of a sum and tells whether every execution of it in a floating dtype gives the same, exact number:
// in any order, fused or not, with flush to zero or without. A sufficient condition: every product is a number of the
// dtype, all terms are multiples of one normal power of two, and the sum of their magnitudes stays below the largest
// multiple that the dtype counts without a gap.
class ExactTerms {
 public:
  explicit ExactTerms(DType dtype);
  void add(double term);
  void add_product(double a, double b);
  bool exact() const;

 private:
  int precision_;
  int smallest_exponent_;
  int largest_exponent_;
  int unit_;              // exponent of the lowest set bit of any term
  double magnitude_ = 0;  // sum of the absolute terms
  bool valid_ = true;
};

// True if all `count` sums, the terms of the i-th being collected by `collect(i, terms)`, are exact in that sense.
template <class Collect>
bool exact_sums(DType dtype, std::int64_t count, Collect&& collect) {
  for (std::int64_t i = 0; i < count; ++i) {
    ExactTerms terms(dtype);
    collect(i, terms);
    if (!terms.exact()) return false;
  }
  return true;
}

}  // namespace boundflow
