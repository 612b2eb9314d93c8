// The tvm executor against the native one: the same bounds within their errors, by kernels that TVM has generated.
#include "exec/tvm/tvm_executor.hpp"

#include <gtest/gtest.h>

#include "engine/compiled_plan.hpp"
#include "support/bound_checks.hpp"
#include "support/bound_comparison.hpp"
#include "support/random_network.hpp"
#include "support/temp_folder.hpp"
#include "support/with_tvm.hpp"

namespace boundflow {
namespace {

struct Trial {
  explicit Trial(std::uint64_t seed) {
    Random random(seed);
    network = std::make_shared<const Network>(
        random_network(random, {.inputs = 5, .outputs = 3, .blocks = 2, .max_width = 20}));
    spec = random_spec(random, 4, 5, 3, false);
    for (int b = 0; b < 3; ++b) boxes.push_back(random_box(random, 5));
  }

  std::shared_ptr<const Network> network;
  LinearSpec spec;
  std::vector<InputBox> boxes;
};

class TvmExecutor : public testing::Test {
 protected:
  void SetUp() override { BOUNDFLOW_SKIP_WITHOUT_TVM(); }

  TempFolder folder_;
};

TEST_F(TvmExecutor, AgreesWithNativeWithinTheErrors) {
  const auto tvm = make_tvm_executor(folder_.path("cache"));
  std::int64_t compared = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Trial test(seed);
    // At a point every neuron is stable unless rounding decides: there is one walk.
    for (const bool point : {true, false}) {
      std::vector<InputBox> boxes = test.boxes;
      for (InputBox& box : boxes) {
        if (point) box.upper = box.lower;
      }
      const FlatQuery flat(test.spec, boxes, Semantics::Real);
      const BoundLowering lowering{.intermediate = point ? IntermediateBounds::Crown : IntermediateBounds::Interval};
      const QueryEngine native(test.network, make_native_executor(), {.lowering = lowering});
      const QueryEngine generated(test.network, tvm, {.lowering = lowering});
      const BoundAnswer a = native.bound(flat.query, Deadline()), b = generated.bound(flat.query, Deadline());
      const auto values = native.intermediate_bounds(flat.query), others = generated.intermediate_bounds(flat.query);
      const bool comparable = std::equal(values.begin(), values.end(), others.begin(),
                                         [](const auto& x, const auto& y) { return same_lines(x, y); });
      if (!point && !comparable) continue;
      // Lines that stand on bounds differ as those do, which are rounded outward.
      const double lines = point ? 0 : 1e-3 * (1 + largest_activation(values));
      for (std::size_t n = 0; n < flat.rows.size(); ++n) {
        if (!std::isfinite(a.nominal[n]) || !std::isfinite(b.nominal[n])) continue;
        EXPECT_NEAR(a.nominal[n], b.nominal[n], a.error[n] + b.error[n] + lines) << "row " << n;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 100);
}

// No sampled execution falls below a bound.
TEST_F(TvmExecutor, BoundsAreSound) {
  const auto tvm = make_tvm_executor(folder_.path("cache"));
  for (std::uint64_t seed = 20; seed < 24; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Trial test(seed);
    Random random(seed);
    const FlatQuery flat(test.spec, test.boxes, Semantics::Float32);
    const QueryEngine engine(test.network, tvm, {});
    const BoundAnswer answer = engine.bound(flat.query, Deadline());
    for (std::size_t b = 0; b < test.boxes.size(); ++b) {
      for (const auto& x : sample_points(random, test.boxes[b], 20)) {
        const Enclosure y =
            enclose(*test.network, operator_table(), x, x)[static_cast<std::size_t>(test.network->output())];
        for (std::int64_t row = 0; row < test.spec.rows; ++row) {
          const std::size_t n = b * static_cast<std::size_t>(test.spec.rows) + static_cast<std::size_t>(row);
          EXPECT_LE(answer.nominal[n] - answer.error[n], row_value_up(test.spec, row, x, y.lower, y.upper));
        }
      }
    }
  }
}

TEST_F(TvmExecutor, SaysWhatItsKernelsAre) {
  const auto tvm = make_tvm_executor(folder_.path("cache"));
  EXPECT_EQ(make_tvm_executor(folder_.path("cache")), tvm);
  const Trial test(1);
  const QueryEngine engine(test.network, tvm, {});
  const FlatQuery flat(test.spec, test.boxes, Semantics::Real);
  engine.bound(flat.query, Deadline());
  std::int64_t calls = 0;
  for (const KernelUse& use : tvm->kernel_uses()) {
    calls += use.calls;
    EXPECT_EQ(use.executor == "native", !use.reason.empty()) << use.map;
    EXPECT_EQ(use.executor == "tvm", use.compiled + use.from_disk + use.from_memory > 0) << use.map;
    EXPECT_EQ(use.compiled > 0, use.compile_s > 0) << use.map;
  }
  EXPECT_GT(calls, 0);
}

TEST_F(TvmExecutor, HasPlansOfItsOwn) {
  const PlanSource tvm{.executor = make_tvm_executor(folder_.path("cache"))};
  for (const NamedExecutor& other : all_executors()) {
    EXPECT_NE(plan_key(tvm, Digest{}), plan_key({.executor = other.executor}, Digest{})) << other.name;
  }
}

TEST_F(TvmExecutor, StopsBetweenKernels) {
  const auto tvm = make_tvm_executor(folder_.path("cache"));
  EXPECT_THROW(QueryEngine(Trial(2).network, tvm, {}, Deadline(0.0)), StoppedError);
}

}  // namespace
}  // namespace boundflow
