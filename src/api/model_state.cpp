#include "api/model_state.hpp"

#include <algorithm>

#include "api/process_plans.hpp"
#include "check/plan.hpp"

namespace boundflow {

// Two methods, each over boxes and balls. Their plans are shared by all networks that are equal.
constexpr std::size_t kMostKept = 4;

bool ModelState::Kept::serves(const std::string& other_backend, const QueryEngine::Options& wanted) const {
  return backend == other_backend && options.lowering == wanted.lowering &&
         options.max_block_bytes == wanted.max_block_bytes && options.splits == wanted.splits &&
         options.program_passes.disabled == wanted.program_passes.disabled &&
         options.program_passes.limit == wanted.program_passes.limit;
}

std::shared_ptr<const QueryEngine> ModelState::engine(const QueryEngine::Options& wanted, const Options& options,
                                                      const Request& request, const Deadline& deadline,
                                                      CompileReport& report) const {
  const bool keep =
      !request.trace && !wanted.program_passes.after && (options.backend == "native" || options.backend == "reference");
  if (keep) {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(kept_.begin(), kept_.end(), [&](const Kept& k) { return k.serves(options.backend, wanted); });
    if (found != kept_.end()) {
      kept_.splice(kept_.begin(), kept_, found);
      ++report.plan_cache_hits;
      return found->engine;
    }
  }
  const auto engine = std::make_shared<QueryEngine>(network_.normal, request.executor, wanted, deadline, table_);
  add_compilation(report, *engine);
  engine->trace(request.trace);
  check_plan(engine->bounds_program().program(), engine->bounds_program().plan());
  if (!keep) return engine;
  const std::lock_guard lock(mutex_);
  kept_.push_front({options.backend, wanted, engine});
  if (kept_.size() > kMostKept) kept_.pop_back();
  return engine;
}

ModelSource model_in_file(const std::string& path, const OperatorTable& table) {
  return {path, [path, &table](const Request& request, const Deadline& deadline) {
            return Model(std::make_shared<const ModelState>(
                path, import_network(path, deadline, table, request.network_passes), table));
          }};
}

ModelSource model_in_memory(const Model& model) {
  return {model.name(), [model](const Request&, const Deadline&) { return model; }};
}

}  // namespace boundflow
