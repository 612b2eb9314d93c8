// The auto executor: what it decides by which costs, and that its bounds are those of the others.
#include "exec/tvm/auto_executor.hpp"

#include <gtest/gtest.h>

#include "engine/compiled_plan.hpp"
#include "exec/tvm/machine.hpp"
#include "exec/tvm/map_costs.hpp"
#include "exec/tvm/open_plugin.hpp"
#include "support/bound_checks.hpp"
#include "support/random_linear_map.hpp"
#include "support/random_network.hpp"
#include "support/temp_folder.hpp"
#include "support/with_tvm.hpp"

namespace boundflow {
namespace {

using generated::MapCosts;
using native::Direction;

constexpr Direction kDirections[] = {Direction::Forward, Direction::ForwardAbsolute, Direction::Transpose,
                                     Direction::Interval};

class AutoExecutor : public testing::Test {
 protected:
  AutoExecutor() {
    Random random(3);
    network_ = std::make_shared<const Network>(
        random_network(random, {.inputs = 5, .outputs = 3, .blocks = 2, .max_width = 20}));
    lowered_ = std::make_unique<const LoweredNetwork>(network_, operator_table());
    spec_ = random_spec(random, 4, 5, 3, false);
    boxes_ = {random_box(random, 5), random_box(random, 5)};
  }
  std::string cache() const { return folder_.path("cache"); }
  // Every map of the network has these costs.
  void say(const MapCosts& costs) const {
    const auto store = generated::open_store(cache());
    for (const LoweredNode& node : lowered_->nodes()) {
      if (node.facet != FacetKind::Affine) continue;
      for (const auto& map : node.affine->maps) {
        for (const Direction direction : kDirections) keep_costs(store.get(), *map, direction, costs);
      }
    }
  }
  // Of the maps that multiply by a multiplier.
  std::vector<KernelUse> decisions(double expected_queries) const {
    const auto executor = make_auto_executor(cache(), expected_queries);
    const QueryEngine engine(network_, executor, {});
    const FlatQuery flat(spec_, boxes_, Semantics::Real);
    const BoundAnswer answer = engine.bound(flat.query, Deadline());
    const BoundAnswer native = QueryEngine(network_, make_native_executor(), {}).bound(flat.query, Deadline());
    for (std::size_t n = 0; n < flat.rows.size(); ++n) {
      EXPECT_NEAR(answer.nominal[n], native.nominal[n], 1e-3 * (1 + std::fabs(native.nominal[n])));
    }
    std::vector<KernelUse> uses;
    for (const KernelUse& use : executor->kernel_uses()) {
      EXPECT_FALSE(use.reason.empty()) << use.map;
      if (use.map.starts_with("dense")) uses.push_back(use);
    }
    EXPECT_FALSE(uses.empty());
    return uses;
  }

  TempFolder folder_;
  std::shared_ptr<const Network> network_;
  std::unique_ptr<const LoweredNetwork> lowered_;
  LinearSpec spec_;
  std::vector<InputBox> boxes_;
};

TEST_F(AutoExecutor, IsNativeWhereNothingIsKnownAndLittleToDo) {
  for (const KernelUse& use : decisions(1)) {
    EXPECT_EQ(use.executor, "native");
    EXPECT_NE(use.reason.find("not measured"), std::string::npos) << use.reason;
  }
}

TEST_F(AutoExecutor, IsNativeWhereThatWasFaster) {
  say({.few = {1e-3, 2e-3}, .many = {1e-3, 0.99e-3}});  // what may be noise is no gain
  for (const KernelUse& use : decisions(1e6)) {
    EXPECT_EQ(use.executor, "native");
    EXPECT_NE(use.reason.find("native 1000.00 us, tvm 2000.00 us"), std::string::npos) << use.reason;
  }
}

TEST_F(AutoExecutor, OpensTvmOnlyForMoreThanThatTakes) {
  say({.few = {2e-6, 1e-6}, .many = {2e-6, 1e-6}});
  for (const KernelUse& use : decisions(1)) {
    EXPECT_EQ(use.executor, "native");
    EXPECT_NE(use.reason.find("to open"), std::string::npos) << use.reason;
  }
}

TEST_F(AutoExecutor, ChoosesByTheNumberOfRows) {
  BOUNDFLOW_SKIP_WITHOUT_TVM();
  say({.few = {1e-3, 2e-3}, .many = {2e-3, 1e-3}});
  for (const KernelUse& use : decisions(1e6)) {
    EXPECT_EQ(use.executor, "native for few rows, tvm for many");
    EXPECT_GT(use.compiled + use.from_disk + use.from_memory, 0);
  }
}

TEST_F(AutoExecutor, MeasuresOnceWhereItIsWorthwhile) {
  BOUNDFLOW_SKIP_WITHOUT_TVM();
  for (const KernelUse& use : decisions(1e12)) EXPECT_NE(use.reason.find("rows: native"), std::string::npos);
  const auto store = generated::open_store(cache());
  std::int64_t found = 0;
  for (const LoweredNode& node : lowered_->nodes()) {
    if (node.facet != FacetKind::Affine) continue;
    for (const auto& map : node.affine->maps) {
      if (native::why_no_multiplier(*map) == nullptr && find_costs(store.get(), *map, Direction::Transpose)) ++found;
    }
  }
  EXPECT_GT(found, 0);
}

TEST(MapCosts, AreKeptPerMapAndDirection) {
  const TempFolder folder;
  const auto store = generated::open_store(folder.path("cache"));
  Random random(4);
  ConvMap conv = random_convolution(random);
  std::set<std::string> described;
  const auto add = [&](const ConvMap& other) {
    for (const Direction direction : kDirections) described.insert(generated::describe(LinearMap(other), direction));
  };
  add(conv);
  conv.in_channels_last = !conv.in_channels_last;
  add(conv);
  conv.adjoint = !conv.adjoint;
  add(conv);
  EXPECT_EQ(described.size(), 12U);

  const LinearMap map(conv);
  const MapCosts costs{.tile = {2, 3}, .few = {1, 2}, .many = {0.1, 1e-9}};
  keep_costs(store.get(), map, Direction::Forward, costs);
  EXPECT_EQ(find_costs(store.get(), map, Direction::Forward), costs);
  EXPECT_EQ(find_costs(store.get(), map, Direction::Transpose), std::nullopt);
  EXPECT_EQ(generated::find_costs(nullptr, map, Direction::Forward), std::nullopt);
  keep_costs(store.get(), map, Direction::Forward, {.tile = {7, 7}});  // a tile of another version
  EXPECT_EQ(find_costs(store.get(), map, Direction::Forward), std::nullopt);
}

}  // namespace
}  // namespace boundflow
