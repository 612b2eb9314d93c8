#include "engine/specialising_bounder.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "passes/specialise.hpp"

namespace boundflow {

namespace {

// NaN if either is: nothing is known then.
double least(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<double>::quiet_NaN() : std::min(a, b);
}

}  // namespace

SpecialisingBounder::SpecialisingBounder(const QueryEngine& general, const OperatorTable& table, Setup setup)
    : general_(general), table_(table), setup_(std::move(setup)) {}

// Every box lies within one of the setup's, and none is one of them.
bool SpecialisingBounder::asks_about_smaller_boxes(const BoundQuery& query) const {
  if (query.norm != InputNorm::Linf || query.semantics != setup_.semantics || setup_.boxes.size() > kMostBoxes) {
    return false;
  }
  for (std::int64_t b = 0; b < query.subproblems; ++b) {
    const bool within = std::any_of(setup_.boxes.begin(), setup_.boxes.end(), [&](const InputBox& box) {
      const std::size_t inputs = box.lower.size();
      const double* lower = query.lower.data() + static_cast<std::size_t>(b) * inputs;
      const double* upper = query.upper.data() + static_cast<std::size_t>(b) * inputs;
      bool smaller = false;
      for (std::size_t i = 0; i < inputs; ++i) {
        if (!(lower[i] >= box.lower[i] && upper[i] <= box.upper[i])) return false;
        smaller = smaller || lower[i] > box.lower[i] || upper[i] < box.upper[i];
      }
      return smaller;
    });
    if (!within) return false;
  }
  return true;
}

void SpecialisingBounder::specialise_once(const Deadline& deadline) const {
  const std::lock_guard lock(mutex_);
  if (tried_) return;
  LinearSpec no_rows;
  no_rows.inputs = general_.bounds_program().program().inputs;
  no_rows.outputs = general_.bounds_program().program().outputs;
  std::vector<double> lower, upper;
  for (const InputBox& box : setup_.boxes) {
    lower.insert(lower.end(), box.lower.begin(), box.lower.end());
    upper.insert(upper.end(), box.upper.begin(), box.upper.end());
  }
  BoundQuery query;
  query.subproblems = static_cast<std::int64_t>(setup_.boxes.size());
  query.lower = lower;
  query.upper = upper;
  query.spec = &no_rows;
  query.semantics = setup_.semantics;
  std::vector<ValueRange> ranges;
  std::int64_t neurons = 0;
  for (const QueryEngine::ValueBounds& bounds : general_.intermediate_bounds(query, deadline)) {
    // Several activations may read a value.
    if (!ranges.empty() && ranges.back().value == bounds.value) continue;
    const std::size_t size = bounds.lower.size() / setup_.boxes.size();
    ValueRange range{bounds.value,
                     {bounds.lower.begin(), bounds.lower.begin() + static_cast<std::ptrdiff_t>(size)},
                     {bounds.upper.begin(), bounds.upper.begin() + static_cast<std::ptrdiff_t>(size)}};
    for (std::size_t j = size; j < bounds.lower.size(); ++j) {
      range.lower[j % size] = least(range.lower[j % size], bounds.lower[j]);
      range.upper[j % size] = -least(-range.upper[j % size], -bounds.upper[j]);
    }
    neurons += static_cast<std::int64_t>(size);
    ranges.push_back(std::move(range));
  }
  SpecialisedNetwork specialised = specialise(*setup_.network, table_, ranges);
  if (static_cast<double>(specialised.removed) > kWorthwhile * static_cast<double>(neurons)) {
    const auto network = std::make_shared<const Network>(std::move(specialised.network));
    QueryEngine::Options options = setup_.options;
    // The network is this search's own: nobody else would ask for its plan, and it would drive out those of others.
    options.plans = nullptr;
    auto engine = std::make_unique<QueryEngine>(network, setup_.executor, options, deadline, table_);
    if (setup_.prepare) setup_.prepare(*engine, network);
    special_ = std::move(engine);
    removed_ = specialised.removed;
  }
  tried_ = true;
}

void SpecialisingBounder::answer(const BoundQuery& query, const Deadline& deadline, BoundAnswer& answer) const {
  if (!asks_about_smaller_boxes(query)) return general_.answer(query, deadline, answer);
  try {
    specialise_once(deadline);
  } catch (const StoppedError&) {
    answer.complete = false;
    return;
  }
  (special_ ? *special_ : general_).answer(query, deadline, answer);
}

}  // namespace boundflow
