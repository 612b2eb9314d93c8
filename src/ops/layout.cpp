#include "ops/layout.hpp"

namespace boundflow {

Sources strided_sources(const Shape& shape, std::int64_t offset, const std::vector<std::int64_t>& strides,
                        std::int64_t source_size) {
  const std::int64_t count = element_count(shape);
  Sources sources;
  sources.reserve(static_cast<std::size_t>(count));
  Shape position(shape.size(), 0);
  std::int64_t index = offset;
  bool same_order = count == source_size;
  for (std::int64_t j = 0; j < count; ++j) {
    sources.push_back(index);
    same_order = same_order && index == j;
    for (std::size_t d = shape.size(); d-- > 0;) {
      index += strides[d];
      if (++position[d] < shape[d]) break;
      index -= strides[d] * shape[d];
      position[d] = 0;
    }
  }
  if (same_order) sources.clear();
  return sources;
}

std::vector<Tensor> evaluate_layout(const Tensor& input, const Shape& shape, const Sources& sources) {
  // A slice may be empty; then no sources does not mean the same order.
  const bool same_order = sources.empty() && input.size() == element_count(shape);
  return {same_order ? input.reshaped(shape) : input.gathered(shape, sources)};
}

Facet lower_layout(const NodeView& node, std::int64_t out, Sources sources) {
  const std::int64_t in = element_count(node.input_type(0).shape);
  return DataMovement{{{0, std::make_shared<const LinearMap>(IndexMap{out, in, std::move(sources), 1})}}};
}

Facet lower_same_order(const NodeView& node) {
  return lower_layout(node, element_count(node.input_type(0).shape), {});
}

}  // namespace boundflow
