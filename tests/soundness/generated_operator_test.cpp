// Every operator, alone and between relaxations, in random networks: each bound that each domain and executor states
// holds at sampled points, corners and points that descend towards the bound, for the real-valued network and for
// float32 executions in random summation orders. Networks with all operators at once follow below.
#include <gtest/gtest.h>

#include "support/random_network.hpp"
#include "support/soundness_trial.hpp"

namespace boundflow {
namespace {

class GeneratedOperator : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(, GeneratedOperator, testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const Operator& op : operator_table().all()) {
                             if (op.sample != nullptr) names.emplace_back(op.name);
                           }
                           return names;
                         }()),
                         [](const auto& info) { return info.param; });

TEST_P(GeneratedOperator, BoundsHoldAtPointsAndExecutions) {
  const Operator* op = operator_table().find(GetParam());
  ASSERT_NE(op, nullptr);
  Tally tally;
  for (int seed = 0; seed < 150 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(static_cast<std::uint64_t>(seed));
    const Network sample = op->sample(random);
    const Trial trial = make_trial(seed % 4 == 0 ? sample : surrounded(random, sample), random);
    check_everything(trial, random, tally);
  }
  EXPECT_EQ(tally.finite, tally.rows);
}

TEST(GeneratedNetwork, BoundsHoldAtPointsAndExecutions) {
  Tally tally;
  for (int seed = 0; seed < 1500 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(static_cast<std::uint64_t>(1000 + seed));
    const Trial trial = make_trial(random_network(random), random);
    check_everything(trial, random, tally);
  }
  // Scales up to 2^20 a layer may leave the range of float32 now and then.
  EXPECT_GE(static_cast<double>(tally.finite), 0.97 * static_cast<double>(tally.rows));
}

// A specification without input terms on a program that was lowered with them: one region of a property may have
// them, another not.
TEST(GeneratedNetwork, InputTermsMayBeAbsentFromARegion) {
  for (int seed = 0; seed < 20; ++seed) {
    Random random(static_cast<std::uint64_t>(seed));
    const auto network = std::make_shared<const Network>(random_network(random));
    const std::int64_t inputs = network->size_of(network->input()), outputs = network->size_of(network->output());
    const LinearSpec spec = random_spec(random, 3, inputs, outputs, false);
    const FlatQuery flat(spec, {random_box(random, inputs)}, Semantics::Float32);
    const auto bound = [&](bool input_terms) {
      const QueryEngine engine(network, make_native_executor(), {.lowering = {.input_terms = input_terms}});
      return engine.bound(flat.query, Deadline());
    };
    const BoundAnswer with = bound(true), without = bound(false);
    for (std::size_t n = 0; n < flat.rows.size(); ++n) {
      if (!std::isfinite(without.nominal[n])) continue;
      EXPECT_LE(std::fabs(with.nominal[n] - without.nominal[n]), with.error[n] + without.error[n]);
    }
  }
}

class ObserverOfBounds : public testing::Test {
 protected:
  ObserverOfBounds() {
    Random random(5);
    network_ = std::make_shared<const Network>(random_network(random, {.inputs = 3, .outputs = 2}));
    observer_ = observe_point(network_, operator_table(), Property{}, {0.25, -0.5, 0.75}).observer;
    const std::vector<double> point{0.25, -0.5, 0.75};
    real_ = enclose(*network_, operator_table(), point, point);
  }
  std::shared_ptr<const Network> network_;
  std::shared_ptr<const Observer> observer_;
  std::vector<Enclosure> real_;
};

TEST_F(ObserverOfBounds, NoticesBoundsThatExcludeAnActivation) {
  for (std::size_t v = 0; v < real_.size(); ++v) {
    if (real_[v].lower.empty()) continue;
    const auto value = static_cast<ValueId>(v);
    for (const auto semantics : {Semantics::Float32, Semantics::Real}) {
      std::vector<double> lower = real_[v].lower, upper = real_[v].upper;
      for (double& l : lower) l -= 1e-3 * (1 + std::fabs(l));
      for (double& u : upper) u += 1e-3 * (1 + std::fabs(u));
      EXPECT_NO_THROW(observer_->check_bounds(value, lower, upper, semantics, "test"));
      std::vector<double> wrong = upper;
      wrong.back() += 1;  // as a lower bound
      EXPECT_THROW(observer_->check_bounds(value, wrong, wrong, semantics, "test"), InternalError);
      wrong = lower;
      wrong.back() -= 1;  // as an upper bound
      EXPECT_THROW(observer_->check_bounds(value, lower, wrong, semantics, "test"), InternalError);
    }
  }
}

TEST_F(ObserverOfBounds, NoticesARowBoundAboveTheValue) {
  const Enclosure& y = real_[static_cast<std::size_t>(network_->output())];
  Random random(6);
  const LinearSpec spec = random_spec(random, 4, 3, 2, true);
  for (std::int64_t row = 0; row < spec.rows; ++row) {
    const double value = row_value_up(spec, row, {0.25, -0.5, 0.75}, y.lower, y.upper);
    EXPECT_NO_THROW(observer_->check_row(spec, row, value, Semantics::Float32));
    const double above = value + 0.1 * (1 + std::fabs(value));
    EXPECT_THROW(observer_->check_row(spec, row, above, Semantics::Float32), InternalError);
    EXPECT_NO_THROW(observer_->check_row(spec, row, above, Semantics::Nominal));
  }
}

TEST_F(ObserverOfBounds, KnowsItsPointsBoxes) {
  const std::vector<double> lower{0, -1, 0}, upper{1, 0, 1}, beside{0.5, -1, 0};
  EXPECT_TRUE(observer_->inside(lower.data(), upper.data()));
  EXPECT_FALSE(observer_->inside(beside.data(), upper.data()));
}

// A wrong engine is caught from the outside: the observer of a network whose last bias differs sits on this one.
TEST_F(ObserverOfBounds, StopsAQueryWhoseBoundsAreWrong) {
  const auto shifted = [](float bias) {
    Network network;
    const ValueId x = network.add_input("x", {DType::Float32, {1, 1}});
    const ValueId c = network.add_constant("c", Tensor({1}, std::vector<float>{bias}));
    const NodeId add = append_node(network, operator_table(), "Add", "add", {x, c}, {"y"});
    network.set_outputs(network.node(add).outputs);
    return std::make_shared<const Network>(std::move(network));
  };
  QueryEngine engine(shifted(0), make_native_executor(), {});
  engine.observe(observe_point(shifted(9), operator_table(), Property{}, {0.5}).observer);
  Random random(7);
  const LinearSpec spec{.rows = 1,
                        .inputs = 1,
                        .outputs = 1,
                        .output_coefficients = {1},
                        .output_coefficient_errors = {0},
                        .constants = {0},
                        .constant_errors = {0}};
  const FlatQuery inside(spec, {InputBox{{0}, {1}}}, Semantics::Real);
  EXPECT_THROW(engine.bound(inside.query, Deadline()), InternalError);
  const FlatQuery elsewhere(spec, {InputBox{{2}, {3}}}, Semantics::Real);
  EXPECT_NO_THROW(engine.bound(elsewhere.query, Deadline()));
}

}  // namespace
}  // namespace boundflow
