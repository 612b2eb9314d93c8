#pragma once
// Lines of neurons that lie apart in a Lines buffer, on their way there: a block is filled, stored, and filled again.

#include <algorithm>
#include <array>
#include <cstdint>

#include "exec/interval_loops.hpp"

namespace boundflow {

template <class T>
class LineBlock {
 public:
  static constexpr std::size_t kSize = 128;

  // A neuron on [l, u] whose lines go to entry `at` of the buffer.
  void add(std::int64_t at, double l, double u) {
    at_[size_] = at;
    lower_[size_] = l;
    upper_[size_] = u;
    ++size_;
  }
  std::size_t size() const { return size_; }
  bool full() const { return size_ == kSize; }
  const double* lower() const { return lower_.data(); }
  const double* upper() const { return upper_.data(); }
  LineRows lines() {
    return {lower_slope_.data(), lower_intercept_.data(), upper_slope_.data(), upper_intercept_.data()};
  }

  // Writes the lines as store_lines does. Error weights are those given to it and what `weight` makes of them and of
  // those in the buffer.
  template <class Storage, class Weight>
  void store(const Storage& out, double dot_gamma, const Weight& weight) {
    store_lines(lower(), upper(), lines(), static_cast<std::int64_t>(size_), kUnitRoundoff<T>, dot_gamma,
                stored_[0].data(), stored_[1].data(), stored_[2].data(), stored_[3].data(), weight_.data());
    for (std::size_t i = 0; i < size_; ++i) {
      out.lower_slope[at_[i]] = stored_[0][i];
      out.lower_intercept[at_[i]] = stored_[1][i];
      out.upper_slope[at_[i]] = stored_[2][i];
      out.upper_intercept[at_[i]] = stored_[3][i];
      out.error_weight[at_[i]] = weight(out.error_weight[at_[i]], weight_[i]);
    }
    size_ = 0;
  }

 private:
  std::size_t size_ = 0;
  std::array<std::int64_t, kSize> at_;
  std::array<double, kSize> lower_, upper_, lower_slope_, lower_intercept_, upper_slope_, upper_intercept_;
  std::array<std::array<T, kSize>, 4> stored_;
  std::array<float, kSize> weight_;
};

}  // namespace boundflow
