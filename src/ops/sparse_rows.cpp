#include "ops/sparse_rows.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"

namespace boundflow {

SparseRows::SparseRows(const NodeView& node, std::int64_t in, std::int64_t weights) {
  if (weights > kMaxStoredNumbers) {
    node.unsupported(fmt::format("a sparse matrix of {} weights would be needed for this layout", weights));
  }
  map_.in = in;
  map_.starts.push_back(0);
  map_.columns.reserve(static_cast<std::size_t>(weights));
  map_.weights.reserve(static_cast<std::size_t>(weights));
}

void SparseRows::add(std::span<const LinearMap::Entry> row) {
  for (const LinearMap::Entry& entry : row) {
    map_.columns.push_back(entry.column);
    map_.weights.push_back(entry.weight);
  }
  map_.starts.push_back(static_cast<std::int64_t>(map_.weights.size()));
  ++map_.out;
}

}  // namespace boundflow
