#pragma once
// Facets: what an operator lowers to. Domains have one rule per facet, so operators and domains meet here and not in
// N x M code.

#include <cstdint>
#include <limits>
#include <memory>
#include <variant>
#include <vector>

#include "ir/joint_function.hpp"
#include "ir/linear_map.hpp"
#include "ir/scalar_function.hpp"

namespace boundflow {

// How far a computed bias may be from the exact one at most, relative to the magnitude that it is computed from.
inline constexpr std::int64_t kMostBiasRoundings = 64;
inline constexpr double kBiasError = static_cast<double>(kMostBiasRoundings) * 0x1p-53;

// y = sum_t M_t x_t + bias over the node's non-constant inputs.
struct AffineTerm {
  std::size_t input = 0;  // index into the node's inputs; the same input may occur in several terms
  std::shared_ptr<const LinearMap> map;
};

struct Affine {
  std::vector<AffineTerm> terms;
  std::vector<double> bias;  // [out], or empty for zero
  // [out], or empty for |bias|: the sum of the magnitudes that the bias is computed from, where passes or the operator
  // compute it (batch normalisation). The exact bias is within kBiasError of it times this, and an execution may add
  // the parts one by one.
  std::vector<double> bias_magnitude;
  std::int64_t bias_roundings = 8;  // the bias is within this times 2^-53 of it, relatively to bias_magnitude
  // The m of gamma_m: an execution of the node in the format of its dtype, sums in any order, FMA allowed, is within
  // gamma_m (sum_t |M_t| |x_t| + |bias|), plus underflow, of the exact result. 0 for nodes that only move data.
  std::int64_t deployed_roundings = 0;
  // How many of these each term goes through outside the sum: its product, and scaling by alpha or beta. The others are
  // additions, whose errors are those of partial sums.
  std::int64_t deployed_products = 0;
  // No intermediate result of an execution exceeds this times (sum_t |M_t| |x_t| + |bias|), but for rounding: what
  // could exceed the format's range may overflow. Nor does scaling magnify what underflow loses by more.
  double deployed_growth = 1;
  // An execution adds something for every term, even where its operand is zero: a shift stood before the weights.
  bool deployed_shifts_terms = false;
  // Where an operand may exceed this, an execution may overflow whatever the sum is: it scales operands on their own.
  double deployed_operand_range = std::numeric_limits<double>::infinity();
};

// A node that only moves data: reshape, flatten, transpose, slice, concat, identity. Exact in every arithmetic.
struct DataMovement {
  std::vector<AffineTerm> terms;  // index maps with factor 1
};

// y_i = f(x_i) for the node's single non-constant input.
struct Elementwise {
  std::size_t input = 0;
  std::shared_ptr<const ScalarFunction> function;
};

// y_j = f(x_1, ..., x_k) of a few coordinates: pooling by maximum, minimum and maximum, products of two variables.
struct Joint {
  struct Term {
    std::int32_t operand = -1;  // index into `inputs`, or -1 for a constant
    std::int64_t index = 0;     // coordinate of that operand
    double constant = 0;        // where operand is -1
  };
  std::vector<std::size_t> inputs;   // of the node, each once
  std::vector<std::int64_t> starts;  // [out + 1], into `terms`
  std::vector<Term> terms;
  std::shared_ptr<const JointFunction> function;
};

using Facet = std::variant<Affine, DataMovement, Elementwise, Joint>;

}  // namespace boundflow
