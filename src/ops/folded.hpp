#pragma once
// What passes make of a convolution or a matrix product when they merge scales and shifts into it (FoldedConv,
// FoldedConvTranspose, FoldedGemm): the operator that it was, with float64 weights W and bias B, and what is known of
// their errors and of the executions of all the nodes that went into it.
//
// Inputs: X, W, B and the magnitude of B, one element per channel each (Affine::bias_magnitude). Attributes: those of
// the operator, and bias_roundings, weight_error, products, additions, growth, shifts_terms, operand_range: the numbers
// of the facet under their names there, with additions = deployed_roundings - deployed_products.

#include <span>
#include <vector>

#include "ops/operator.hpp"

namespace boundflow {

class SampleNetwork;

// The attributes that every such operator has beside its own.
std::vector<std::string_view> folded_attributes(std::vector<std::string_view> own);

// Whether an attribute is one of those.
bool is_error_model(std::string_view attribute);

// `folded`: the operator that it was.
std::vector<TensorType> infer_folded(const NodeView& node, const Operator& folded);
Cost folded_cost(const NodeView& node, const Operator& folded);
// With weights and bias rounded to X's dtype: one of the executions, since merging has counted their roundings.
std::vector<Tensor> evaluate_folded(const NodeView& node, std::span<const Tensor* const> inputs,
                                    const Operator& folded);
Facet lower_folded(const NodeView& node, const Operator& folded);

// A random node of operator `op` with input x and weights of the given shape; `terms`: the most that a sum has.
Network finish_folded_sample(SampleNetwork& sample, Random& random, const char* op, ValueId x, const Shape& weights,
                             std::int64_t channels, std::int64_t terms, Attributes attributes);

}  // namespace boundflow
