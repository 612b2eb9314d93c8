#pragma once
// From a BoundsRequest to what the engine is asked, with all checks of what a caller may get wrong.

#include <cstdint>
#include <string_view>
#include <vector>

#include "boundflow/boundflow.hpp"
#include "engine/lower.hpp"
#include "ir/query.hpp"

namespace boundflow {

// Of the method. UsageError for methods that are not known and settings that exclude each other.
BoundLowering lowering_of(const BoundsRequest& request);

// InputErrors that name the array and the element.
void expect_finite(const std::vector<double>& values, std::string_view name);
std::vector<double> finite(const Numbers& numbers, std::string_view name);
void expect_ordered(const std::vector<double>& lower, const std::vector<double>& upper, std::int64_t inputs);
void expect_radius(double eps);

// The input sets of all queries, as boxes or balls.
struct InputSets {
  std::int64_t count = 0;
  InputNorm norm = InputNorm::Linf;
  std::vector<double> lower;  // Linf: [count, inputs]
  std::vector<double> upper;
  std::vector<double> centers;  // L2, L1: [count, inputs]
  std::vector<double> radii;    // L2, L1: [count]
};

// Of a network with so many inputs. UsageError unless there are either centres or boxes, InputError for arrays that do
// not fit.
InputSets input_sets(const BoundsRequest& request, std::int64_t inputs, Semantics semantics);

// Rows C and, for upper bounds, -C; of one specification for all queries or of one each.
struct QueriedRows {
  std::int64_t rows = 0;
  bool shared = true;
  LinearSpec both;
};

QueriedRows queried_rows(const BoundsRequest& request, std::int64_t queries, std::int64_t inputs, std::int64_t outputs);

}  // namespace boundflow
