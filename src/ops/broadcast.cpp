#include "ops/broadcast.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace boundflow {

Shape broadcast_shape(const NodeView& node, const Shape& a, const Shape& b) {
  Shape shape = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  const std::size_t offset = shape.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::int64_t& dimension = shape[offset + i];
    if (dimension == shorter[i] || shorter[i] == 1) continue;
    if (dimension != 1) {
      node.malformed(fmt::format("shapes {} and {} do not broadcast", to_string(a), to_string(b)));
    }
    dimension = shorter[i];
  }
  return shape;
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.size() > to.size()) return false;
  const std::size_t offset = to.size() - from.size();
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != 1 && from[i] != to[offset + i]) return false;
  }
  return true;
}

std::vector<std::int64_t> broadcast_source(const Shape& from, const Shape& to) {
  ensure(broadcasts_to(from, to), "broadcast: shapes do not fit");
  const std::int64_t count = element_count(to);
  if (count == element_count(from)) return {};
  const std::size_t offset = to.size() - from.size();
  // A stretched dimension has stride 0.
  const std::vector<std::int64_t> own = row_major_strides(from);
  std::vector<std::int64_t> strides(to.size(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) strides[offset + i] = from[i] == 1 ? 0 : own[i];
  std::vector<std::int64_t> source;
  source.reserve(static_cast<std::size_t>(count));
  Shape position(to.size(), 0);
  std::int64_t index = 0;
  for (std::int64_t j = 0; j < count; ++j) {
    source.push_back(index);
    for (std::size_t d = to.size(); d-- > 0;) {
      index += strides[d];
      if (++position[d] < to[d]) break;
      index -= strides[d] * to[d];
      position[d] = 0;
    }
  }
  return source;
}

}  // namespace boundflow
