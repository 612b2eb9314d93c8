#include "passes/merge_equal.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <tuple>

namespace boundflow {

namespace {

template <class T>
void append_bytes(std::string& key, const T& x) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &x, sizeof(T));
  key.append(bytes, sizeof(T));
}

// Bits, not numbers: 0 and -0 are different attributes, and tensors are told apart by their place.
void append_bytes(std::string& key, const Attribute& attribute) {
  append_bytes(key, attribute.index());
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_arithmetic_v<T>) {
          append_bytes(key, value);
        } else if constexpr (std::is_same_v<T, Tensor>) {
          append_bytes(key, reinterpret_cast<std::uintptr_t>(&value.data()));
        } else {
          append_bytes(key, value.size());
          for (const auto& element : value) append_bytes(key, element);
        }
      },
      attribute);
}

// The same for two nodes exactly if they compute the same.
std::string key_of(const Node& node, const std::vector<ValueId>& inputs) {
  std::string key = node.op;
  key += '\0';
  append_bytes(key, node.outputs.size());
  append_bytes(key, inputs.size());
  for (const ValueId id : inputs) append_bytes(key, id);
  for (const auto& [name, attribute] : node.attributes) {
    key += name;
    key += '\0';
    append_bytes(key, attribute);
  }
  return key;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  if constexpr (std::is_same_v<T, bool>) {
    return a == b;
  } else {
    return a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
  }
}

bool same_constant(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type()) return false;
  return std::visit(
      [&](const auto& elements) { return same_bits(elements, std::get<std::decay_t<decltype(elements)>>(b.data())); },
      a.data());
}

bool is_exact(const Facet& facet) {
  if (std::holds_alternative<DataMovement>(facet)) return true;
  if (const auto* affine = std::get_if<Affine>(&facet)) {
    // Products by powers of two are exact but for subnormal results, which an execution may flush to zero.
    return affine->deployed_roundings == 0 && std::none_of(affine->terms.begin(), affine->terms.end(),
                                                           [](const auto& term) { return term.map->rounds(); });
  }
  if (const auto* elementwise = std::get_if<Elementwise>(&facet)) return elementwise->function->is_selection();
  return false;
}

// True if every execution gives the value that the real function has at the executed operands.
bool executes_exactly(const Network& network, const OperatorTable& table, const Node& node) {
  const Operator& op = table.at(node);
  if (op.layout_only) return true;
  if (op.lower == nullptr) return false;
  try {
    for (std::size_t output = 0; output < node.outputs.size(); ++output) {
      if (!is_exact(op.lower(NodeView(network, node, output)))) return false;
    }
  } catch (const UnsupportedError&) {
    return false;  // whoever lowers the network says so
  }
  return true;
}

class MergeEqual {
 public:
  MergeEqual(const Network& network, const OperatorTable& table, RewriteBudget& budget)
      : network_(network), table_(table), budget_(budget) {
    std::vector<ValueId> kept;
    for (std::size_t v = 0; v < network.values().size(); ++v) {
      const Tensor* constant = network.values()[v].constant.get();
      if (constant == nullptr) continue;
      const auto twin = std::find_if(kept.begin(), kept.end(),
                                     [&](ValueId id) { return same_constant(*constant, *network.value(id).constant); });
      if (twin == kept.end()) {
        kept.push_back(static_cast<ValueId>(v));
      } else if (budget_.take()) {
        twins_.emplace(static_cast<ValueId>(v), *twin);
      }
    }
  }

  Network run() {
    Rewriter rewriter(network_, table_);
    for (const auto& [constant, twin] : twins_) rewriter.replace(constant, rewriter.now(twin));
    for (const Node& node : network_.nodes()) {
      rewriter.visit(node);
      if (!merge(rewriter, node)) rewriter.copy(node);
    }
    return rewriter.finish();
  }

 private:
  bool merge(Rewriter& rewriter, const Node& node) {
    const auto [found, fresh] = nodes_.emplace(key_of(node, rewriter.now(node.inputs)), &node);
    if (fresh) return false;
    const Node& twin = *found->second;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (!rewriter.replaceable(node.outputs[i], rewriter.now(twin.outputs[i]))) return false;
    }
    if (!executes_exactly(network_, table_, node) || !budget_.take()) return false;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      rewriter.replace(node.outputs[i], rewriter.now(twin.outputs[i]));
    }
    return true;
  }

  const Network& network_;
  const OperatorTable& table_;
  RewriteBudget& budget_;
  std::map<ValueId, ValueId> twins_;          // of constants
  std::map<std::string, const Node*> nodes_;  // the first of each kind
};

}  // namespace

Network merge_equal(const Network& network, const OperatorTable& table, RewriteBudget& budget) {
  return MergeEqual(network, table, budget).run();
}

}  // namespace boundflow
