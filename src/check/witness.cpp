#include "check/witness.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/rounding.hpp"

namespace boundflow {

namespace {

// The coordinate of the witness: a float32 inside [lower, upper] as near to x as there is, so that the point and what
// is executed are the same; where the box holds no float32 (pinned decimals), the decimal end nearest to x.
Rational coordinate(double x, const Rational& lower, const Rational& upper) {
  float nearest = static_cast<float>(x);
  if (!std::isfinite(nearest)) nearest = 0;
  if (Rational(nearest) < lower) {
    nearest = to_float_nearest(lower);
    if (Rational(nearest) < lower) nearest = std::nextafter(nearest, std::numeric_limits<float>::infinity());
  } else if (Rational(nearest) > upper) {
    nearest = to_float_nearest(upper);
    if (Rational(nearest) > upper) nearest = std::nextafter(nearest, -std::numeric_limits<float>::infinity());
  }
  if (std::isfinite(nearest)) {
    Rational exact(nearest);
    if (lower <= exact && exact <= upper) return exact;
  }
  return std::fabs(to_double_nearest(lower) - x) <= std::fabs(to_double_nearest(upper) - x) ? lower : upper;
}

// The largest value of the atom's left side over the hull and the enclosure, exactly. Empty if an output is unbounded.
bool atom_proved(const Atom& atom, const std::vector<Rational>& first, const std::vector<Rational>& second,
                 const Enclosure& outputs) {
  Rational largest = atom.constant;
  for (const LinearTerm& term : atom.inputs) {
    const auto i = static_cast<std::size_t>(term.index);
    const Rational one = term.coefficient * first[i];
    const Rational other = term.coefficient * second[i];
    largest += one > other ? one : other;
  }
  for (const LinearTerm& term : atom.outputs) {
    const auto j = static_cast<std::size_t>(term.index);
    const double end = term.coefficient > 0 ? outputs.upper[j] : outputs.lower[j];
    if (!std::isfinite(end)) return false;
    largest += term.coefficient * Rational(end);
  }
  return atom.strict ? largest < 0 : largest <= 0;
}

Tensor input_tensor(const Network& network, const std::vector<double>& executed) {
  const TensorType& type = network.value(network.input()).type;
  if (type.dtype == DType::Float64) return Tensor(type.shape, executed);
  return Tensor(type.shape, std::vector<float>(executed.begin(), executed.end()));
}

bool any_proved(const Region& region, const std::vector<Rational>& first, const std::vector<Rational>& second,
                const Enclosure& outputs) {
  return std::any_of(region.clauses.begin(), region.clauses.end(),
                     [&](const Clause& clause) { return proved(clause, first, second, outputs); });
}

}  // namespace

bool proved(const Clause& clause, const std::vector<Rational>& first, const std::vector<Rational>& second,
            const Enclosure& outputs) {
  const bool atoms = std::all_of(clause.atoms.begin(), clause.atoms.end(),
                                 [&](const Atom& atom) { return atom_proved(atom, first, second, outputs); });
  if (!atoms) return false;
  return std::all_of(clause.choices.begin(), clause.choices.end(), [&](const std::vector<Clause>& choice) {
    return std::any_of(choice.begin(), choice.end(),
                       [&](const Clause& option) { return proved(option, first, second, outputs); });
  });
}

ReplayResult WitnessReplayer::replay(const Region& region, std::span<const double> point, Witness& witness,
                                     const Deadline& deadline) const {
  std::vector<Rational> decimal;
  std::vector<Rational> nearest;
  std::vector<double> lower;
  std::vector<double> upper;
  std::vector<double> executed;
  for (std::size_t i = 0; i < point.size(); ++i) {
    decimal.push_back(coordinate(point[i], region.box.lower[i], region.box.upper[i]));
    const double fl = static_cast<double>(to_float_nearest(decimal.back()));
    executed.push_back(fl);
    nearest.emplace_back(fl);
    lower.push_back(std::min(to_double_down(decimal.back()), fl));
    upper.push_back(std::max(to_double_up(decimal.back()), fl));
  }
  std::vector<Enclosure> enclosures;
  try {
    enclosures = enclose(*network_, table_, lower, upper, deadline);
  } catch (const StoppedError&) {
    return ReplayResult::Stopped;
  }
  const Enclosure& outputs = enclosures[static_cast<std::size_t>(network_->output())];
  if (!any_proved(region, decimal, nearest, outputs)) return ReplayResult::Refuted;

  const std::vector<Tensor> values = evaluate_network(*network_, input_tensor(*network_, executed), table_);
  witness.input = std::move(decimal);
  witness.output = values[static_cast<std::size_t>(network_->output())].to_doubles();
  const Enclosure once{witness.output, witness.output};
  return any_proved(region, nearest, nearest, once) ? ReplayResult::Violated : ReplayResult::ViolatedInRealsOnly;
}

}  // namespace boundflow
