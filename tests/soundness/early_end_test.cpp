// Rows that end on their way, because their neuron is proved dead there, loosen no bound that anything reads.
#include <gtest/gtest.h>

#include "support/bound_checks.hpp"
#include "support/bound_comparison.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

struct Case {
  explicit Case(std::uint64_t seed) {
    Random random(seed);
    // A chain of wide layers with few active neurons, where rows are proved stable a layer or two before they started.
    Network built;
    std::int64_t columns = 6;
    ValueId value = built.add_input("x", {DType::Float32, {1, columns}});
    const auto matrix = [&](std::int64_t rows, std::int64_t width, double scale) {
      std::vector<float> weights(static_cast<std::size_t>(rows * width));
      for (float& w : weights) w = static_cast<float>(scale * random.uniform(-1, 1));
      return Tensor({rows, width}, std::move(weights));
    };
    for (int layer = 0; layer < 5; ++layer) {
      const std::int64_t width = layer == 4 ? 3 : 24;
      const std::string name = std::to_string(layer);
      const ValueId weights = built.add_constant("w" + name, matrix(columns, width, 1.2));
      const ValueId bias = built.add_constant("b" + name, matrix(1, width, 0.3));
      value = built.node(append_node(built, operator_table(), "MatMul", "m" + name, {value, weights}, {"m" + name}))
                  .outputs[0];
      value =
          built.node(append_node(built, operator_table(), "Add", "a" + name, {value, bias}, {"a" + name})).outputs[0];
      // A shortcut: rows that end are in two places at once.
      if (layer == 2) {
        const ValueId skip = built.node(append_node(built, operator_table(), "Relu", "s", {value}, {"s"})).outputs[0];
        value = built.node(append_node(built, operator_table(), "Add", "j", {value, skip}, {"j"})).outputs[0];
      }
      if (layer < 4) {
        value = built.node(append_node(built, operator_table(), "Relu", "r" + name, {value}, {"r" + name})).outputs[0];
      }
      columns = width;
    }
    built.set_outputs({value});
    network = std::make_shared<const Network>(std::move(built));
    spec = random_spec(random, 3, 6, 3, false);
    for (int b = 0; b < 3; ++b) {
      InputBox box;
      for (int i = 0; i < 6; ++i) {
        const double centre = random.uniform(-1, 1), radius = random.uniform(0, 0.15);
        box.lower.push_back(centre - radius);
        box.upper.push_back(centre + radius);
      }
      boxes.push_back(std::move(box));
    }
  }
  std::shared_ptr<const Network> network;
  LinearSpec spec;
  std::vector<InputBox> boxes;
};

TEST(EarlyEnd, LeavesBoundsAsTight) {
  std::int64_t looser = 0, compared = 0;
  for (std::uint64_t seed = 0; seed < 40 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed);
    for (const NamedExecutor& executor : all_executors()) {
      SCOPED_TRACE(executor.name);
      const FlatQuery flat(test.spec, test.boxes, Semantics::Nominal);
      const QueryEngine with(test.network, executor.executor, {});
      const QueryEngine without(test.network, executor.executor, {.lowering = {.rows = NeuronRows::Unstable}});
      EXPECT_NE(print(with.bounds_program().program()).find("probe("), std::string::npos);
      EXPECT_EQ(print(without.bounds_program().program()).find("probe("), std::string::npos);
      const auto early = with.intermediate_bounds(flat.query);
      const auto late = without.intermediate_bounds(flat.query);
      ASSERT_EQ(early.size(), late.size());
      const double near = (executor.name == "float32" ? 2e-5 : 1e-11) * (1 + largest_activation(late));
      for (std::size_t k = 0; k < early.size() && same_lines(early[k], late[k]); ++k) {
        for (std::size_t i = 0; i < early[k].lower.size(); ++i) {
          const double width = early[k].upper[i] - early[k].lower[i];
          const double whole = late[k].upper[i] - late[k].lower[i];
          if (width > whole + near) {
            ++looser;
            EXPECT_LE(early[k].upper[i], near) << "a neuron that is not dead became looser";
          }
        }
      }
      const BoundAnswer a = with.bound(flat.query, Deadline());
      const BoundAnswer b = without.bound(flat.query, Deadline());
      for (std::size_t n = 0; n < a.nominal.size(); ++n, ++compared) {
        EXPECT_GE(a.nominal[n], b.nominal[n] - 10 * near * (1 + std::fabs(b.nominal[n]))) << "row " << n;
      }
    }
  }
  EXPECT_GT(looser, 0) << "no row ended early";
  EXPECT_GT(compared, 300 / kSanitizerShare);
}

TEST(EarlyEnd, BlocksOfTwoRowsFindTheSameBounds) {
  const Case test(7);
  const FlatQuery flat(test.spec, test.boxes, Semantics::Float32);
  const QueryEngine whole(test.network, make_native_executor(), {});
  const QueryEngine pairs(test.network, make_native_executor(), {.max_block_bytes = 1});
  const BoundAnswer a = whole.bound(flat.query, Deadline());
  const BoundAnswer b = pairs.bound(flat.query, Deadline());
  EXPECT_EQ(a.nominal, b.nominal);
  EXPECT_EQ(a.error, b.error);
}

}  // namespace
}  // namespace boundflow
