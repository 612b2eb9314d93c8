// The stated errors under adversarial numbers, judged by exact rational arithmetic: the minimum of a linear network's
// row lies within error of its nominal bound, and what overflows proves nothing.
#include <gtest/gtest.h>

#include <limits>

#include "support/bound_checks.hpp"
#include "support/exact_linear.hpp"
#include "support/float32_execution.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

// Where the numbers of a layer come from.
enum class Numbers {
  Ordinary,
  Cancelling,  // huge weights in pairs of opposite sign that differ by little
  WideRange,   // 10^-12 to 10^12
  Denormal,    // weights and inputs whose products leave the normal numbers of float32
  Subnormal,   // float64 weights that are subnormal, or nothing, as float32
  Absorbing,   // biases like 12582912 that are added and taken away
};

class LinearNetwork {
 public:
  LinearNetwork(Random& random, DType dtype, Numbers numbers) : random_(random), dtype_(dtype), numbers_(numbers) {}

  // `relu`: the output goes through a Relu, so that the bounds of what it reads can be asked for.
  Network build(std::int64_t inputs, bool relu) {
    current_ = network_.add_input("x", {dtype_, {1, inputs}});
    for (int layer = 0; layer < 4; ++layer) {
      const ValueId before = current_;
      const std::int64_t columns = network_.size_of(before);
      if (random_.integer(0, 3) != 0) gemm(layer, random_.integer(1, 6));
      if (random_.integer(0, 2) == 0) {
        current_ = before;
        gemm(layer, columns);
        append(random_.coin() ? "Add" : "Sub", {current_, before});
      }
      if (random_.integer(0, 3) == 0) append("Concat", {current_, before, current_}, {{"axis", std::int64_t{1}}});
      if (random_.integer(0, 3) == 0) append("Transpose", {current_}, {{"perm", std::vector<std::int64_t>{0, 1}}});
    }
    linear_ = current_;
    if (relu) append("Relu", {current_});
    network_.set_outputs({current_});
    verify_network(network_);
    return std::move(network_);
  }
  ValueId linear() const { return linear_; }

 private:
  double weight(int layer) {
    const double w = random_.uniform(-2, 2);
    switch (numbers_) {
      case Numbers::WideRange:
        return w * std::pow(10.0, random_.uniform(-12, 12) / (layer + 1));
      case Numbers::Denormal:
        return std::ldexp(w, layer % 2 == 0 ? -70 : 65);
      case Numbers::Subnormal:
        return std::ldexp(w, layer == 0 ? static_cast<int>(random_.integer(-160, -140)) : layer == 1 ? 75 : 0);
      default:
        return w;
    }
  }

  void gemm(int layer, std::int64_t columns) {
    const std::int64_t rows = network_.size_of(current_);
    std::vector<double> w;
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      const bool pair = numbers_ == Numbers::Cancelling && i >= columns && random_.coin();
      if (pair) {  // nearly the negative of the weight above
        w.push_back(-w[static_cast<std::size_t>(i - columns)] * (1 + std::ldexp(random_.uniform(-1, 1), -22)));
      } else {
        w.push_back(numbers_ == Numbers::Cancelling ? 1e6 * weight(layer) : weight(layer));
      }
    }
    std::vector<double> bias;
    for (std::int64_t j = 0; j < columns; ++j) {
      const double huge = random_.coin() ? 12582912.0 : -12582912.0;
      bias.push_back(numbers_ == Numbers::Absorbing ? huge : random_.uniform(-1, 1));
    }
    const ValueId matrix = constant({rows, columns}, w);
    append("Gemm", {current_, matrix, constant({columns}, bias)});
    if (numbers_ == Numbers::Absorbing) {
      for (double& b : bias) b = -b;
      append("Add", {current_, constant({columns}, bias)});
    }
  }

  ValueId constant(Shape shape, const std::vector<double>& values) {
    const std::string name = "c" + std::to_string(names_++);
    if (dtype_ == DType::Float64) return network_.add_constant(name, Tensor(std::move(shape), values));
    return network_.add_constant(name, Tensor(std::move(shape), std::vector<float>(values.begin(), values.end())));
  }
  void append(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const std::string name = "node" + std::to_string(names_++);
    const NodeId id =
        append_node(network_, operator_table(), op, name, std::move(inputs), {name + ".out"}, std::move(attributes));
    current_ = network_.node(id).outputs.front();
  }

  Random& random_;
  DType dtype_;
  Numbers numbers_;
  Network network_;
  ValueId current_ = kNoValue;
  ValueId linear_ = kNoValue;
  int names_ = 0;
};

InputBox scaled_box(Random& random, std::int64_t inputs, Numbers numbers) {
  InputBox box = random_box(random, inputs);
  const int exponent = numbers == Numbers::Denormal ? -60 : numbers == Numbers::Subnormal ? 60 : 0;
  for (double& l : box.lower) l = std::ldexp(l, exponent);
  for (double& u : box.upper) u = std::ldexp(u, exponent);
  return box;
}

LinearSpec exact_spec(Random& random, std::int64_t rows, std::int64_t inputs, std::int64_t outputs) {
  LinearSpec spec = random_spec(random, rows, inputs, outputs, false);
  std::fill(spec.output_coefficient_errors.begin(), spec.output_coefficient_errors.end(), 0.0);
  std::fill(spec.constant_errors.begin(), spec.constant_errors.end(), 0.0);
  return spec;
}

std::vector<double> coefficients_of(const LinearSpec& spec, std::int64_t row) {
  const auto first = spec.output_coefficients.begin() + row * spec.outputs;
  return {first, first + spec.outputs};
}

class RoundingError : public testing::TestWithParam<std::tuple<Numbers, DType>> {};

std::string name_of(const testing::TestParamInfo<std::tuple<Numbers, DType>>& info) {
  static const char* const names[] = {"Ordinary", "Cancelling", "WideRange", "Denormal", "Subnormal", "Absorbing"};
  return std::string(names[static_cast<int>(std::get<0>(info.param))]) +
         (std::get<1>(info.param) == DType::Float32 ? "Float32" : "Float64");
}

INSTANTIATE_TEST_SUITE_P(, RoundingError,
                         testing::Combine(testing::Values(Numbers::Ordinary, Numbers::Cancelling, Numbers::WideRange,
                                                          Numbers::Denormal, Numbers::Subnormal, Numbers::Absorbing),
                                          testing::Values(DType::Float32, DType::Float64)),
                         name_of);

TEST_P(RoundingError, CoversTheExactMinimumOfALinearRow) {
  const auto [numbers, dtype] = GetParam();
  std::int64_t finite = 0, checked = 0;
  for (std::uint64_t seed = 0; seed < 120 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const std::int64_t inputs = random.integer(1, 5);
    const auto network = std::make_shared<const Network>(LinearNetwork(random, dtype, numbers).build(inputs, false));
    const LinearSpec spec = exact_spec(random, 3, inputs, network->size_of(network->output()));
    const InputBox box = scaled_box(random, inputs, numbers);
    const FlatQuery flat(spec, {box}, Semantics::Real);
    for (const NamedExecutor& executor : all_executors()) {
      const QueryEngine engine(network, executor.executor, {});
      const BoundAnswer answer = engine.bound(flat.query, Deadline());
      for (std::size_t n = 0; n < flat.rows.size(); ++n) {
        ++checked;
        if (!std::isfinite(answer.nominal[n]) || !std::isfinite(answer.error[n])) continue;
        ++finite;
        const std::int64_t row = flat.rows[n];
        const ExactRow exact = exact_row(*network, network->output(), coefficients_of(spec, row),
                                         spec.constants[static_cast<std::size_t>(row)]);
        const Rational off = exact.minimum(box) - Rational(answer.nominal[n]);
        EXPECT_LE(abs(off), Rational(answer.error[n]))
            << executor.name << " row " << row << ": nominal " << answer.nominal[n] << " is off by " << off.get_d()
            << ", error " << answer.error[n];
        for (const std::vector<double>& x : {box.lower, box.upper}) {
          ExactRow form;
          form.constant = Rational(answer.form_constant[n]);
          for (std::int64_t i = 0; i < inputs; ++i) {
            form.coefficients.emplace_back(
                answer.form[n * static_cast<std::size_t>(inputs) + static_cast<std::size_t>(i)]);
          }
          EXPECT_LE(form.at(x), exact.at(x)) << executor.name << " row " << row << ": the form is above the row";
        }
      }
    }
  }
  EXPECT_GE(static_cast<double>(finite), 0.6 * static_cast<double>(checked));
}

TEST_P(RoundingError, IsCoveredByIntermediateBounds) {
  const auto [numbers, dtype] = GetParam();
  for (std::uint64_t seed = 0; seed < 60 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(1000 + seed);
    const std::int64_t inputs = random.integer(1, 5);
    LinearNetwork builder(random, dtype, numbers);
    const auto network = std::make_shared<const Network>(builder.build(inputs, true));
    const InputBox box = scaled_box(random, inputs, numbers);
    const LinearSpec spec = exact_spec(random, 1, inputs, network->size_of(network->output()));
    const FlatQuery flat(spec, {box}, Semantics::Real);
    const auto width = static_cast<std::size_t>(network->size_of(builder.linear()));
    std::vector<Rational> least, most;
    for (std::size_t i = 0; i < width; ++i) {
      std::vector<double> unit(width, 0.0);
      unit[i] = 1;
      least.push_back(exact_row(*network, builder.linear(), unit, 0).minimum(box));
      unit[i] = -1;
      most.emplace_back(-exact_row(*network, builder.linear(), unit, 0).minimum(box));
    }
    for (const NamedExecutor& executor : all_executors()) {
      for (const auto method : {IntermediateBounds::Interval, IntermediateBounds::Crown}) {
        const QueryEngine engine(network, executor.executor, {.lowering = {.intermediate = method}});
        const auto bounds = engine.intermediate_bounds(flat.query);
        ASSERT_EQ(bounds.size(), 1U);
        for (std::size_t i = 0; i < width; ++i) {
          const double l = bounds[0].lower[i], u = bounds[0].upper[i];
          EXPECT_TRUE(!std::isfinite(l) || Rational(l) <= least[i]) << executor.name << " neuron " << i << ": " << l;
          EXPECT_TRUE(!std::isfinite(u) || Rational(u) >= most[i]) << executor.name << " neuron " << i << ": " << u;
        }
      }
    }
  }
}

// One row over one box, with both engines' defaults.
struct OneRow {
  OneRow(Network network, std::vector<double> c, InputBox over)
      : net(std::make_shared<const Network>(std::move(network))), box(std::move(over)) {
    spec = {.rows = 1,
            .inputs = net->size_of(net->input()),
            .outputs = net->size_of(net->output()),
            .output_coefficients = c,
            .output_coefficient_errors = std::vector<double>(c.size(), 0.0),
            .constants = {0},
            .constant_errors = {0}};
  }
  double bound(const NamedExecutor& executor, Semantics semantics) const {
    const FlatQuery flat(spec, {box}, semantics);
    const BoundAnswer answer = QueryEngine(net, executor.executor, {}).bound(flat.query, Deadline());
    return sub_down(answer.nominal[0], answer.error[0]);
  }
  std::shared_ptr<const Network> net;
  InputBox box;
  LinearSpec spec;
};

// x -> op(x, constants...) -> ...
struct Step {
  std::string op;
  std::vector<Tensor> constants;
  Attributes attributes = {};
};
Network chain(DType dtype, std::int64_t inputs, const std::vector<Step>& steps) {
  Network network;
  ValueId current = network.add_input("x", {dtype, {1, inputs}});
  int names = 0;
  for (const Step& step : steps) {
    std::vector<ValueId> operands{current};
    for (const Tensor& tensor : step.constants) {
      operands.push_back(network.add_constant("c" + std::to_string(names++), tensor));
    }
    const std::string name = "node" + std::to_string(names++);
    const NodeId id = append_node(network, operator_table(), step.op, name, operands, {name + ".out"}, step.attributes);
    current = network.node(id).outputs.front();
  }
  network.set_outputs({current});
  return network;
}
Tensor matrix(std::int64_t rows, std::vector<float> values) {
  const auto columns = static_cast<std::int64_t>(values.size()) / rows;
  return Tensor({rows, columns}, std::move(values));
}

// Over the reals y = x1 - x2 or so; in float32 the products overflow, and no finite bound may come of them there.
TEST(Overflow, OfKernelsProvesNothing) {
  const Network network =
      chain(DType::Float32, 1, {{"Gemm", {matrix(1, {1e30F, 1e30F})}}, {"Gemm", {matrix(2, {1e30F, -1e30F})}}});
  for (const NamedExecutor& executor : all_executors()) {
    for (const double sign : {1.0, -1.0}) {
      const OneRow row(network, {sign}, {{1}, {2}});
      EXPECT_FALSE(std::isfinite(row.bound(executor, Semantics::Float32))) << executor.name;
      const double real = row.bound(executor, Semantics::Real);
      if (std::isfinite(real)) {
        EXPECT_LE(real, 0) << executor.name;
      }
    }
  }
}

// Every number of the exact walk is finite, but an execution meets infinity on its way.
TEST(Overflow, OfExecutionsProvesNothing) {
  const std::vector<std::vector<Step>> networks = {
      {{"Add", {matrix(1, {3e38F})}}, {"Sub", {matrix(1, {3e38F})}}},
      {{"Gemm", {matrix(1, {3e38F, 3e38F, -3e38F})}}, {"Gemm", {matrix(3, {1, 1, 1})}}},
      {{"Gemm", {matrix(1, {3e38F}), matrix(1, {3e38F})}},
       {"Sub", {matrix(1, {3e38F})}},
       {"Sub", {matrix(1, {3e38F})}}},
      // alpha scales what has overflowed already.
      {{"Gemm", {matrix(1, {1e38F})}, {{"alpha", 0x1p-100}}}}};
  for (std::size_t k = 0; k < networks.size(); ++k) {
    for (const NamedExecutor& executor : all_executors()) {
      for (const double sign : {1.0, -1.0}) {
        const OneRow row(chain(DType::Float32, 1, networks[k]), {sign}, {{1}, {10}});
        EXPECT_FALSE(std::isfinite(row.bound(executor, Semantics::Float32))) << executor.name << " network " << k;
      }
    }
  }
}

// alpha enlarges what has underflowed already: an execution returns 0 where the exact value is x.
TEST(Underflow, BeforeALargeAlphaIsCovered) {
  const Network network = chain(DType::Float32, 1, {{"Gemm", {matrix(1, {0x1p-100F})}, {{"alpha", 0x1p100}}}});
  for (const NamedExecutor& executor : all_executors()) {
    const OneRow row(network, {1}, {{0x1p-60}, {0x1p-59}});
    EXPECT_LE(row.bound(executor, Semantics::Float32), 0) << executor.name;
    const double real = row.bound(executor, Semantics::Real);
    EXPECT_LE(real, 0x1p-60) << executor.name;
    EXPECT_GE(real, 0x1p-61) << executor.name;
  }
}

// A float64 weight below the float32 numbers still counts once it is enlarged.
TEST(Underflow, OfWeightsInFloat32KernelsIsCovered) {
  const Network network = chain(DType::Float64, 1,
                                {{"Gemm", {Tensor({1, 1}, std::vector<double>{-0x1p-160})}},
                                 {"Gemm", {Tensor({1, 1}, std::vector<double>{0x1p100})}}});
  for (const NamedExecutor& executor : all_executors()) {
    const OneRow row(network, {1}, {{0}, {0x1p100}});
    const double bound = row.bound(executor, Semantics::Real);
    EXPECT_FALSE(std::isfinite(bound) && bound > -0x1p40) << executor.name;
    EXPECT_TRUE(std::isfinite(bound) || executor.name == "float32") << executor.name;
  }
}

TEST(Overflow, OfWeightsBeyondFloat32ProvesNothing) {
  const Network network = chain(DType::Float64, 1,
                                {{"Gemm", {Tensor({1, 1}, std::vector<double>{1e300})}},
                                 {"Gemm", {Tensor({1, 1}, std::vector<double>{1e-300})}}});
  for (const NamedExecutor& executor : all_executors()) {
    const double bound = OneRow(network, {1}, {{1}, {2}}).bound(executor, Semantics::Real);
    EXPECT_FALSE(std::isfinite(bound) && bound > 1) << executor.name;
    EXPECT_FALSE(std::isfinite(bound) && executor.name == "float32");
  }
}

TEST(Overflow, OfCoefficientsAndBoxesProvesNothing) {
  constexpr double inf = kInfinity;
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const Network network = chain(DType::Float32, 2, {{"Gemm", {matrix(2, {1, -1, 2, 0})}}, {"Relu", {}}});
  for (const NamedExecutor& executor : all_executors()) {
    for (const auto semantics : {Semantics::Float32, Semantics::Real}) {
      for (const double bad : {inf, -inf, nan}) {
        for (const auto& [l, u] : {std::pair{bad, 1.0}, std::pair{-1.0, bad}, std::pair{bad, bad}}) {
          const OneRow row(network, {1, 1}, {{l, 0}, {u, 1}});
          EXPECT_FALSE(std::isfinite(row.bound(executor, semantics))) << executor.name << " " << l << " " << u;
        }
        const OneRow row(network, {bad, 1}, {{0, 0}, {1, 1}});
        EXPECT_FALSE(std::isfinite(row.bound(executor, semantics))) << executor.name << " " << bad;
      }
      // Beyond float32, not beyond double: y >= 0, so its huge multiple is as well.
      const OneRow row(network, {1e300, 0}, {{-1, -1}, {1, 1}});
      const double bound = row.bound(executor, semantics);
      if (std::isfinite(bound)) {
        EXPECT_LE(bound, 0) << executor.name;
      }
    }
  }
}

// Random networks with scales that leave the range of float32 in the middle: a finite bound is a right one, also for
// executions that end as NaN.
TEST(Overflow, NeverGivesAFiniteWrongBound) {
  std::int64_t finite = 0, infinite = 0;
  for (std::uint64_t seed = 0; seed < 300 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    std::vector<Step> steps;
    std::int64_t columns = 2;
    for (int layer = 0; layer < 4; ++layer) {
      const std::int64_t next = random.integer(1, 4);
      std::vector<float> w;
      for (std::int64_t i = 0; i < columns * next; ++i) {
        w.push_back(static_cast<float>(
            std::ldexp(random.uniform(-1, 1), layer % 2 == 0 ? static_cast<int>(random.integer(40, 127)) : -100)));
      }
      steps.push_back({"Gemm", {matrix(columns, w)}});
      if (random.coin()) steps.push_back({"Relu", {}});
      columns = next;
    }
    const OneRow row(chain(DType::Float32, 2, steps), std::vector<double>(static_cast<std::size_t>(columns), 1.0),
                     random_box(random, 2));
    for (const NamedExecutor& executor : all_executors()) {
      for (const auto semantics : {Semantics::Float32, Semantics::Real}) {
        const double bound = row.bound(executor, semantics);
        ++(std::isfinite(bound) ? finite : infinite);
        if (!std::isfinite(bound)) continue;
        for (const std::vector<double>& x : sample_points(random, row.box, 6)) {
          const auto real = enclose(*row.net, operator_table(), x, x)[static_cast<std::size_t>(row.net->output())];
          EXPECT_FALSE(bound > row_value_up(row.spec, 0, x, real.lower, real.upper)) << executor.name;
          if (semantics == Semantics::Real) continue;
          for (int run = 0; run < 3; ++run) {
            const auto y = Float32Execution(*row.net, random).run(x)[static_cast<std::size_t>(row.net->output())];
            EXPECT_TRUE(bound <= row_value_up(row.spec, 0, x, y, y)) << executor.name;
          }
        }
      }
    }
  }
  EXPECT_GT(finite, 50 / kSanitizerShare);
  EXPECT_GT(infinite, 50 / kSanitizerShare);
}

// c relu(x) over [l, u]: the line through the far end is tight there, so that only its own error covers the rounding of
// c times a slope.
TEST(RoundingErrorOfLines, CoversSlopesTimesCoefficients) {
  for (std::uint64_t seed = 0; seed < 2000 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const double c = static_cast<double>(static_cast<float>(random.uniform(-3, 3)));
    const double l = -std::ldexp(random.uniform(), static_cast<int>(random.integer(-8, 8)));
    const double u = std::ldexp(random.uniform(), static_cast<int>(random.integer(-8, 8)));
    const OneRow row(chain(DType::Float32, 1, {{"Relu", {}}}), {c}, {{l}, {u}});
    for (const NamedExecutor& executor : all_executors()) {
      const double bound = row.bound(executor, Semantics::Real);
      const Rational least = c >= 0 ? Rational(0) : Rational(Rational(c) * Rational(u));
      EXPECT_LE(Rational(bound), least) << executor.name << ": " << c << " relu on [" << l << ", " << u << "]";
    }
  }
}

// x + W x - x and the like: adding up rows at a fan-out rounds, too.
TEST(RoundingErrorOfSums, CoversFanOut) {
  for (std::uint64_t seed = 0; seed < 1000 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Network network;
    const ValueId x = network.add_input("x", {DType::Float32, {1, 1}});
    // Multiplication by a float32 number, exact on the way back from a row of one.
    const auto number = [&] {
      return matrix(1,
                    {static_cast<float>(std::ldexp(random.uniform(-1, 1), static_cast<int>(random.integer(-4, 4))))});
    };
    const ValueId a = network.add_constant("a", number()), b = network.add_constant("b", number());
    const NodeId left = append_node(network, operator_table(), "MatMul", "left", {x, a}, {"ax"});
    const NodeId right = append_node(network, operator_table(), "MatMul", "right", {x, b}, {"bx"});
    const NodeId sum = append_node(network, operator_table(), "Add", "sum",
                                   {network.node(left).outputs[0], network.node(right).outputs[0]}, {"y"});
    network.set_outputs(network.node(sum).outputs);
    const OneRow row(std::move(network), {1}, {{-1}, {2}});
    for (const NamedExecutor& executor : all_executors()) {
      const double bound = row.bound(executor, Semantics::Real);
      EXPECT_LE(Rational(bound), exact_row(*row.net, row.net->output(), {1}, 0).minimum(row.box)) << executor.name;
    }
  }
}

// What onnxruntime shows and other verifiers deny: relu(x + B) - B with B = 12582912 is 1 for x = 0.6 in float32.
TEST(RoundingErrorOfExecutions, AbsorbedSumsAreCovered) {
  const Network network =
      chain(DType::Float32, 1, {{"Add", {matrix(1, {12582912})}}, {"Relu", {}}, {"Sub", {matrix(1, {12582912})}}});
  for (const NamedExecutor& executor : all_executors()) {
    const OneRow row(network, {-1}, {{0}, {static_cast<double>(0.6F)}});
    EXPECT_LE(row.bound(executor, Semantics::Float32), -1) << executor.name;
    const double real = row.bound(executor, Semantics::Real);
    EXPECT_LE(real, -static_cast<double>(0.6F)) << executor.name;
    if (executor.name != "float32") {
      EXPECT_GE(real, -0.61) << executor.name;
    }
  }
}

}  // namespace
}  // namespace boundflow
