#pragma once
/// @file
/// Arrays of numbers as callers hand them over.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace boundflow {

/// An array of numbers, row-major.
struct NumericArray {
  std::vector<std::int64_t> shape;  ///< Extents of its dimensions.
  std::vector<double> values;       ///< As many as the product of the extents.
};

/// Numbers that a call reads: of its own, or a view of the caller's memory, which is then not copied and has to stay
/// until the call returns.
class Numbers {
 public:
  /// None.
  Numbers() = default;
  /// @param values  become its own
  Numbers(std::vector<double> values) : values_(std::move(values)) {}
  /// @param values  become its own
  Numbers(std::initializer_list<double> values) : values_(std::vector<double>(values)) {}
  /// @param values  in the caller's memory
  /// @return a view of them
  static Numbers view(std::span<const double> values) { return Numbers(Values(values)); }
  /// @param values  in the caller's memory
  /// @return a view of them
  static Numbers view(std::span<const float> values) { return Numbers(Values(values)); }

  /// @return how many there are
  std::size_t size() const {
    return std::visit([](const auto& values) { return values.size(); }, values_);
  }
  /// @return true if there are none
  bool empty() const { return size() == 0; }
  /// @return all of them
  std::vector<double> copy() const {
    return std::visit([](const auto& values) { return std::vector<double>(values.begin(), values.end()); }, values_);
  }

 private:
  using Values = std::variant<std::vector<double>, std::span<const double>, std::span<const float>>;
  explicit Numbers(Values values) : values_(std::move(values)) {}

  Values values_;
};

}  // namespace boundflow
