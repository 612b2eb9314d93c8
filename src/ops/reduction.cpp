#include "ops/reduction.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ops/broadcast.hpp"
#include "ops/matrix_product.hpp"
#include "ops/sample_network.hpp"
#include "ops/sparse_rows.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

Shape with_axes_kept(const Reduction& reduction) {
  Shape shape = reduction.input;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (reduction.reduced[d]) shape[d] = 1;
  }
  return shape;
}

// For each element of the input, the element of the output that it counts towards; empty for the identity.
std::vector<std::int64_t> targets(const Reduction& reduction) {
  return broadcast_source(with_axes_kept(reduction), reduction.input);
}

// The reduction of one block of axes: a matrix of one row. Empty if other axes lie in between.
std::optional<DenseMap> one_block(const Reduction& reduction, double weight) {
  DenseMap map{1, 1, 1, 1, {}};
  for (std::size_t d = 0; d < reduction.input.size(); ++d) {
    const std::int64_t extent = reduction.input[d];
    if (extent == 1) continue;
    if (reduction.reduced[d]) {
      if (map.inner > 1) return std::nullopt;
      map.columns *= extent;
    } else {
      (map.columns > 1 ? map.inner : map.outer) *= extent;
    }
  }
  map.weights.assign(static_cast<std::size_t>(map.columns), weight);
  return map;
}

SparseMap scattered(const NodeView& node, const Reduction& reduction, double weight) {
  const std::int64_t in = element_count(reduction.input);
  const std::int64_t count = reduction.terms();
  std::vector<std::vector<LinearMap::Entry>> rows(static_cast<std::size_t>(in / count));
  const std::vector<std::int64_t> target = targets(reduction);
  for (std::int64_t i = 0; i < in; ++i) {
    rows[static_cast<std::size_t>(target[static_cast<std::size_t>(i)])].push_back({i, weight});
  }
  SparseRows sparse(node, in, in);
  for (const std::vector<LinearMap::Entry>& row : rows) sparse.add(row);
  return sparse.take();
}

bool is_power_of_two(std::int64_t count) {
  return (count & (count - 1)) == 0;
}

}  // namespace

Shape Reduction::output() const {
  Shape shape;
  for (std::size_t d = 0; d < input.size(); ++d) {
    if (!reduced[d]) {
      shape.push_back(input[d]);
    } else if (keep_axes) {
      shape.push_back(1);
    }
  }
  return shape;
}

std::int64_t Reduction::terms() const {
  std::int64_t count = 1;
  for (std::size_t d = 0; d < input.size(); ++d) count *= reduced[d] ? input[d] : 1;
  return count;
}

Reduction read_reduction(const NodeView& node, bool mean) {
  Reduction reduction;
  reduction.input = node.input_type(0).shape;
  reduction.mean = mean;
  reduction.keep_axes = node.int_attribute("keepdims", 1) != 0;
  const bool no_axes = !node.has_input(1) || constant_indices(node, 1, "axes").empty();
  const bool all = no_axes && node.int_attribute("noop_with_empty_axes", 0) == 0;
  reduction.reduced = no_axes ? std::vector<bool>(reduction.input.size(), all)
                              : marked_axes(node, constant_indices(node, 1, "axes"), reduction.input.size());
  return reduction;
}

std::vector<TensorType> infer_reduction(const NodeView& node, const Reduction& reduction) {
  const TensorType& type = floating_input(node, 0);
  if (element_count(type.shape) == 0)
    node.unsupported(fmt::format("a reduction of {} is not supported", to_string(type)));
  return {{type.dtype, reduction.output()}};
}

std::vector<Tensor> evaluate_reduction(const Reduction& reduction, const Tensor& input) {
  const std::vector<std::int64_t> target = targets(reduction);
  if (target.empty()) return {input.reshaped(reduction.output())};
  return with_floating_type(input.dtype(), [&](auto zero) -> std::vector<Tensor> {
    using T = decltype(zero);
    const std::vector<T>& x = elements<T>(input);
    std::vector<T> y(static_cast<std::size_t>(element_count(reduction.output())), T{0});
    for (std::size_t i = 0; i < x.size(); ++i) y[static_cast<std::size_t>(target[i])] += x[i];
    if (reduction.mean) {
      for (T& value : y) value /= static_cast<T>(reduction.terms());
    }
    return {Tensor(reduction.output(), std::move(y))};
  });
}

Facet lower_reduction(const NodeView& node, const Reduction& reduction) {
  const std::int64_t count = reduction.terms();
  const std::int64_t in = element_count(reduction.input);
  if (count == 1) return DataMovement{{{0, std::make_shared<const LinearMap>(LinearMap::identity(in))}}};
  const double weight = reduction.mean ? 1.0 / static_cast<double>(count) : 1.0;
  const double weight_error = reduction.mean ? mean_weight_error(count) : 0.0;
  std::optional<DenseMap> block = one_block(reduction, weight);
  Affine affine;
  affine.terms.push_back(
      {0, block ? std::make_shared<const LinearMap>(std::move(*block), weight_error)
                : std::make_shared<const LinearMap>(scattered(node, reduction, weight), weight_error)});
  if (reduction.mean) {
    add_mean_execution(node, affine, count, !is_power_of_two(count));
  } else {
    affine.deployed_roundings = additions(affine);
  }
  return affine;
}

double mean_weight_error(std::int64_t count) {
  return is_power_of_two(count) ? 0.0 : 0x1p-52;
}

void add_mean_execution(const NodeView& node, Affine& affine, std::int64_t count, bool divisions_round) {
  // Beyond this a count is no float32.
  if (count > (std::int64_t{1} << 24)) node.unsupported(fmt::format("a mean of {} elements is not supported", count));
  affine.deployed_products = divisions_round ? 2 : 0;
  affine.deployed_roundings = affine.deployed_products + additions(affine);
  affine.deployed_growth = static_cast<double>(count);
}

std::vector<Spelling> spell_reduction(const NodeView& node, const Reduction& reduction) {
  std::vector<std::int64_t> axes;
  for (std::size_t d = 0; d < reduction.reduced.size(); ++d) {
    if (reduction.reduced[d]) axes.push_back(static_cast<std::int64_t>(d));
  }
  if (axes.empty()) return {as_written(node)};
  Attributes attributes;
  if (!reduction.keep_axes) attributes["keepdims"] = std::int64_t{0};
  return {{reduction.mean ? "ReduceMean" : "ReduceSum", {node.node().inputs[0], index_vector(axes)}, attributes}};
}

Network sample_reduction(Random& random, const char* op) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(0, 4))));
  const auto rank = static_cast<std::int64_t>(sample.shape_of(x).size());
  Attributes attributes;
  if (random.coin()) attributes["keepdims"] = random.integer(0, 1);
  if (random.coin()) attributes["noop_with_empty_axes"] = random.integer(0, 1);
  std::vector<ValueId> inputs{x};
  if (random.integer(0, 4) != 0) {
    std::vector<std::int64_t> axes;
    for (std::int64_t d = 0; d < rank; ++d) {
      if (random.coin()) axes.push_back(random.coin() ? d : d - rank);
    }
    inputs.push_back(sample.indices(axes));
  }
  return sample.finish(op, std::move(inputs), std::move(attributes));
}

}  // namespace boundflow
