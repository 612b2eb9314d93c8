// Transpose: dimension i of the output is dimension perm[i] of the input; without perm the dimensions are reversed.
// Opsets 1 to 23.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"

namespace boundflow {

namespace {

std::vector<std::int64_t> permutation(const NodeView& node) {
  const std::size_t rank = node.input_type(0).shape.size();
  std::vector<std::int64_t> reversed(rank);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  std::vector<std::int64_t> perm = node.ints_attribute("perm", reversed);
  if (!std::is_permutation(perm.begin(), perm.end(), reversed.begin(), reversed.end())) {
    node.malformed(fmt::format("perm {} is no permutation of {} dimensions", to_string(perm), rank));
  }
  return perm;
}

std::vector<TensorType> infer(const NodeView& node) {
  const TensorType& type = node.input_type(0);
  Shape shape;
  for (const std::int64_t d : permutation(node)) shape.push_back(type.shape[static_cast<std::size_t>(d)]);
  return {{type.dtype, std::move(shape)}};
}

Sources sources(const NodeView& node) {
  const Shape& from = node.input_type(0).shape;
  const std::vector<std::int64_t> own = row_major_strides(from);
  std::vector<std::int64_t> strides;
  for (const std::int64_t d : permutation(node)) strides.push_back(own[static_cast<std::size_t>(d)]);
  return strided_sources(infer(node)[0].shape, 0, strides, element_count(from));
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  return evaluate_layout(*inputs[0], infer(node)[0].shape, sources(node));
}

Facet lower(const NodeView& node) {
  return lower_layout(node, element_count(infer(node)[0].shape), sources(node));
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(0, 4))));
  std::vector<std::int64_t> perm(sample.shape_of(x).size());
  std::iota(perm.begin(), perm.end(), 0);
  for (std::size_t i = perm.size(); i > 1; --i) {
    std::swap(perm[i - 1], perm[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(i) - 1))]);
  }
  Attributes attributes;
  if (random.integer(0, 3) != 0) attributes["perm"] = perm;
  return sample.finish("Transpose", {x}, std::move(attributes));
}

}  // namespace

Operator transpose_operator() {
  return {.name = "Transpose",
          .layout_only = true,
          .attributes = {"perm"},
          .infer = infer,
          .evaluate = evaluate,
          .lower = lower,
          .sample = sample};
}

}  // namespace boundflow
