#include "engine/compiled_plan.hpp"

#include "ir/content_hash.hpp"

namespace boundflow {

// To be changed with whatever makes another plan of the same source.
constexpr std::string_view kPipelineVersion = "boundflow plan 2";

CompiledPlan compile_plan(const PlanSource& source, const OperatorTable& table, const Deadline& deadline) {
  const LoweredNetwork lowered(source.network, table, deadline);
  std::vector<PlannedProgram> programs;
  const auto add = [&](BoundProgram lowered_program) {
    BoundProgram program = run_program_passes(std::move(lowered_program), source.program_passes, deadline);
    auto plan = plan_storage(program, source.executor->element_bytes(), source.reuse_storage);
    programs.push_back({std::make_shared<const BoundProgram>(std::move(program)),
                        std::make_shared<const StoragePlan>(std::move(plan))});
  };
  add(lower_bounds(lowered, source.lowering));
  add(lower_values(lowered, true));
  SplitPrograms splits;
  if (source.splits) splits = lower_splits(lowered, source.lowering.input_terms, source.lowering.windows);
  for (BoundProgram& program : splits.programs) add(std::move(program));
  auto compiled = source.executor->compile(programs, deadline);
  ensure(compiled.size() == programs.size(), "the executor did not compile every program");
  HeldBytes held;
  for (const auto& program : compiled) program->count(held);
  CompiledPlan plan{
      .bounds = std::move(compiled[0]), .values = std::move(compiled[1]), .splits = {}, .bytes = held.total()};
  plan.splits = {std::move(splits.layers), {compiled.begin() + 2, compiled.end()}, std::move(splits.targets), nullptr};
  if (!plan.splits.programs.empty()) plan.splits.contraction = Contraction::of(lowered);
  if (plan.splits.contraction) plan.bytes += plan.splits.contraction->bytes();
  return plan;
}

Digest network_digest(const Network& network, const Deadline& deadline) {
  ContentHash hash(deadline);
  hash.number(std::ssize(network.values()));
  for (const Value& value : network.values()) {
    hash.text(value.name);
    hash.type(value.type);
    hash.number(value.producer);
    hash.number(value.constant ? 1 : 0);
    if (value.constant) hash.tensor(*value.constant);
  }
  hash.number(std::ssize(network.nodes()));
  for (const Node& node : network.nodes()) {
    hash.text(node.op);
    hash.text(node.name);
    hash.numbers(node.inputs);
    hash.numbers(node.outputs);
    hash.number(std::ssize(node.attributes));
    for (const auto& [name, value] : node.attributes) {
      hash.text(name);
      hash.attribute(value);
    }
  }
  hash.numbers(network.inputs());
  hash.numbers(network.outputs());
  return hash.finish();
}

Digest plan_key(const PlanSource& source, const Digest& network) {
  const Deadline never;
  ContentHash hash(never);
  hash.text(kPipelineVersion);
  hash.text(source.executor->name());
  hash.number(source.executor->element_bytes());
  hash.number(source.reuse_storage ? 1 : 0);
  hash.number(source.splits ? 1 : 0);
  hash.number(source.program_passes.limit);
  hash.number(std::ssize(source.program_passes.disabled));
  for (const std::string& pass : source.program_passes.disabled) hash.text(pass);
  // By structured binding, which does not compile once the struct has another field: whoever adds one adds it here.
  const auto [intermediate, specification, rows, input_terms, balls, windows, gather] = source.lowering;
  for (const auto value : {static_cast<int>(intermediate), static_cast<int>(specification), static_cast<int>(rows)}) {
    hash.number(value);
  }
  for (const bool value : {input_terms, balls, windows, gather}) hash.number(value ? 1 : 0);
  hash.numbers(std::vector<std::uint8_t>(network.begin(), network.end()));
  return hash.finish();
}

}  // namespace boundflow
