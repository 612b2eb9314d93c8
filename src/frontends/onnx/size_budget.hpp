#pragma once
// What a model may ask for in all, by the size of its file (base/limits). Charged before anything is allocated.

#include <cstddef>
#include <string>
#include <vector>

#include "ops/operator.hpp"

namespace boundflow {

class SizeBudget {
 public:
  explicit SizeBudget(std::size_t file_bytes) : file_bytes_(file_bytes) {}

  // UnsupportedError that blames `owner` (`op`) once the sum of all charges exceeds a limit.
  void charge(const std::string& owner, const std::string& op, const TensorType& type);
  // The same for a node with outputs of the given types.
  void charge(const NodeView& node, const std::vector<TensorType>& types, const OperatorTable& table);

 private:
  std::size_t file_bytes_;
  double elements_ = 0;
  Cost cost_;
};

}  // namespace boundflow
