#include "api/inspect.hpp"

#include <fmt/format.h>

#include <map>

#include "api/import_network.hpp"
#include "api/request.hpp"
#include "base/random.hpp"
#include "boundflow/boundflow.hpp"
#include "engine/support.hpp"

namespace boundflow {

namespace {

std::string header(std::string_view second) {
  std::string text = fmt::format("{:<22}{:>8}", "operator", second);
  for (const DomainSupport& domain : domain_support()) text += fmt::format("{:>10}", domain.domain);
  return text + "\n";
}

// `lowered`: nullptr where the operator is folded away at import.
std::string line(std::string_view op, const std::string& second, const LoweredNode* lowered) {
  std::string text = fmt::format("{:<22}{:>8}", op, second);
  for (const DomainSupport& domain : domain_support()) {
    text += fmt::format("{:>10}", lowered == nullptr ? "folds" : domain.supports(*lowered) ? "yes" : "no");
  }
  return text + "\n";
}

// Every operator of the table, by what its sample network lowers to.
std::string all_operators() {
  std::string text = header("");
  for (const Operator& op : operator_table().all()) {
    if (op.internal) continue;
    if (op.sample == nullptr) {
      text += line(op.name, "", nullptr);
      continue;
    }
    Random random(0);
    const LoweredNetwork lowered(std::make_shared<const Network>(op.sample(random)), operator_table());
    text += line(op.name, "", &lowered.nodes().back());
  }
  return text;
}

}  // namespace

std::string inspection(const std::string& name, const Network& network, const Deadline& deadline) {
  const Value& input = network.value(network.input());
  const Value& output = network.value(network.output());
  std::string text = fmt::format("network    {}\ninput      {} {}\noutput     {} {}\nparameters {}\nnodes      {}\n\n",
                                 name, input.name, to_string(input.type), output.name, to_string(output.type),
                                 parameter_count(network), network.nodes().size());
  // The first node of each operator speaks for it.
  const LoweredNetwork lowered(std::make_shared<const Network>(network), operator_table(), deadline);
  std::map<std::string, std::pair<std::int64_t, const LoweredNode*>> operators;
  for (const LoweredNode& node : lowered.nodes()) operators[node.node->op].second = &node;
  for (const Node& node : network.nodes()) ++operators[node.op].first;
  text += header("nodes");
  for (const auto& [op, found] : operators) text += line(op, std::to_string(found.first), found.second);
  return text + "\n" + print(network);
}

std::string inspect(const std::string& network_path, const Options& options, const VerifyHooks& hooks) {
  const Request request = validate(options, Workload::None);
  const Deadline deadline(options.timeout, Clock::now(), hooks.interrupt);
  if (network_path.empty()) return all_operators();
  const ImportedNetwork network = import_network(network_path, deadline, operator_table(), request.network_passes);
  return inspection(network_path, *network.source, deadline);
}

}  // namespace boundflow
