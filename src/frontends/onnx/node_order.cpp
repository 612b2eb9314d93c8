#include "frontends/onnx/node_order.hpp"

#include <fmt/format.h>

#include <functional>
#include <queue>
#include <set>
#include <string_view>
#include <unordered_map>

#include "base/error.hpp"

namespace boundflow {

namespace {

constexpr int kGraph = -1;  // the producer of inputs and initialisers

std::string describe(const onnx::NodeProto& node) {
  const std::string& name = !node.name().empty() || node.output_size() == 0 ? node.name() : node.output(0);
  return fmt::format("node '{}' ({})", name, node.op_type());
}

class NodeOrder {
 public:
  explicit NodeOrder(const onnx::GraphProto& graph)
      : graph_(graph), needed_(static_cast<std::size_t>(graph.node_size()), false) {}

  std::vector<int> run() {
    collect_producers();
    mark_needed();
    return sort();
  }

 private:
  void collect_producers() {
    std::set<std::string_view> initializers;
    for (const auto& initializer : graph_.initializer()) {
      if (!initializers.insert(initializer.name()).second) twice(initializer.name());
      producers_[initializer.name()] = kGraph;
    }
    std::set<std::string_view> inputs;
    for (const auto& input : graph_.input()) {
      // An initialiser may be listed as an input, too: it is that input's value.
      if (!inputs.insert(input.name()).second) twice(input.name());
      producers_[input.name()] = kGraph;
    }
    for (int i = 0; i < graph_.node_size(); ++i) {
      for (const std::string& output : graph_.node(i).output()) {
        if (!output.empty() && !producers_.emplace(output, i).second) twice(output);
      }
    }
  }

  [[noreturn]] static void twice(const std::string& value) {
    throw InputError(fmt::format("value '{}' is defined twice", value));
  }

  int producer(const std::string& value, const std::function<std::string()>& reader) const {
    const auto found = producers_.find(value);
    if (found == producers_.end()) {
      throw InputError(fmt::format("{} reads '{}', which nothing defines", reader(), value));
    }
    return found->second;
  }

  // The nodes that compute the inputs of node i; a node once for every such input.
  std::vector<int> predecessors(int i) const {
    std::vector<int> all;
    for (const std::string& input : graph_.node(i).input()) {
      if (input.empty()) continue;
      const int from = producer(input, [&] { return describe(graph_.node(i)); });
      if (from != kGraph) all.push_back(from);
    }
    return all;
  }

  void mark_needed() {
    std::vector<int> open;
    const auto visit = [&](int i) {
      if (i == kGraph || needed_[static_cast<std::size_t>(i)]) return;
      needed_[static_cast<std::size_t>(i)] = true;
      open.push_back(i);
    };
    for (const auto& output : graph_.output()) visit(producer(output.name(), [] { return "the graph's output list"; }));
    while (!open.empty()) {
      const int i = open.back();
      open.pop_back();
      for (const int from : predecessors(i)) visit(from);
    }
  }

  std::vector<int> sort() const {
    std::vector<int> waiting_for(needed_.size(), 0);
    std::vector<std::vector<int>> readers(needed_.size());
    std::priority_queue<int, std::vector<int>, std::greater<>> ready;
    int count = 0;
    for (int i = 0; i < graph_.node_size(); ++i) {
      if (!needed_[static_cast<std::size_t>(i)]) continue;
      ++count;
      const std::vector<int> before = predecessors(i);
      waiting_for[static_cast<std::size_t>(i)] = static_cast<int>(before.size());
      for (const int from : before) readers[static_cast<std::size_t>(from)].push_back(i);
      if (before.empty()) ready.push(i);
    }
    std::vector<int> order;
    while (!ready.empty()) {
      const int i = ready.top();
      ready.pop();
      order.push_back(i);
      for (const int reader : readers[static_cast<std::size_t>(i)]) {
        if (--waiting_for[static_cast<std::size_t>(reader)] == 0) ready.push(reader);
      }
    }
    if (static_cast<int>(order.size()) != count) report_cycle(waiting_for);
    return order;
  }

  // Every node that still waits waits for another one that does: walking back must come round.
  [[noreturn]] void report_cycle(const std::vector<int>& waiting_for) const {
    int i = 0;
    while (waiting_for[static_cast<std::size_t>(i)] <= 0) ++i;
    for (std::vector<bool> seen(needed_.size(), false); !seen[static_cast<std::size_t>(i)];) {
      seen[static_cast<std::size_t>(i)] = true;
      for (const int from : predecessors(i)) {
        if (waiting_for[static_cast<std::size_t>(from)] > 0) {
          i = from;
          break;
        }
      }
    }
    throw InputError(fmt::format("{} depends on its own output: the graph has a cycle", describe(graph_.node(i))));
  }

  const onnx::GraphProto& graph_;
  std::unordered_map<std::string, int> producers_;
  std::vector<bool> needed_;
};

}  // namespace

std::vector<int> needed_nodes(const onnx::GraphProto& graph) {
  return NodeOrder(graph).run();
}

}  // namespace boundflow
