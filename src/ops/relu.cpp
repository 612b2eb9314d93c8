// Relu: max(x, 0). The relaxation is the triangle of Ehlers 2017 with the lower line chosen as in CROWN (Zhang et al.
// 2018); alpha-CROWN replaces the lower slope by any alpha in [0, 1].
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/rounding.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

// max(x, 0) that keeps NaN: std::max(x, 0) and fmax would turn it into 0, and a bound of NaN into a proof.
template <class T>
T relu(T x) {
  return x < 0 ? T{0} : x;
}

class ReluFunction final : public ScalarFunction {
 public:
  std::string_view name() const override { return "relu"; }
  double value(double x) const override { return relu(x); }
  double derivative(double x) const override { return std::isnan(x) ? x : (x > 0 ? 1.0 : 0.0); }

  void image(double l, double u, double& image_l, double& image_u) const override {
    image_l = relu(l);
    image_u = relu(u);
    if (std::isnan(l) || std::isnan(u)) image_l = image_u = std::numeric_limits<double>::quiet_NaN();
  }

  void narrow(double image_l, double image_u, double& l, double& u) const override {
    if (image_u < 0) l = std::numeric_limits<double>::infinity();
    if (image_u < u) u = image_u;
    if (image_l > 0 && image_l > l) l = image_l;
  }

  bool is_stable(double l, double u) const override { return l >= 0 || u <= 0; }
  bool can_be_constant() const override { return true; }

  bool can_be_split() const override { return true; }
  bool choices(double l, double u, bool, LineChoices& found) const override {
    double point = 0;
    if (!split_point(l, u, point)) return false;
    found.clear();
    found.below.add({0, 0});
    found.below.add({1, 0});
    found.below.start = u > -l ? 1 : 0;
    return true;
  }
  bool split_point(double l, double u, double& point) const override {
    point = 0;
    return l < 0 && u > 0 && std::isfinite(l) && std::isfinite(u);
  }

  Relaxation relax(double l, double u, bool float32_slopes) const override {
    if (!std::isfinite(l) || !std::isfinite(u)) {
      // No pair of lines is known to hold; NaN reaches the answer and proves nothing there.
      constexpr double nan = std::numeric_limits<double>::quiet_NaN();
      return {nan, nan, nan, nan};
    }
    if (l >= 0) return {1, 0, 1, 0};
    if (u <= 0) return {0, 0, 0, 0};
    Relaxation lines;
    lines.lower_slope = u > -l ? 1 : 0;
    lines.upper_slope = upper_slope(l, u, float32_slopes);
    // For any s in [0, 1] the line s x + t is above relu on [l, u] iff it is so at both ends: t >= -s l, t >= (1 - s)
    // u.
    const double s = lines.upper_slope;
    lines.upper_intercept = std::max(mul_up(s, -l), mul_up(s == 1 ? 0.0 : round_up(1 - s), u));
    return lines;
  }

  double deployed_error(double, double, double) const override { return 0; }
  bool is_selection() const override { return true; }

  // `final` lets the compiler put the functions above into these loops.
  void values(const double* x, std::int64_t n, double* y) const override {
    for (std::int64_t i = 0; i < n; ++i) y[i] = value(x[i]);
  }
  void derivatives(const double* x, std::int64_t n, double* y) const override {
    for (std::int64_t i = 0; i < n; ++i) y[i] = derivative(x[i]);
  }
  void images(const double* l, const double* u, std::int64_t n, double* image_l, double* image_u) const override {
    for (std::int64_t i = 0; i < n; ++i) image(l[i], u[i], image_l[i], image_u[i]);
  }
  void relaxations(const double* l, const double* u, std::int64_t n, bool float32_slopes,
                   const LineRows& lines) const override {
    for (std::int64_t i = 0; i < n; ++i) lines.set(i, relax(l[i], u[i], float32_slopes));
  }

 private:
  // Near u / (u - l), which need not be exact. Halved, since u - l may overflow.
  static double upper_slope(double l, double u, bool float32_slopes) {
    double s = (u / 2) / (u / 2 - l / 2);
    if (float32_slopes) s = static_cast<double>(static_cast<float>(s));
    // u / 2 - l / 2 can underflow to zero for denormal bounds; any slope of [0, 1] is sound then.
    return s >= 0 && s <= 1 ? s : 1;
  }
};

std::vector<TensorType> infer(const NodeView& node) {
  return {floating_input(node, 0)};
}

std::vector<Tensor> evaluate(const NodeView&, std::span<const Tensor* const> inputs) {
  return with_floating_type(inputs[0]->dtype(), [&](auto zero) -> std::vector<Tensor> {
    auto values = elements<decltype(zero)>(*inputs[0]);
    for (auto& x : values) x = relu(x);
    return {Tensor(inputs[0]->shape(), std::move(values))};
  });
}

std::optional<std::vector<Tensor>> fold(const NodeView& node, std::span<const Tensor* const> inputs) {
  return evaluate(node, inputs);  // a selection is exact
}

Facet lower(const NodeView&) {
  return Elementwise{0, std::make_shared<ReluFunction>()};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(0, 3))));
  return sample.finish("Relu", {x});
}

}  // namespace

Operator relu_operator() {
  return {.name = "Relu",
          .pointwise = true,
          .infer = infer,
          .evaluate = evaluate,
          .fold = fold,
          .lower = lower,
          .sample = sample};
}

}  // namespace boundflow
