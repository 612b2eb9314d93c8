// Balls as input sets: bounds hold in the interior, on the sphere and where the rows' linear forms are least; they are
// no looser than those of the box around the ball, and exact where the network is one linear map.
#include <gtest/gtest.h>

#include "support/random_image_network.hpp"
#include "support/random_network.hpp"
#include "support/soundness_trial.hpp"

namespace boundflow {
namespace {

InputBall random_ball(Random& random, std::int64_t inputs) {
  InputBall ball;
  for (std::int64_t i = 0; i < inputs; ++i) {
    double c = random.uniform(-1, 1);
    if (random.integer(0, 7) == 0) c += random.coin() ? 20 : -20;
    // Mostly float32, as images are.
    ball.center.push_back(random.integer(0, 3) == 0 ? c : static_cast<double>(static_cast<float>(c)));
  }
  const std::vector<double> scales{0, 1e-6, 0.1, 1, 10};
  ball.radius = scales[static_cast<std::size_t>(random.integer(0, 4))] * random.uniform(0.5, 1.5);
  return ball;
}

InputBox box_around(const InputBall& ball) {
  InputBox box;
  for (const double c : ball.center) {
    box.lower.push_back(sub_down(c, ball.radius));
    box.upper.push_back(add_up(c, ball.radius));
  }
  return box;
}

// True if it is certain that the point is in the ball.
bool inside(const InputBall& ball, InputNorm norm, const std::vector<double>& point) {
  double sum = 0;
  for (std::size_t i = 0; i < point.size(); ++i) {
    const double distance = std::max(sub_up(point[i], ball.center[i]), sub_up(ball.center[i], point[i]));
    sum = add_up(sum, norm == InputNorm::L2 ? mul_up(distance, distance) : distance);
  }
  return sum <= (norm == InputNorm::L2 ? mul_down(ball.radius, ball.radius) : ball.radius);
}

double norm_of(const std::vector<double>& v, InputNorm norm) {
  double sum = 0;
  for (const double x : v) sum += norm == InputNorm::L2 ? x * x : std::fabs(x);
  return norm == InputNorm::L2 ? std::sqrt(sum) : sum;
}

// The point at this share of the radius from the center in a direction; just inside the ball.
std::vector<double> point_towards(const InputBall& ball, InputNorm norm, const std::vector<double>& direction,
                                  double share, bool float32) {
  const double length = norm_of(direction, norm);
  for (double scale = length > 0 ? share * ball.radius / length : 0;; scale *= 1 - 1e-15) {
    std::vector<double> point;
    for (std::size_t i = 0; i < direction.size(); ++i) {
      const double c = ball.center[i];
      double x = c + scale * direction[i];
      if (float32) {
        // The float32 on the center's side, so that the ball keeps it; where there is none the center itself.
        auto rounded = static_cast<float>(x);
        if (std::fabs(static_cast<double>(rounded) - c) > std::fabs(x - c)) {
          rounded = std::nextafter(rounded, static_cast<float>(c));
        }
        x = std::fabs(static_cast<double>(rounded) - c) <= std::fabs(x - c) ? static_cast<double>(rounded) : c;
      }
      point.push_back(x);
    }
    if (inside(ball, norm, point)) return point;
    if (!(std::fabs(scale) > 0)) return ball.center;
    if (scale < share * ball.radius / length * 0.999) scale = 0;
  }
}

std::vector<std::vector<double>> points_of(Random& random, const InputBall& ball, InputNorm norm) {
  const std::size_t n = ball.center.size();
  std::vector<std::vector<double>> points{ball.center};
  for (int p = 0; p < 8; ++p) {
    std::vector<double> direction(n, 0.0);
    if (p % 2 == 0) {
      for (double& d : direction) d = p < 4 ? random.uniform(-1, 1) : random.coin() ? 1 : -1;
    } else {
      direction[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(n) - 1))] = random.coin() ? 1 : -1;
    }
    points.push_back(point_towards(ball, norm, direction, p == 0 ? random.uniform() : 1, p % 3 != 0));
  }
  return points;
}

// The direction in which form . x falls fastest over a ball of this norm.
std::vector<double> steepest(const double* form, std::size_t n, InputNorm norm) {
  std::vector<double> direction(n);
  for (std::size_t i = 0; i < n; ++i) direction[i] = -form[i];
  if (norm == InputNorm::L2) return direction;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (std::fabs(form[i]) > std::fabs(form[largest])) largest = i;
  }
  std::vector<double> single(n, 0.0);
  single[largest] = direction[largest];
  return single;
}

// `inner` behind nodes that move, negate and shift the input, behind which a ball is still a ball; and now and then one
// that gives a coordinate twice, behind which it is not.
Network moved(Random& random, const Network& inner) {
  Network network;
  int names = 0;
  const std::int64_t n = inner.size_of(inner.input());
  const auto name = [&] { return "moved_" + std::to_string(names++); };
  ValueId value = network.add_input(name(), {DType::Float32, {1, n}});
  const auto apply = [&](const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const std::string node = name();
    const NodeId id =
        append_node(network, operator_table(), op, node, std::move(inputs), {node + ".out"}, std::move(attributes));
    value = network.node(id).outputs.front();
  };
  const auto indices = [&](const std::vector<std::int64_t>& values) {
    return network.add_constant(name(), Tensor({static_cast<std::int64_t>(values.size())}, values));
  };
  for (std::int64_t i = random.integer(0, 3); i > 0; --i) {
    switch (random.integer(0, 5)) {
      case 0:
        apply("Neg", {value});
        break;
      case 1: {
        std::vector<float> shift;
        for (std::int64_t j = 0; j < n; ++j) shift.push_back(static_cast<float>(random.uniform(-2, 2)));
        apply(random.coin() ? "Add" : "Sub", {value, network.add_constant(name(), Tensor({1, n}, shift))});
        break;
      }
      case 2:
        apply("Slice", {value, indices({-1}), indices({-n - 1}), indices({1}), indices({-1})});
        break;
      case 3: {
        std::vector<std::int64_t> from;
        for (std::int64_t j = 0; j < n; ++j) from.push_back(random.coin() ? j : random.integer(0, n - 1));
        apply("Gather", {value, indices(from)}, {{"axis", std::int64_t{1}}});
        break;
      }
      case 4: {  // constants beside the ball, in the place of coordinates that go
        const std::int64_t gone = random.integer(0, n);
        apply("Pad", {value, indices({0, gone, 0, -gone}),
                      network.add_constant(name(), Tensor({}, std::vector<float>{0.3F}))});
        break;
      }
      default:
        apply("Reshape", {value, indices({n, 1})});
        apply("Transpose", {value});
    }
  }
  apply("Reshape", {value, indices(inner.value(inner.input()).type.shape)});
  network.set_outputs({append_network(network, inner, value)});
  verify_network(network);
  return network;
}

Network random_moved_network(Random& random) {
  const Network inner = random.integer(0, 2) == 0 ? random_image_network(random, {.max_extent = 4, .max_elements = 40})
                                                  : random_network(random);
  return moved(random, inner);
}

// Without points.
Trial make_ball_trial(Network network, Random& random) {
  Trial trial;
  trial.network = std::make_shared<const Network>(std::move(network));
  trial.norm = random.coin() ? InputNorm::L2 : InputNorm::L1;
  const Network& net = *trial.network;
  const std::int64_t inputs = net.size_of(net.input());
  trial.spec = random_spec(random, random.integer(1, 3), inputs, net.size_of(net.output()), random.coin());
  for (std::int64_t b = random.integer(1, 2); b > 0; --b) trial.balls.push_back(random_ball(random, inputs));
  return trial;
}

// Points of each ball, and where the linear form of each row is least.
void see_points(Trial& trial, Random& random) {
  const BoundLowering lowering{.input_terms = !trial.spec.input_coefficients.empty(), .balls = true};
  const QueryEngine guide(trial.network, make_native_executor(Precision::Float64), {.lowering = lowering});
  const FlatQuery flat = trial.query(Semantics::Real);
  const BoundAnswer answer = guide.bound(flat.query, Deadline());
  for (std::size_t b = 0; b < trial.balls.size(); ++b) {
    std::vector<std::vector<double>> points = points_of(random, trial.balls[b], trial.norm);
    for (std::size_t n = 0; n < flat.rows.size(); ++n) {
      if (static_cast<std::size_t>(flat.owners[n]) != b) continue;
      const auto size = static_cast<std::size_t>(trial.spec.inputs);
      const std::vector<double> direction = steepest(answer.form.data() + n * size, size, trial.norm);
      if (!std::isfinite(norm_of(direction, trial.norm))) continue;
      for (const bool float32 : {false, true}) {
        points.push_back(point_towards(trial.balls[b], trial.norm, direction, 1, float32));
      }
    }
    std::vector<Trial::Seen>& seen = trial.seen.emplace_back();
    for (const auto& point : points) seen.push_back(see(*trial.network, point, random));
  }
}

TEST(Ball, BoundsHoldAtItsPointsAndExecutions) {
  Tally tally;
  for (int seed = 0; seed < 100 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(static_cast<std::uint64_t>(seed));
    Trial trial = make_ball_trial(random_moved_network(random), random);
    see_points(trial, random);
    check_everything(trial, random, tally);
  }
  EXPECT_GE(static_cast<double>(tally.finite), 0.97 * static_cast<double>(tally.rows));
}

// Interval bounds are monotone in the input set. (Rows are not: which lower line of a ReLU is taken depends on its
// bounds.)
TEST(Ball, IntervalBoundsAreNoLooserThanThoseOfTheBoxAround) {
  std::int64_t tighter = 0;
  for (int seed = 0; seed < 600 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(static_cast<std::uint64_t>(seed));
    const Trial trial = make_ball_trial(random_moved_network(random), random);
    std::vector<InputBox> boxes;
    for (const InputBall& ball : trial.balls) boxes.push_back(box_around(ball));
    BoundLowering lowering = all_lowerings(!trial.spec.input_coefficients.empty())[0].lowering;
    lowering.balls = true;
    const QueryEngine engine(trial.network, make_native_executor(Precision::Float64), {.lowering = lowering});
    const FlatQuery boxed(trial.spec, boxes, Semantics::Nominal), balled = trial.query(Semantics::Nominal);
    const BoundAnswer of_box = engine.bound(boxed.query, Deadline()), of_ball = engine.bound(balled.query, Deadline());
    for (std::size_t n = 0; n < of_box.nominal.size(); ++n) {
      if (!std::isfinite(of_box.nominal[n])) continue;
      const double slack = 1e-9 * (1 + std::fabs(of_box.nominal[n]));
      EXPECT_GE(of_ball.nominal[n], of_box.nominal[n] - slack) << "row " << n;
      if (of_ball.nominal[n] > of_box.nominal[n] + slack) ++tighter;
    }
  }
  EXPECT_GT(tighter, 300 / kSanitizerShare);
}

// y = W x + b: each row is exactly its value at the center minus radius times the dual norm of its coefficients.
TEST(Ball, RowsOfALinearNetworkAreExact) {
  for (int seed = 0; seed < 100 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(static_cast<std::uint64_t>(seed));
    const std::int64_t inputs = random.integer(1, 6), outputs = random.integer(1, 4);
    std::vector<float> w, bias;
    for (std::int64_t i = 0; i < inputs * outputs; ++i) w.push_back(static_cast<float>(random.uniform(-2, 2)));
    for (std::int64_t i = 0; i < outputs; ++i) bias.push_back(static_cast<float>(random.uniform(-2, 2)));
    auto network = std::make_shared<Network>();
    const ValueId x = network->add_input("x", {DType::Float32, {1, inputs}});
    const ValueId matrix = network->add_constant("w", Tensor({inputs, outputs}, w));
    const ValueId shift = network->add_constant("b", Tensor({outputs}, bias));
    const NodeId gemm = append_node(*network, operator_table(), "Gemm", "gemm", {x, matrix, shift}, {"y"});
    network->set_outputs(network->node(gemm).outputs);
    LinearSpec spec = random_spec(random, 2, inputs, outputs, false);
    spec.output_coefficient_errors.assign(spec.output_coefficient_errors.size(), 0.0);
    spec.constant_errors.assign(spec.constant_errors.size(), 0.0);
    const InputBall ball = random_ball(random, inputs);
    for (const InputNorm norm : {InputNorm::L2, InputNorm::L1}) {
      const FlatQuery flat(spec, norm, {ball}, Semantics::Real);
      for (const auto method : {SpecificationBounds::Crown, SpecificationBounds::Interval}) {
        const QueryEngine engine(network, make_reference_executor(),
                                 {.lowering = {.specification = method, .balls = true}});
        const BoundAnswer answer = engine.bound(flat.query, Deadline());
        for (std::size_t row = 0; row < 2; ++row) {
          double value = spec.constants[row], squares = 0, largest = 0;
          std::vector<double> form(static_cast<std::size_t>(inputs), 0.0);
          for (std::size_t j = 0; j < bias.size(); ++j) {
            const double c = spec.output_coefficients[row * bias.size() + j];
            value += c * static_cast<double>(bias[j]);
            for (std::size_t i = 0; i < form.size(); ++i) form[i] += c * static_cast<double>(w[i * bias.size() + j]);
          }
          for (std::size_t i = 0; i < form.size(); ++i) {
            value += form[i] * ball.center[i];
            squares += form[i] * form[i];
            largest = std::max(largest, std::fabs(form[i]));
          }
          const double expected = value - ball.radius * (norm == InputNorm::L2 ? std::sqrt(squares) : largest);
          EXPECT_NEAR(answer.nominal[row], expected, 1e-11 * (1 + 20 * std::fabs(expected)));
          EXPECT_LE(answer.error[row], 1e-10);
        }
      }
    }
  }
}

// relu(2 (x + 1000)) at a ball of radius zero: an execution rounds the sum, which the exact product that applies the
// dual norm must not forget.
TEST(Ball, RoundingBeforeTheDualNormCounts) {
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {1, 1}});
  const ValueId shift = network.add_constant("shift", Tensor({1}, std::vector<float>{1000}));
  const ValueId factor = network.add_constant("factor", Tensor({1}, std::vector<float>{2}));
  const auto append = [&](const char* op, std::vector<ValueId> inputs, const std::string& name) {
    return network.node(append_node(network, operator_table(), op, name, std::move(inputs), {name + ".out"}))
        .outputs[0];
  };
  network.set_outputs({append("Relu", {append("Mul", {append("Add", {x, shift}, "add"), factor}, "mul")}, "relu")});
  Random random(1);
  Trial trial;
  trial.network = std::make_shared<const Network>(std::move(network));
  trial.spec = {.rows = 2,
                .inputs = 1,
                .outputs = 1,
                .output_coefficients = {1, -1},
                .output_coefficient_errors = {0, 0},
                .constants = {0, 0},
                .constant_errors = {0, 0}};
  const std::vector<double> point{0.1F};
  trial.norm = InputNorm::L2;
  trial.balls = {{point, 0}};
  trial.seen = {{see(*trial.network, point, random)}};
  Tally tally;
  check_everything(trial, random, tally);
  EXPECT_EQ(tally.finite, tally.rows);
}

}  // namespace
}  // namespace boundflow
