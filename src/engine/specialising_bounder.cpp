#include "engine/specialising_bounder.hpp"

#include <algorithm>

#include "engine/value_ranges.hpp"

namespace boundflow {

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

SpecialisedEngine specialised_engine(const QueryEngine& general, const OperatorTable& table,
                                     const SpecialisationSetup& setup, const Deadline& deadline) {
  LinearSpec no_rows;
  no_rows.inputs = general.bounds_program().program().inputs;
  no_rows.outputs = general.bounds_program().program().outputs;
  std::vector<double> lower, upper;
  for (const InputBox& box : setup.boxes) {
    lower.insert(lower.end(), box.lower.begin(), box.lower.end());
    upper.insert(upper.end(), box.upper.begin(), box.upper.end());
  }
  BoundQuery query;
  query.subproblems = static_cast<std::int64_t>(setup.boxes.size());
  query.lower = lower;
  query.upper = upper;
  query.spec = &no_rows;
  query.semantics = setup.semantics;
  const std::vector<ValueRange> ranges = value_ranges(general, *setup.network, query, deadline);
  SpecialisedNetwork specialised = specialise(*setup.network, table, ranges, setup.merge, deadline);
  const double saved = 1 - specialised.products / specialised.products_before;
  if (!(saved > SpecialisingBounder::kWorthwhile)) return {};
  const auto network = std::make_shared<const Network>(std::move(specialised.network));
  QueryEngine::Options options = setup.options;
  // The network is this search's own: nobody else would ask for its plan, and it would drive out those of others.
  options.plans = nullptr;
  auto engine = std::make_unique<QueryEngine>(network, setup.executor, options, deadline, table);
  if (setup.prepare) setup.prepare(*engine, network);
  return {std::move(engine), saved};
}

void SpecialisingBounder::specialise_once(const Deadline& deadline) const {
  const std::lock_guard lock(mutex_);
  if (tried_) return;
  SpecialisedEngine made = specialised_engine(general_, table_, setup_, deadline);
  special_ = std::move(made.engine);
  saved_ = made.saved;
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
