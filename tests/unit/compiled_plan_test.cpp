// What a plan's key tells apart, and what the programs of a plan share.
#include "engine/compiled_plan.hpp"

#include <gtest/gtest.h>

#include <set>

#include "support/counting_executor.hpp"
#include "support/lowerings.hpp"
#include "support/random_image_network.hpp"
#include "support/random_network.hpp"
#include "support/verify_case.hpp"

namespace boundflow {
namespace {

// The parts of a network, to be changed one at a time.
struct Parts {
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;

  explicit Parts(const Network& network)
      : values(network.values()), nodes(network.nodes()), inputs(network.inputs()), outputs(network.outputs()) {}
  Digest digest() const { return network_digest(Network(values, nodes, inputs, outputs)); }
};

Network imported() {
  const OnnxModel model = dense_model(2, {{{1, -1, 0.5F, 1, 2, -0.5F}, {0.1F, 0, -0.2F}}, {{1, -1, 0.5F}, {0}, false}});
  return import_onnx(model.bytes(), "small.onnx");
}

std::size_t constant_of(const Parts& parts) {
  std::size_t v = 0;
  while (!parts.values.at(v).constant) ++v;
  return v;
}

TEST(NetworkDigest, IsThatOfTheContent) {
  EXPECT_EQ(network_digest(imported()), network_digest(imported()));
  EXPECT_EQ(Parts(imported()).digest(), network_digest(imported()));
}

TEST(NetworkDigest, SeesEveryChange) {
  const Parts original(imported());
  const auto set = [](Parts& parts, Attribute value) { parts.nodes[0].attributes["a"] = std::move(value); };
  const std::vector<std::pair<std::string, std::function<void(Parts&)>>> changes = {
      {"a weight",
       [](Parts& parts) {
         std::shared_ptr<const Tensor>& constant = parts.values[constant_of(parts)].constant;
         auto elements = std::get<std::vector<float>>(constant->data());
         elements[0] = std::nextafter(elements[0], 2.0F);
         constant = std::make_shared<const Tensor>(constant->shape(), std::move(elements));
       }},
      {"the sign of a zero",
       [](Parts& parts) {
         std::shared_ptr<const Tensor>& constant = parts.values[constant_of(parts)].constant;
         constant = std::make_shared<const Tensor>(
             constant->shape(), std::vector<float>(static_cast<std::size_t>(constant->size()), 0.0F));
       }},
      {"the other sign",
       [](Parts& parts) {
         std::shared_ptr<const Tensor>& constant = parts.values[constant_of(parts)].constant;
         constant = std::make_shared<const Tensor>(
             constant->shape(), std::vector<float>(static_cast<std::size_t>(constant->size()), -0.0F));
       }},
      {"a constant's shape",
       [](Parts& parts) {
         std::shared_ptr<const Tensor>& constant = parts.values[constant_of(parts)].constant;
         constant = std::make_shared<const Tensor>(constant->reshaped({constant->size()}));
       }},
      {"a value's shape",
       [](Parts& parts) { parts.values[0].type.shape.insert(parts.values[0].type.shape.begin(), 1); }},
      {"a value's dtype", [](Parts& parts) { parts.values[0].type.dtype = DType::Float64; }},
      {"a value's name", [](Parts& parts) { parts.values[0].name += "'"; }},
      {"an operator", [](Parts& parts) { parts.nodes[1].op = "Tanh"; }},
      {"a node's name", [](Parts& parts) { parts.nodes[1].name += "'"; }},
      {"an edge", [](Parts& parts) { std::swap(parts.nodes[0].inputs[1], parts.nodes[0].inputs[2]); }},
      {"the order of nodes", [](Parts& parts) { std::swap(parts.nodes[0], parts.nodes[1]); }},
      {"the input", [](Parts& parts) { parts.inputs.push_back(parts.inputs[0]); }},
      {"the output", [](Parts& parts) { parts.outputs[0] = parts.nodes[0].outputs[0]; }},
      {"an integer", [&](Parts& parts) { set(parts, std::int64_t{1}); }},
      {"another integer", [&](Parts& parts) { set(parts, std::int64_t{2}); }},
      {"a number", [&](Parts& parts) { set(parts, 1.0); }},
      {"another number", [&](Parts& parts) { set(parts, std::nextafter(1.0, 2.0)); }},
      {"a text", [&](Parts& parts) { set(parts, std::string("1")); }},
      {"integers", [&](Parts& parts) { set(parts, std::vector<std::int64_t>{1}); }},
      {"numbers", [&](Parts& parts) { set(parts, std::vector<double>{1}); }},
      {"a tensor", [&](Parts& parts) { set(parts, Tensor({1}, std::vector<float>{1})); }},
      {"a tensor of truth values", [&](Parts& parts) { set(parts, Tensor({1}, std::vector<bool>{true})); }},
      {"another attribute", [](Parts& parts) { parts.nodes[0].attributes["b"] = std::int64_t{1}; }},
  };
  std::set<Digest> seen{original.digest()};
  for (const auto& [what, change] : changes) {
    Parts changed = original;
    change(changed);
    EXPECT_TRUE(seen.insert(changed.digest()).second) << what;
  }
}

TEST(NetworkDigest, StopsAtItsDeadline) {
  EXPECT_THROW(network_digest(imported(), Deadline(0)), StoppedError);
}

TEST(PlanKey, TellsKindsOfQueriesApart) {
  std::vector<BoundLowering> lowerings = {{.input_terms = true}, {.balls = true}, {.gather = false}};
  for (const NamedLowering& lowering : all_lowerings(false)) lowerings.push_back(lowering.lowering);
  const std::vector<std::shared_ptr<const Executor>> executors = {make_native_executor(Precision::Float32),
                                                                  make_native_executor(Precision::Float64),
                                                                  std::make_shared<const CountingExecutor>()};
  const Digest network = network_digest(imported());
  std::set<Digest> seen;
  for (const BoundLowering& lowering : lowerings) {
    for (const auto& executor : executors) {
      for (const bool reuse : {true, false}) {
        const PlanSource source{.executor = executor, .lowering = lowering, .reuse_storage = reuse};
        EXPECT_TRUE(seen.insert(plan_key(source, network)).second);
        EXPECT_FALSE(seen.insert(plan_key(source, network)).second);
        EXPECT_TRUE(seen.insert(plan_key(source, Digest{})).second);
      }
    }
  }
}

TEST(PlanKey, TellsProgramPassesApart) {
  std::set<Digest> seen;
  for (const ProgramPassOptions& passes :
       std::vector<ProgramPassOptions>{{},
                                       {.limit = 3},
                                       {.disabled = {"remove-dead-ops"}},
                                       {.disabled = {"remove-dead-ops", "fuse-relaxation-bias"}}}) {
    const PlanSource source{.executor = make_native_executor(), .program_passes = passes};
    EXPECT_TRUE(seen.insert(plan_key(source, Digest{})).second);
  }
}

std::int64_t bytes_of(std::span<const std::shared_ptr<const CompiledProgram>> programs) {
  HeldBytes held;
  for (const auto& program : programs) program->count(held);
  return held.total();
}

// A network of two matrices of 64 x 64: packed forward, |.| forward and backward for bounds; forward and backward for
// values, which are the same.
TEST(CompiledPlan, SharesWhatItsProgramsPack) {
  constexpr std::int64_t kWidth = 64;
  const DenseLayer layer{std::vector<float>(kWidth * kWidth, 0.5F), std::vector<float>(kWidth, 0.0F)};
  const auto network = std::make_shared<const Network>(import_onnx(dense_model(kWidth, {layer, layer}).bytes(), "net"));
  for (const auto& [precision, element_bytes] : {std::pair(Precision::Float32, 4), std::pair(Precision::Float64, 8)}) {
    const PlanSource source{.network = network, .executor = make_native_executor(precision)};
    const CompiledPlan plan = compile_plan(source, operator_table(), Deadline());
    const std::shared_ptr<const CompiledProgram> programs[] = {plan.bounds, plan.values};
    EXPECT_EQ(plan.bytes, bytes_of(programs));
    std::vector<PlannedProgram> planned;
    std::vector<std::shared_ptr<const CompiledProgram>> apart;
    for (const auto& program : programs) {
      planned.push_back({std::make_shared<const BoundProgram>(program->program()),
                         std::make_shared<const StoragePlan>(program->plan())});
      apart.push_back(source.executor->compile({&planned.back(), 1}, Deadline()).at(0));
    }
    const auto together = source.executor->compile(planned, Deadline());
    EXPECT_GE(bytes_of(apart) - bytes_of(together), 2 * 2 * kWidth * kWidth * element_bytes);
    EXPECT_GE(plan.bytes, 2 * kWidth * kWidth * (8 + 3 * element_bytes));
    EXPECT_LE(plan.bytes, 2 * kWidth * kWidth * (8 + 5 * element_bytes) + 100'000);
  }
}

}  // namespace
}  // namespace boundflow
