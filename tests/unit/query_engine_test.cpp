#include "engine/query_engine.hpp"

#include <gtest/gtest.h>
#include <tbb/task_arena.h>

#include "base/random.hpp"
#include "exec/native/native_executor.hpp"
#include "frontends/onnx/onnx.hpp"
#include "support/verify_case.hpp"

namespace boundflow {
namespace {

constexpr std::int64_t kWidth = 60;

std::shared_ptr<const Network> wide_network() {
  Random random(4);
  const auto layer = [&](std::int64_t in, std::int64_t out, bool relu) {
    DenseLayer result{{}, {}, relu};
    for (std::int64_t i = 0; i < in * out; ++i) result.weights.push_back(static_cast<float>(random.uniform(-0.4, 0.4)));
    for (std::int64_t i = 0; i < out; ++i) result.bias.push_back(static_cast<float>(random.uniform(-0.1, 0.1)));
    return result;
  };
  const OnnxModel model =
      dense_model(5, {layer(5, kWidth, true), layer(kWidth, kWidth, true), layer(kWidth, kWidth, false)});
  return std::make_shared<const Network>(import_onnx(model.bytes(), "wide.onnx"));
}

// All outputs over boxes of different sizes.
struct Query {
  std::vector<double> lower;
  std::vector<double> upper;
  std::vector<std::int32_t> owners;
  std::vector<std::int32_t> rows;
  LinearSpec spec;
  BoundQuery query;

  explicit Query(std::int64_t subproblems) {
    spec.rows = spec.outputs = kWidth;
    spec.inputs = 5;
    spec.output_coefficients.assign(kWidth * kWidth, 0.0);
    for (std::size_t j = 0; j < kWidth; ++j) spec.output_coefficients[j * kWidth + j] = 1;
    spec.output_coefficient_errors.assign(kWidth * kWidth, 0.0);
    spec.constants.assign(kWidth, 0.0);
    spec.constant_errors.assign(kWidth, 0.0);
    for (std::int32_t b = 0; b < subproblems; ++b) {
      lower.insert(lower.end(), 5, -0.1 * b);
      upper.insert(upper.end(), 5, 0.5);
      for (std::int32_t row = 0; row < kWidth; ++row) {
        owners.push_back(b);
        rows.push_back(row);
      }
    }
    query.subproblems = subproblems;
    query.lower = lower;
    query.upper = upper;
    query.spec = &spec;
    query.owners = owners;
    query.rows = rows;
    query.linear_form = true;
  }
};

TEST(QueryEngine, SmallBlocksGiveTheSameBounds) {
  const std::shared_ptr<const Network> network = wide_network();
  const Query query(6);
  const QueryEngine usual(network, make_native_executor(), {});
  const BoundAnswer expected = usual.bound(query.query, Deadline());
  ASSERT_TRUE(expected.complete);
  for (const std::int64_t rows : {0, 2, 7}) {
    const QueryEngine small(network, make_native_executor(),
                            {.max_block_bytes = rows * usual.bounds_program().plan().row_bytes});
    // A neuron's two rows stay together.
    EXPECT_EQ(small.rows_per_block(), std::max<std::int64_t>(rows / 2 * 2, 2));
    const BoundAnswer answer = small.bound(query.query, Deadline());
    EXPECT_EQ(answer.nominal, expected.nominal);
    EXPECT_EQ(answer.error, expected.error);
    EXPECT_EQ(answer.form, expected.form);
  }
}

TEST(QueryEngine, MemoryPerSubproblemHoldsItsRows) {
  const QueryEngine engine(wide_network(), make_native_executor(), {});
  EXPECT_GE(engine.bytes_per_subproblem(), engine.bounds_program().plan().batch_bytes + 2 * kWidth * 32);
}

TEST(QueryEngine, CountsProductsUnderATrace) {
  QueryEngine engine(wide_network(), make_native_executor(), {});
  const auto of_values = std::make_shared<Trace>(0);
  engine.trace(of_values);
  std::vector<double> outputs(3 * kWidth);
  engine.evaluate(std::vector<double>(3 * 5, 0.5), 3, outputs);
  const Trace::Total values = of_values->total_of(SpanKind::Product);
  EXPECT_EQ(values.useful, 3.0 * (5 * kWidth + 2 * kWidth * kWidth));
  EXPECT_GE(values.executed, values.useful);
  EXPECT_LE(values.executed, 1.1 * values.useful);  // 60 columns take at most 64 lanes

  const auto of_bounds = std::make_shared<Trace>(0);
  engine.trace(of_bounds);
  const Query query(6);
  engine.bound(query.query, Deadline());
  const Trace::Total bounds = of_bounds->total_of(SpanKind::Product);
  EXPECT_GT(bounds.useful, 6.0 * kWidth * kWidth * kWidth);  // the rows of the specification through a matrix at least
  EXPECT_GE(bounds.executed, bounds.useful);
  EXPECT_EQ(of_bounds->total_of(SpanKind::RowKernel).useful, 0);
}

// An activation that interval steps allow and rows exclude: nobody but the look at what rows have tightened sees it.
TEST(QueryEngine, TheObserverLooksAtBoundsThatRowsHaveTightened) {
  const std::shared_ptr<const Network> network = wide_network();
  const Query query(1);
  const QueryEngine loose(network, make_native_executor(),
                          {.lowering = {.intermediate = IntermediateBounds::Interval}});
  QueryEngine tight(network, make_native_executor(), {});
  const QueryEngine::ValueBounds steps = loose.intermediate_bounds(query.query).at(1);
  const QueryEngine::ValueBounds rows = tight.intermediate_bounds(query.query).at(1);
  ASSERT_EQ(steps.value, rows.value);
  ObservedPoint point{std::vector<double>(5, 0.25), {}};
  for (const Tensor& value : evaluate_network(*network, Tensor({1, 5}, std::vector<float>(5, 0.25F)))) {
    const std::vector<double> x = value.size() > 0 ? value.to_doubles() : std::vector<double>();
    point.activations.push_back({x, x, x});
  }
  tight.observe(std::make_shared<const Observer>(network, point));
  EXPECT_NO_THROW(tight.bound(query.query, Deadline()));
  std::size_t widest = 0;
  for (std::size_t i = 0; i < rows.lower.size(); ++i) {
    if (rows.lower[i] - steps.lower[i] > rows.lower[widest] - steps.lower[widest]) widest = i;
  }
  const double excluded = 0.5 * rows.lower[widest] + 0.5 * steps.lower[widest];
  ASSERT_LT(excluded, rows.lower[widest]);
  ObservedPoint::Activation& activation = point.activations.at(static_cast<std::size_t>(rows.value));
  activation.lower[widest] = activation.upper[widest] = activation.executed[widest] = excluded;
  tight.observe(std::make_shared<const Observer>(network, point));
  EXPECT_THROW(tight.bound(query.query, Deadline()), InternalError);
}

TEST(QueryEngine, ADeadlineThatHasPassedStopsEverything) {
  const std::shared_ptr<const Network> network = wide_network();
  const Deadline passed(0);
  EXPECT_THROW(QueryEngine(network, make_native_executor(), {}, passed), StoppedError);
  const QueryEngine engine(network, make_native_executor(), {});
  EXPECT_FALSE(engine.bound(Query(2).query, passed).complete);
}

// Counts the ops that run, and raises the interrupt at one of them.
class InterruptingProgram final : public CompiledProgram {
 public:
  InterruptingProgram(const PlannedProgram& planned, std::shared_ptr<const CompiledProgram> program,
                      std::atomic<std::int64_t>& ops, std::int64_t at, std::atomic<bool>& interrupt)
      : CompiledProgram(planned.program, planned.plan),
        wrapped_(std::move(program)),
        ops_(ops),
        at_(at),
        interrupt_(interrupt) {}
  void run(const TaskOp& op, const BatchFrame& frame) const override { count(), wrapped_->run(op, frame); }
  void run(const TaskOp& op, const RowFrame& frame) const override { count(), wrapped_->run(op, frame); }

 private:
  void count() const {
    if (++ops_ == at_) interrupt_ = true;
  }
  std::shared_ptr<const CompiledProgram> wrapped_;
  std::atomic<std::int64_t>& ops_;
  std::int64_t at_;
  std::atomic<bool>& interrupt_;
};

class InterruptingExecutor final : public Executor {
 public:
  std::string_view name() const override { return "interrupting"; }
  std::int64_t element_bytes() const override { return native_->element_bytes(); }
  std::vector<std::shared_ptr<const CompiledProgram>> compile(std::span<const PlannedProgram> programs,
                                                              const Deadline& deadline) const override {
    auto compiled = native_->compile(programs, deadline);
    for (std::size_t i = 0; i < compiled.size(); ++i) {
      compiled[i] =
          std::make_shared<const InterruptingProgram>(programs[i], std::move(compiled[i]), ops, at, interrupt);
    }
    return compiled;
  }
  mutable std::atomic<std::int64_t> ops{0};
  std::int64_t at = 0;
  mutable std::atomic<bool> interrupt{false};

 private:
  std::shared_ptr<const Executor> native_ = make_native_executor();
};

// The op under way is finished on each thread, and no other begins: not in this block, nor in those that wait.
TEST(QueryEngine, AnInterruptStopsAfterTheOpUnderWay) {
  const std::shared_ptr<const Network> network = wide_network();
  const Query query(40);
  std::int64_t all = 0;
  {
    auto counting = std::make_shared<InterruptingExecutor>();
    const QueryEngine engine(network, counting, {});
    EXPECT_TRUE(engine.bound(query.query, Deadline()).complete);
    all = counting->ops;
  }
  ASSERT_GT(all, 50);
  for (std::int64_t at = 1; at < all; at += 1 + all / 40) {
    auto interrupting = std::make_shared<InterruptingExecutor>();
    interrupting->at = at;
    const QueryEngine engine(network, interrupting, {});
    const Deadline deadline(60, Clock::now(), &interrupting->interrupt);
    EXPECT_FALSE(engine.bound(query.query, deadline).complete) << at;
    EXPECT_LE(interrupting->ops, at + tbb::this_task_arena::max_concurrency());
  }
}

TEST(QueryEngine, AnInterruptStopsAGradient) {
  const QueryEngine engine(wide_network(), make_native_executor(), {});
  const std::vector<double> points(5 * 10, 0.25);
  std::vector<double> outputs(kWidth * 10);
  std::vector<double> gradients(5 * 10);
  std::atomic<bool> interrupt{false};
  const Deadline deadline(60, Clock::now(), &interrupt);
  const auto gradient = [&](bool raise) {
    return engine.gradient(
        points, 10,
        [&](std::int64_t, std::span<const double>, std::span<double> cotangents) {
          std::fill(cotangents.begin(), cotangents.end(), 1.0);
          interrupt = raise;
        },
        outputs, gradients, deadline);
  };
  EXPECT_TRUE(gradient(false));
  EXPECT_FALSE(gradient(true));
}

}  // namespace
}  // namespace boundflow
