#pragma once
// Sums and means over axes: what ReduceSum, ReduceMean and the average poolings share.

#include <cstdint>
#include <span>
#include <vector>

#include "ops/operator.hpp"

namespace boundflow {

// Some axes of a tensor, added up.
struct Reduction {
  Shape input;
  std::vector<bool> reduced;  // per axis
  bool mean = false;
  bool keep_axes = true;  // as dimensions of 1

  Shape output() const;
  // Elements that one element of the output is made of.
  std::int64_t terms() const;
};

// In the form of opset 18: the axes are input 1; without any all of them, or none with noop_with_empty_axes.
Reduction read_reduction(const NodeView& node, bool mean);

// Every operator that reduces is these, given its reduction.
std::vector<TensorType> infer_reduction(const NodeView& node, const Reduction& reduction);
std::vector<Tensor> evaluate_reduction(const Reduction& reduction, const Tensor& input);
Facet lower_reduction(const NodeView& node, const Reduction& reduction);
// ReduceSum, or ReduceMean, with its axes named in ascending order.
std::vector<Spelling> spell_reduction(const NodeView& node, const Reduction& reduction);
Network sample_reduction(Random& random, const char* op);

// How far 1 / count, as computed, may be from the weight of a mean, relatively.
double mean_weight_error(std::int64_t count);

// Adds what an execution of means of up to `count` elements does: it sums, then divides or multiplies by a rounded
// reciprocal; or it multiplies first.
void add_mean_execution(const NodeView& node, Affine& affine, std::int64_t count, bool divisions_round);

}  // namespace boundflow
