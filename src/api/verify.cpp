#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <cmath>
#include <memory>

#include "api/import_network.hpp"
#include "api/observation.hpp"
#include "api/request.hpp"
#include "api/with_operators.hpp"
#include "check/plan.hpp"
#include "check/witness.hpp"
#include "engine/query_engine.hpp"
#include "exec/native/kernels.hpp"
#include "exec/native/native_executor.hpp"
#include "frontends/vnnlib/vnnlib.hpp"
#include "report/verify_report.hpp"
#include "search/search.hpp"

namespace boundflow {

namespace {

bool has_input_terms(const Clause& clause) {
  for (const Atom& atom : clause.atoms) {
    if (!atom.inputs.empty()) return true;
  }
  for (const auto& choice : clause.choices) {
    for (const Clause& option : choice) {
      if (has_input_terms(option)) return true;
    }
  }
  return false;
}

bool has_input_terms(const Property& property) {
  for (const Region& region : property.regions) {
    for (const Clause& clause : region.clauses) {
      if (has_input_terms(clause)) return true;
    }
  }
  return false;
}

// Exact where the number is a decimal; every float32 is.
std::string decimal_text(const Rational& value) {
  return exact_decimal(value).value_or(fmt::format("{:.17g}", to_double_nearest(value)));
}

std::string number_text(double value) {
  return std::isfinite(value) ? exact_decimal(value) : fmt::format("{}", value);
}

Counterexample to_counterexample(const Witness& witness) {
  Counterexample result;
  for (const Rational& x : witness.input) result.input.push_back(decimal_text(x));
  for (const double y : witness.output) result.output.push_back(number_text(y));
  return result;
}

VerifyReport make_report(const SearchResult& result, const Options& options, const Request& request) {
  VerifyReport report;
  report.version = version();
  report.verdict = to_string(result.verdict);
  report.reason = result.reason;
  report.semantics = options.semantics;
  report.attack_s = result.statistics.attack_s;
  report.bounding_s = result.statistics.bounding_s;
  report.subproblems = result.statistics.subproblems;
  report.rows = result.statistics.rows;
  report.closed = result.statistics.closed;
  report.splits = result.statistics.splits;
  report.bounded_in_double = result.statistics.precise;
  report.peak_open = result.statistics.peak_open;
  report.open = result.statistics.open;
  report.depth = result.statistics.depth;
  report.worst_bound = result.statistics.worst_bound;
  report.executor = "native";
  report.instruction_set = native::instruction_set();
  report.threads = request.threads;
  report.seed = options.seed;
  return report;
}

}  // namespace

std::string version() {
  return BOUNDFLOW_VERSION;
}

std::string assignment(const Counterexample& counterexample) {
  std::string text = "(";
  for (std::size_t i = 0; i < counterexample.input.size(); ++i) {
    text += fmt::format("{}(X_{} {})", i == 0 ? "" : "\n", i, counterexample.input[i]);
  }
  for (std::size_t i = 0; i < counterexample.output.size(); ++i) {
    text += fmt::format("\n(Y_{} {})", i, counterexample.output[i]);
  }
  return text + ")\n";
}

VerifyResult verify(const std::string& network_path, const std::string& property_path, const Options& options,
                    const VerifyHooks& hooks) {
  return verify(network_path, property_path, options, hooks, operator_table());
}

VerifyResult verify(const std::string& network_path, const std::string& property_path, const Options& options,
                    const VerifyHooks& hooks, const OperatorTable& table) {
  const Request request = validate(options);
  if (request.semantics == Semantics::Nominal) {
    throw UsageError("--semantics nominal proves nothing; it is for the bounds command");
  }
  const Deadline deadline(options.timeout, Clock::now(), hooks.interrupt);
  const ImportedNetwork network = import_network(network_path, table);
  const Property property = read_vnnlib(property_path, network.source->size_of(network.source->input()),
                                        network.source->size_of(network.source->output()));

  BoundLowering lowering;
  lowering.input_terms = has_input_terms(property);
  const QueryEngine::Options engine_options{.lowering = lowering};
  QueryEngine engine(network.normal, make_native_executor(Precision::Float32), engine_options, table);
  QueryEngine precise(network.normal, make_native_executor(Precision::Float64), engine_options, table);
  for (const QueryEngine* each : {&engine, &precise}) {
    check_plan(each->bounds_program().program(), each->bounds_program().plan());
    check_plan(each->values_program().program(), each->values_program().plan());
  }
  const WitnessReplayer replayer(network.source, table);

  SearchOptions search_options;
  search_options.seed = options.seed;
  search_options.semantics = request.semantics;
  search_options.memory_bytes = request.memory_bytes / 2;
  // A query's storage stays within a quarter of the limit, and near the caches.
  const std::int64_t query_bytes = std::min<std::int64_t>(request.memory_bytes / 4, std::int64_t{16} << 20);
  search_options.subproblems_per_query =
      std::clamp<std::int64_t>(query_bytes / std::max<std::int64_t>(engine.bytes_per_subproblem(), 1), 1, 32);
  if (hooks.progress) {
    search_options.progress = [&](const SearchProgress& p) {
      hooks.progress({p.elapsed_s, p.open, p.closed, p.worst_bound, p.depth});
    };
  }
  if (!options.observe.empty()) {
    const Observation observation = observe(network.normal, table, property, options.observe);
    engine.observe(observation.observer);
    precise.observe(observation.observer);
    search_options.observed = observation.violation;
  }
  const double import_s = deadline.elapsed();

  SearchResult found;
  tbb::task_arena workers(request.threads);
  workers.execute([&] { found = search(property, {engine, precise, engine, replayer}, search_options, deadline); });

  VerifyResult result;
  result.verdict = to_string(found.verdict);
  result.reason = found.reason;
  result.interrupted = deadline.interrupted() && found.verdict == Verdict::Unknown;
  if (found.witness) result.counterexample = to_counterexample(*found.witness);
  result.time_s = deadline.elapsed();
  VerifyReport report = make_report(found, options, request);
  report.network = network_path;
  report.property = property_path;
  report.import_s = import_s;
  report.time_s = result.time_s;
  report.witness_input = result.counterexample.input;
  report.witness_output = result.counterexample.output;
  result.json = to_json(report);
  return result;
}

std::string compile(const std::string& network_path, const std::string& stop_after, const Options& options) {
  validate(options);
  if (stop_after != "network" && stop_after != "program" && stop_after != "plan") {
    throw UsageError("--stop-after: expected network, program or plan, found '" + stop_after + "'");
  }
  const ImportedNetwork network = import_network(network_path, operator_table());
  if (stop_after == "network") return print(*network.normal);
  const BoundProgram program = lower_bounds(LoweredNetwork(network.normal, operator_table()), BoundLowering());
  if (stop_after == "program") return print(program);
  return print(program, plan_storage(program, make_native_executor()->element_bytes()));
}

}  // namespace boundflow
