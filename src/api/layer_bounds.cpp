#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <algorithm>

#include "api/bounds_query.hpp"
#include "api/model_state.hpp"
#include "api/process_plans.hpp"

namespace boundflow {

std::vector<LayerBounds> layer_bounds(const Model& model, const BoundsRequest& request, const Options& options,
                                      const VerifyHooks& hooks) {
  const Request validated = validate(options, Workload::Once);
  const Deadline deadline(options.timeout, Clock::now(), hooks.interrupt);
  if (request.method == "alpha-crown") {
    throw UsageError("bounds of layers: expected the method ibp, crown-ibp or crown, found 'alpha-crown'");
  }
  BoundLowering lowering = lowering_of(request);
  // Whatever answers the rows, relaxations show the bounds that they read.
  lowering.specification = SpecificationBounds::Crown;
  const ModelState& state = model.state();
  const QueryEngine::Options engine_options{
      .lowering = lowering,
      .max_block_bytes = std::min(QueryEngine::kMostBlockBytes, validated.memory_bytes / 8 / validated.threads),
      .program_passes = validated.program_passes,
      .plans = &process_plans(validated.memory_bytes)};
  const InputSets sets = input_sets(request, state.inputs(), validated.semantics);
  const QueriedRows spec = queried_rows({}, sets.count, state.inputs(), state.outputs());
  CompileReport compiled;
  const auto engine = state.engine(engine_options, options, validated, deadline, compiled);
  const Network& network = *state.network().normal;
  std::vector<LayerBounds> layers;
  const auto slice = [](const std::vector<double>& values, std::int64_t b, std::int64_t n) {
    return values.empty() ? std::span<const double>()
                          : std::span(values).subspan(static_cast<std::size_t>(b * n), static_cast<std::size_t>(n));
  };
  const std::vector<std::int32_t> owners(static_cast<std::size_t>(spec.rows), 0);
  std::vector<std::int32_t> rows;
  for (std::int32_t r = 0; r < spec.rows; ++r) rows.push_back(r);
  tbb::task_arena workers(validated.threads);
  // One input set at a time: memory does not grow with their number.
  for (std::int64_t b = 0; b < sets.count; ++b) {
    const BoundQuery query{.subproblems = 1,
                           .norm = sets.norm,
                           .lower = slice(sets.lower, b, state.inputs()),
                           .upper = slice(sets.upper, b, state.inputs()),
                           .centers = slice(sets.centers, b, state.inputs()),
                           .radii = slice(sets.radii, b, 1),
                           .spec = &spec.both,
                           .owners = owners,
                           .rows = rows,
                           .semantics = validated.semantics};
    const auto found = workers.execute([&] { return engine->intermediate_bounds(query, deadline); });
    if (b == 0) layers.resize(found.size());
    for (std::size_t k = 0; k < found.size(); ++k) {
      const Value& value = network.value(found[k].value);
      if (b == 0) layers[k] = {value.name, value.type.shape, {}, {}};
      layers[k].lower.insert(layers[k].lower.end(), found[k].lower.begin(), found[k].lower.end());
      layers[k].upper.insert(layers[k].upper.end(), found[k].upper.begin(), found[k].upper.end());
    }
  }
  return layers;
}

}  // namespace boundflow
