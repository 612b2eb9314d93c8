#include "api/observation.hpp"

#include <fmt/format.h>

#include <cmath>

#include "check/witness.hpp"
#include "io/npy.hpp"

namespace boundflow {

namespace {

std::optional<ObservedViolation> violated_clause(const Property& property, const std::vector<double>& point,
                                                 const Enclosure& outputs) {
  std::vector<Rational> exact(point.begin(), point.end());
  for (std::size_t r = 0; r < property.regions.size(); ++r) {
    const Region& region = property.regions[r];
    bool inside = true;
    for (std::size_t i = 0; i < exact.size() && inside; ++i) {
      inside = region.box.lower[i] <= exact[i] && exact[i] <= region.box.upper[i];
    }
    for (std::size_t c = 0; inside && c < region.clauses.size(); ++c) {
      if (proved(region.clauses[c], exact, exact, outputs)) {
        return ObservedViolation{point, static_cast<std::int32_t>(r), static_cast<std::int32_t>(c)};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

Observation observe_point(std::shared_ptr<const Network> network, const OperatorTable& table, const Property& property,
                          const std::vector<double>& point, const Deadline& deadline) {
  ObservedPoint observed;
  for (const double x : point) observed.input.push_back(static_cast<double>(static_cast<float>(x)));
  const std::vector<Enclosure> enclosures = enclose(*network, table, observed.input, observed.input, deadline);
  const TensorType& type = network->value(network->input()).type;
  const Tensor input = type.dtype == DType::Float64
                           ? Tensor(type.shape, observed.input)
                           : Tensor(type.shape, std::vector<float>(observed.input.begin(), observed.input.end()));
  const std::vector<Tensor> executed = evaluate_network(*network, input, table);
  for (std::size_t v = 0; v < enclosures.size(); ++v) {
    const bool variable = !enclosures[v].lower.empty();
    observed.activations.push_back(
        {enclosures[v].lower, enclosures[v].upper, variable ? executed[v].to_doubles() : std::vector<double>{}});
  }
  Observation result;
  result.violation = violated_clause(property, observed.input, enclosures[static_cast<std::size_t>(network->output())]);
  result.observer = std::make_shared<const Observer>(std::move(network), std::move(observed));
  return result;
}

Observation observe(std::shared_ptr<const Network> network, const OperatorTable& table, const Property& property,
                    const std::string& npy_path, const Deadline& deadline) {
  const Array array = read_npy(npy_path);
  const std::int64_t expected = network->size_of(network->input());
  if (static_cast<std::int64_t>(array.values.size()) != expected) {
    throw InputError({.file = npy_path}, fmt::format("expected {} elements, the size of the network's input, found {}",
                                                     expected, array.values.size()));
  }
  for (const double x : array.values) {
    if (!std::isfinite(static_cast<float>(x))) throw InputError({.file = npy_path}, "expected finite float32 values");
  }
  return observe_point(std::move(network), table, property, array.values, deadline);
}

}  // namespace boundflow
