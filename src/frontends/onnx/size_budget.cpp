#include "frontends/onnx/size_budget.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"

namespace boundflow {

namespace {

// Written so that NaN is not affordable.
void add(double amount, double& sum, const FileLimit& limit, std::size_t file_bytes, const std::string& owner,
         const std::string& op, std::string_view what) {
  sum += amount;
  if (sum <= limit.of(file_bytes)) return;
  throw UnsupportedError(
      owner, op,
      fmt::format("too large: with it the network has {:.4g} {}; a file of {} bytes may ask for {:.4g}", sum, what,
                  file_bytes, limit.of(file_bytes)));
}

}  // namespace

void SizeBudget::charge(const std::string& owner, const std::string& op, const TensorType& type) {
  add(static_cast<double>(element_count(type.shape)), elements_, kElements, file_bytes_, owner, op,
      "elements in tensors that it computes");
}

void SizeBudget::charge(const NodeView& node, const std::vector<TensorType>& types, const OperatorTable& table) {
  const std::string &name = node.node().name, &op = node.node().op;
  for (const TensorType& type : types) charge(name, op, type);
  const auto ask = table.at(node.node()).cost;
  if (ask == nullptr) return;
  const Cost cost = ask(node);
  add(cost.products, cost_.products, kProducts, file_bytes_, name, op, "products and comparisons in one execution");
  add(cost.stored, cost_.stored, kStoredNumbers, file_bytes_, name, op, "weights and terms to be written out");
}

}  // namespace boundflow
