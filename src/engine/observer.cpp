#include "engine/observer.hpp"

#include <fmt/format.h>

#include "base/rounding.hpp"

namespace boundflow {

bool Observer::inside(const double* lower, const double* upper) const {
  for (std::size_t i = 0; i < point_.input.size(); ++i) {
    if (!(lower[i] <= point_.input[i] && point_.input[i] <= upper[i])) return false;
  }
  return true;
}

void Observer::check_bounds(ValueId value, const std::vector<double>& lower, const std::vector<double>& upper,
                            Semantics semantics, const std::string& stage) const {
  if (semantics == Semantics::Nominal) return;
  const ObservedPoint::Activation& seen = point_.activations.at(static_cast<std::size_t>(value));
  for (std::size_t i = 0; i < seen.lower.size(); ++i) {
    const bool real = !(lower[i] > seen.upper[i]) && !(upper[i] < seen.lower[i]);
    const bool executed = semantics == Semantics::Real || seen.executed.empty() ||
                          (!(lower[i] > seen.executed[i]) && !(upper[i] < seen.executed[i]));
    if (real && executed) continue;
    throw InternalError(fmt::format(
        "observer: {} gave '{}'[{}] the bounds [{:.9g}, {:.9g}], but the observed point has [{:.9g}, {:.9g}]{}", stage,
        network_->value(value).name, i, lower[i], upper[i], seen.lower[i], seen.upper[i],
        seen.executed.empty() ? std::string() : fmt::format(", executed {:.9g}", seen.executed[i])));
  }
}

void Observer::check_row(const LinearSpec& spec, std::int64_t row, double bound, Semantics semantics) const {
  if (semantics == Semantics::Nominal) return;
  const ObservedPoint::Activation& output = point_.activations.at(static_cast<std::size_t>(network_->output()));
  // An upper bound of the row's value at the point.
  double value =
      add_up(spec.constants[static_cast<std::size_t>(row)], spec.constant_errors[static_cast<std::size_t>(row)]);
  for (std::int64_t j = 0; j < spec.outputs; ++j) {
    const auto k = static_cast<std::size_t>(row * spec.outputs + j);
    const auto i = static_cast<std::size_t>(j);
    const double c = spec.output_coefficients[k];
    const double largest = std::max(std::fabs(output.lower[i]), std::fabs(output.upper[i]));
    value = add_up(value, std::max(mul_up(c, output.lower[i]), mul_up(c, output.upper[i])));
    value = add_up(value, mul_up(spec.output_coefficient_errors[k], largest));
  }
  if (!spec.input_coefficients.empty()) {
    for (std::int64_t j = 0; j < spec.inputs; ++j) {
      const auto k = static_cast<std::size_t>(row * spec.inputs + j);
      const double x = point_.input[static_cast<std::size_t>(j)];
      value = add_up(value, mul_up(spec.input_coefficients[k], x));
      value = add_up(value, mul_up(spec.input_coefficient_errors[k], std::fabs(x)));
    }
  }
  if (bound > value) {
    throw InternalError(fmt::format(
        "observer: row {} got the lower bound {:.9g}, but the observed point has at most {:.9g}", row, bound, value));
  }
}

}  // namespace boundflow
