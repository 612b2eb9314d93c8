#pragma once
// A SparseMap, written row by row, that refuses to grow beyond what any network needs.

#include <cstdint>
#include <span>

#include "ir/linear_map.hpp"
#include "ir/network.hpp"

namespace boundflow {

class SparseRows {
 public:
  // `weights`: how many there will be. UnsupportedError that names the node if that is too many.
  SparseRows(const NodeView& node, std::int64_t in, std::int64_t weights);
  void add(std::span<const LinearMap::Entry> row);
  SparseMap take() { return std::move(map_); }

 private:
  SparseMap map_;
};

}  // namespace boundflow
