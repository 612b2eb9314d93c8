#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <new>
#include <optional>

#include "api/box_property.hpp"
#include "api/model_state.hpp"
#include "api/observation.hpp"
#include "api/process_plans.hpp"
#include "api/report_page.hpp"
#include "api/request.hpp"
#include "api/with_operators.hpp"
#include "check/plan.hpp"
#include "check/witness.hpp"
#include "engine/specialising_bounder.hpp"
#include "engine/split_engine.hpp"
#include "exec/native/kernels.hpp"
#include "exec/native/native_executor.hpp"
#include "frontends/vnnlib/vnnlib.hpp"
#include "report/html/page.hpp"
#include "report/trace_report.hpp"
#include "report/verify_report.hpp"
#include "search/search.hpp"

namespace boundflow {

namespace {

bool has_input_terms(const Property& property) {
  return std::any_of(property.regions.begin(), property.regions.end(),
                     [](const Region& region) { return has_input_terms(region); });
}

// Exact where the number is a decimal; every float32 is.
std::string decimal_text(const Rational& value) {
  return exact_decimal(value).value_or(fmt::format("{:.17g}", to_double_nearest(value)));
}

std::string output_text(double value) {
  return std::isfinite(value) ? exact_decimal(value) : fmt::format("{}", value);
}

Counterexample to_counterexample(const Witness& witness) {
  Counterexample result;
  for (const Rational& x : witness.input) result.input.push_back(decimal_text(x));
  for (const double y : witness.output) result.output.push_back(output_text(y));
  return result;
}

SearchReport search_report(const SearchStatistics& statistics) {
  SearchReport report;
  for (const TreeStatistics::Depth& depth : statistics.tree.depths()) {
    report.opened.push_back(depth.opened);
    report.closed.push_back(depth.closed);
    report.splits.push_back(depth.splits);
  }
  report.splits_by_input = statistics.tree.input_splits();
  report.splits_by_layer = statistics.tree.layer_splits();
  for (const BoundHistory::Sample& sample : statistics.history.samples()) {
    report.samples.push_back({sample.elapsed_s, sample.subproblems, sample.open, sample.worst_bound});
  }
  for (std::size_t k = 0; k < kSearchPhases; ++k) {
    const auto phase = static_cast<SearchPhase>(k);
    report.phases.emplace_back(to_string(phase), statistics.tree.seconds(phase));
  }
  return report;
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
  report.search = search_report(result.statistics);
  report.executor = request.executor->name();
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

namespace {

// A property, read once a network is there, and what reports call it.
struct PropertySource {
  std::string name;
  std::function<Property(const ModelState& model, const Deadline& deadline)> get;
};

PropertySource property_in_file(const std::string& path) {
  return {path, [path](const ModelState& model, const Deadline& deadline) {
            return read_vnnlib(path, model.inputs(), model.outputs(), deadline);
          }};
}

PropertySource property_of(const VerifyRequest& request) {
  const bool box = !request.lower.empty() || !request.upper.empty() || !request.center.empty();
  if (int{!request.property_path.empty()} + int{!request.property_text.empty()} + int{box} != 1) {
    throw UsageError("the property: expected one of a VNN-LIB file, its text, or a box with a specification");
  }
  if (!request.property_path.empty()) return property_in_file(request.property_path);
  if (box) {
    return {"<box>", [&request](const ModelState& model, const Deadline&) {
              return box_property(request, model.inputs(), model.outputs());
            }};
  }
  return {"<text>", [&request](const ModelState& model, const Deadline& deadline) {
            return parse_vnnlib(request.property_text, "<text>", model.inputs(), model.outputs(), deadline);
          }};
}

// From the sources to the end of the search. `import_s`: when the search began. StoppedError before that. `compiled`
// and `page`: get what has been reached, if there is a page.
SearchResult decide(const ModelSource& network_source, const PropertySource& property_source, const Options& options,
                    const Request& request, const VerifyHooks& hooks, const Deadline& deadline, double& import_s,
                    CompileReport& compiled, Page* page) {
  std::optional<TraceSpan> phase(std::in_place, request.trace.get(), SpanKind::Phase, "import");
  const Model model = network_source.get(request, deadline);
  const ImportedNetwork& network = model.state().network();
  const OperatorTable& table = model.state().table();
  const Property property = property_source.get(model.state(), deadline);

  if (page != nullptr) add_network(*page, *network.source, *network.normal);

  phase.emplace(request.trace.get(), SpanKind::Phase, "compile");
  BoundLowering lowering;
  lowering.input_terms = has_input_terms(property);
  const QueryEngine::Options engine_options{
      .lowering = lowering,
      .max_block_bytes = std::min(QueryEngine::kMostBlockBytes, request.memory_bytes / 16 / request.threads),
      .program_passes = request.program_passes,
      .splits = true,
      .plans = &process_plans(request.memory_bytes)};
  QueryEngine engine(network.normal, request.executor, engine_options, deadline, table);
  QueryEngine precise(network.normal, make_native_executor(Precision::Float64), engine_options, deadline, table);
  for (const QueryEngine* each : {&engine, &precise}) {
    check_plan(each->bounds_program().program(), each->bounds_program().plan());
    check_plan(each->values_program().program(), each->values_program().plan());
    add_compilation(compiled, *each);
  }
  engine.trace(request.trace);
  precise.trace(request.trace);
  const WitnessReplayer replayer(network.source, table);

  SearchOptions search_options;
  search_options.seed = options.seed;
  search_options.semantics = request.semantics;
  search_options.deterministic = options.deterministic;
  search_options.most_inputs_to_split = request.most_inputs_to_split;
  search_options.most_inputs_to_split_late = request.most_inputs_to_split_late;
  search_options.first_try_of_signs = request.first_try_of_signs;
  // A query's storage stays near the caches, and that of all within a quarter of the limit.
  const std::int64_t query_bytes = std::min<std::int64_t>(request.memory_bytes / 64, std::int64_t{16} << 20);
  search_options.answer_bytes = std::min<std::int64_t>(request.memory_bytes / 64, search_options.answer_bytes);
  search_options.subproblems_per_query =
      std::clamp<std::int64_t>(query_bytes / std::max<std::int64_t>(engine.bytes_per_subproblem(), 1), 1, 32);
  if (hooks.progress) {
    search_options.progress = [&](const SearchProgress& p) {
      hooks.progress({p.elapsed_s, p.open, p.closed, p.worst_bound, p.depth, p.subproblems_per_s,
                      std::string(to_string(p.phase))});
    };
  }
  std::vector<InputBox> boxes;
  for (const Region& region : property.regions) boxes.push_back(outward_box(region.box));
  const auto specialisation = [&](Precision precision) {
    return SpecialisationSetup{
        .network = network.normal,
        .executor = precision == Precision::Float32 ? request.executor : make_native_executor(precision),
        .options = engine_options,
        .boxes = boxes,
        .semantics = request.semantics,
        // What is bounded in double is what float32 executions leave open.
        .merge = precision == Precision::Float32,
        .prepare = [&](QueryEngine& special, const std::shared_ptr<const Network>& specialised) {
          check_plan(special.bounds_program().program(), special.bounds_program().plan());
          special.trace(request.trace);
          if (options.observe.empty()) return;
          special.observe(observe(specialised, table, property, options.observe, deadline).observer);
        }};
  };
  const auto specialising = [&](const QueryEngine& general, Precision precision) {
    return SpecialisingBounder(general, table, specialisation(precision));
  };
  // An engine of its own for a box whose neurons are split.
  const SearchTools::SplitBounderOf split_bounder = [&](const InputBox& box, const Deadline& until) {
    SpecialisationSetup setup = specialisation(Precision::Float32);
    setup.boxes = {box};
    std::shared_ptr<QueryEngine> own = specialised_engine(engine, table, setup, until).engine;
    // Nothing to gain, or nothing left that could be split.
    if (!own || own->split_programs().programs.empty()) {
      own = std::make_shared<QueryEngine>(network.normal, request.executor, setup.options, until, table);
    }
    for (const auto& program : own->split_programs().programs) check_plan(program->program(), program->plan());
    auto bounder = std::make_unique<SplitEngine>(std::move(own), box, request.semantics, until);
    bounder->trace(request.trace);
    return std::unique_ptr<SplitBounder>(std::move(bounder));
  };
  const SpecialisingBounder bounder = specialising(engine, Precision::Float32);
  const SpecialisingBounder precise_bounder = specialising(precise, Precision::Float64);
  if (!options.observe.empty()) {
    const Observation observation = observe(network.normal, table, property, options.observe, deadline);
    engine.observe(observation.observer);
    precise.observe(observation.observer);
    search_options.observed = observation.violation;
  }
  import_s = deadline.elapsed();
  // What the networks leave of the limit, without those queries. How much is resident differs from run to run.
  search_options.memory_bytes =
      options.deterministic ? request.memory_bytes / 4 : (request.memory_bytes - resident_memory()) / 2;

  phase.emplace(request.trace.get(), SpanKind::Phase, "search");
  SearchResult found;
  tbb::task_arena workers(request.threads);
  workers.execute([&] {
    found = search(property,
                   {bounder, precise_bounder, engine, replayer,
                    !engine.split_programs().programs.empty() ? split_bounder : SearchTools::SplitBounderOf()},
                   search_options, deadline);
  });
  // True, but hardly what the author of the file meant.
  if (found.verdict == Verdict::Unsat && property.regions.empty()) {
    found.reason = "the assertions contradict each other: no input satisfies them";
  }
  phase.reset();
  if (page != nullptr) {
    std::vector<RunProgram> programs;
    const auto add = [&](const char* name, const CompiledProgram& program) {
      add_program(*page, name, program, request.trace.get());
      programs.push_back({name, &program.program()});
    };
    add("Bounds in float32", engine.bounds_program());
    if (const QueryEngine* special = bounder.special()) {
      add("Bounds in float32, specialised to the property's boxes", special->bounds_program());
    }
    add("Values and gradients", engine.values_program());
    programs.push_back({"Bounds in float64", &precise.bounds_program().program()});
    if (const QueryEngine* special = precise_bounder.special()) {
      programs.push_back({"Bounds in float64, specialised", &special->bounds_program().program()});
    }
    page->times = page_times(*request.trace, programs);
  }
  return found;
}

// The answer when there was no search.
SearchResult undecided(Verdict verdict, std::string reason) {
  SearchResult result{.verdict = verdict, .reason = std::move(reason)};
  result.statistics.worst_bound = -std::numeric_limits<double>::infinity();
  return result;
}

}  // namespace

namespace {

VerifyResult answer(const ModelSource& network, const PropertySource& property, const Options& options,
                    const VerifyHooks& hooks) {
  const Request request = validate(options, Workload::Search);
  if (request.semantics == Semantics::Nominal) {
    throw UsageError("--semantics nominal proves nothing; it is for the bounds command");
  }
  const Deadline deadline(options.timeout, Clock::now(), hooks.interrupt);
  SearchResult found;
  double import_s = -1;
  CompileReport compiled;
  Page page = page_of_command("verify", network.name);
  try {
    found = decide(network, property, options, request, hooks, deadline, import_s, compiled,
                   options.report.empty() ? nullptr : &page);
  } catch (const StoppedError& stopped) {
    found = undecided(deadline.interrupted() ? Verdict::Unknown : Verdict::Timeout, stopped.what());
  } catch (const std::bad_alloc&) {
    found = undecided(Verdict::Unknown, "memory");
  }
  if (import_s < 0) import_s = deadline.elapsed();

  VerifyResult result;
  result.verdict = to_string(found.verdict);
  result.reason = found.reason;
  result.interrupted = deadline.interrupted() && found.verdict == Verdict::Unknown;
  if (found.witness) result.counterexample = to_counterexample(*found.witness);
  result.time_s = deadline.elapsed();
  const SearchStatistics& end = found.statistics;
  const double search_s = std::max(result.time_s - import_s, 1e-3);
  result.progress = {result.time_s,
                     end.open,
                     end.closed,
                     end.worst_bound,
                     end.depth,
                     static_cast<double>(end.subproblems) / search_s,
                     ""};
  if (!options.profile.empty()) result.profile = to_chrome_trace(*request.trace, result.time_s, request.threads);
  VerifyReport report = make_report(found, options, request);
  report.network = network.name;
  report.property = property.name;
  report.import_s = import_s;
  report.compile = compiled;
  add_kernel_uses(report.compile, request, deadline);
  report.time_s = result.time_s;
  report.witness_input = result.counterexample.input;
  report.witness_output = result.counterexample.output;
  result.json = to_json(report);
  if (!options.report.empty()) {
    add_search(page, report);
    result.report = to_html(page);
  }
  return result;
}

}  // namespace

VerifyResult verify(const std::string& network_path, const std::string& property_path, const Options& options,
                    const VerifyHooks& hooks, const OperatorTable& table) {
  return answer(model_in_file(network_path, table), property_in_file(property_path), options, hooks);
}

VerifyResult verify(const std::string& network_path, const std::string& property_path, const Options& options,
                    const VerifyHooks& hooks) {
  return verify(network_path, property_path, options, hooks, operator_table());
}

VerifyResult verify(const Model& network, const VerifyRequest& request, const Options& options,
                    const VerifyHooks& hooks) {
  return answer(model_in_memory(network), property_of(request), options, hooks);
}

}  // namespace boundflow
