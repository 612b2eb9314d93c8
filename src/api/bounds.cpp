#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>
#include <optional>

#include "api/bounds_query.hpp"
#include "api/model_state.hpp"
#include "api/process_plans.hpp"
#include "api/report_page.hpp"
#include "api/request.hpp"
#include "api/with_operators.hpp"
#include "base/parallel.hpp"
#include "base/rounding.hpp"
#include "check/plan.hpp"
#include "engine/split_engine.hpp"
#include "io/npz.hpp"
#include "io/npz_writer.hpp"
#include "report/bounds_report.hpp"
#include "report/html/page.hpp"
#include "report/trace_report.hpp"

namespace boundflow {

namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// Bounds the rows of one box again, with slopes of their own: those of hidden neurons layer by layer, then the rows'.
// What gets better goes into the answer of the query, whose first row of the box is `first`. False: stopped by the
// deadline.
bool optimise_slopes(const std::shared_ptr<const QueryEngine>& engine, const InputBox& box, const LinearSpec& spec,
                     std::span<const std::int32_t> rows, Semantics semantics, int steps, const Deadline& deadline,
                     std::size_t first, BoundAnswer& answer) {
  if (engine->split_programs().programs.empty()) return true;  // no slope is free
  try {
    SplitEngine slopes(engine, box, semantics, deadline);
    slopes.refine(SplitEngine::Refinement{.effort = {.steps = steps, .stop_above_zero = true}}, {deadline});
    std::vector<SplitSubproblem> subproblems;
    for (const std::int32_t row : rows) subproblems.push_back({.splits = {}, .slopes = nullptr, .row = row});
    std::vector<SplitSubproblem*> pointers;
    for (SplitSubproblem& subproblem : subproblems) pointers.push_back(&subproblem);
    std::vector<SplitAnswer> better;
    const SplitEffort effort{.steps = steps, .candidates = false, .stop_above_zero = false};
    if (!slopes.bound(spec, pointers, effort, deadline, better)) return false;
    for (std::size_t k = 0; k < better.size(); ++k) {
      double& nominal = answer.nominal[first + k];
      double& error = answer.error[first + k];
      if (!(better[k].nominal - better[k].error > nominal - error)) continue;
      nominal = better[k].nominal;
      error = better[k].error;
    }
  } catch (const StoppedError&) {
    return false;
  }
  return true;
}

// One chunk of queries: its answer goes into the result. False: stopped by the deadline.
bool bound_chunk(const std::shared_ptr<const QueryEngine>& engine, const InputSets& sets, const BoundsRequest& request,
                 const QueriedRows& spec, Semantics semantics, std::int64_t first, std::int64_t count,
                 const Deadline& deadline, BoundsResult& result) {
  const std::int64_t inputs = result.inputs;
  BoundQuery query;
  query.subproblems = count;
  query.norm = sets.norm;
  if (sets.norm == InputNorm::Linf) {
    query.lower = std::span(sets.lower).subspan(at(first * inputs), at(count * inputs));
    query.upper = std::span(sets.upper).subspan(at(first * inputs), at(count * inputs));
  } else {
    query.centers = std::span(sets.centers).subspan(at(first * inputs), at(count * inputs));
    query.radii = std::span(sets.radii).subspan(at(first), at(count));
  }
  std::vector<std::int32_t> owners;
  std::vector<std::int32_t> rows;
  for (std::int64_t b = 0; b < count; ++b) {
    for (const std::int64_t negated : {0, 1}) {
      for (std::int64_t s = 0; s < spec.rows; ++s) {
        owners.push_back(static_cast<std::int32_t>(b));
        const std::int64_t own = spec.shared ? s : (first + b) * spec.rows + s;
        rows.push_back(static_cast<std::int32_t>(own + negated * (spec.both.rows / 2)));
      }
    }
  }
  query.spec = &spec.both;
  query.owners = owners;
  query.rows = rows;
  query.semantics = semantics;
  query.linear_form = request.linear_form;
  BoundAnswer answer = engine->bound(query, deadline);
  if (!answer.complete) return false;
  const auto rows_of_box = at(2 * spec.rows);
  for (std::int64_t b = 0; b < count && request.method == "alpha-crown"; ++b) {
    const auto part = [&](std::span<const double> ends) {
      const std::span<const double> own = ends.subspan(at(b * inputs), at(inputs));
      return std::vector<double>(own.begin(), own.end());
    };
    const std::size_t begin = at(b) * rows_of_box;
    if (!optimise_slopes(engine, {part(query.lower), part(query.upper)}, spec.both,
                         std::span(rows).subspan(begin, rows_of_box), semantics, request.steps, deadline, begin,
                         answer)) {
      return false;
    }
  }
  for (std::size_t n = 0; n < rows.size(); ++n) {
    const auto b = static_cast<std::int64_t>(n) / (2 * spec.rows);
    const bool negated = static_cast<std::int64_t>(n) / spec.rows % 2 == 1;
    const std::size_t k = at((first + b) * spec.rows + static_cast<std::int64_t>(n) % spec.rows);
    const double bound =
        semantics == Semantics::Nominal ? answer.nominal[n] : sub_down(answer.nominal[n], answer.error[n]);
    // Written so that NaN stays unknown.
    if (std::isfinite(bound)) (negated ? result.upper : result.lower)[k] = negated ? -bound : bound;
    (negated ? result.upper_error : result.lower_error)[k] = answer.error[n];
    if (!request.linear_form) continue;
    std::vector<double>& form = negated ? result.upper_form : result.lower_form;
    for (std::int64_t j = 0; j < inputs; ++j) {
      const double coefficient = answer.form[n * at(inputs) + at(j)];
      form[k * at(inputs) + at(j)] = negated ? -coefficient : coefficient;
    }
    (negated ? result.upper_form_constant : result.lower_form_constant)[k] =
        negated ? -answer.form_constant[n] : answer.form_constant[n];
  }
  return true;
}

// Chunks share the read of the weights; there is one per worker, if memory allows. What a chunk has bounded counts once
// it is complete: small ones leave less unknown when time runs out.
std::int64_t chunk_size(const QueryEngine& engine, const BoundsResult& result, const Request& request) {
  constexpr std::int64_t kLargestChunk = 64;
  const std::int64_t answer =
      2 * result.rows * static_cast<std::int64_t>(sizeof(double)) * (result.lower_form.empty() ? 3 : result.inputs + 3);
  const std::int64_t bytes = std::max<std::int64_t>(engine.bytes_per_subproblem() + answer, 1);
  // An op over a chunk should not take longer than the time limit may be late: a tenth of a second or less.
  constexpr std::int64_t kLargestWork = std::int64_t{1} << 31;
  const std::int64_t work = std::max<std::int64_t>(engine.work_per_subproblem(), 1);
  const std::int64_t affordable = std::clamp<std::int64_t>(
      std::min(request.memory_bytes / 8 / request.threads / bytes, kLargestWork / work), 1, kLargestChunk);
  return std::clamp<std::int64_t>((result.queries + request.threads - 1) / request.threads, 1, affordable);
}

// Everything but the report. What is not reached keeps its initial state: nothing is known. `page`: gets what has been
// reached, if there is one.
void fill_bounds(const ModelSource& source, const BoundsRequest& request, const Options& options,
                 const Request& validated, const Deadline& deadline, BoundsResult& result, CompileReport& compiled,
                 Page* page) {
  const BoundLowering lowering = lowering_of(request);
  std::optional<TraceSpan> phase(std::in_place, validated.trace.get(), SpanKind::Phase, "import");
  const Model model = source.get(validated, deadline);
  const ModelState& state = model.state();
  const ImportedNetwork& network = state.network();
  result.inputs = network.source->size_of(network.source->input());
  const InputSets sets = input_sets(request, result.inputs, validated.semantics);
  const QueriedRows spec =
      queried_rows(request, sets.count, result.inputs, network.source->size_of(network.source->output()));
  const std::size_t size = at(sets.count * spec.rows);
  result.lower.assign(size, -kInfinity);
  result.upper.assign(size, kInfinity);
  result.lower_error.assign(size, 0.0);
  result.upper_error.assign(size, 0.0);
  if (request.linear_form) {
    for (auto* form : {&result.lower_form, &result.upper_form}) form->assign(size * at(result.inputs), 0.0);
    result.lower_form_constant.assign(size, -kInfinity);
    result.upper_form_constant.assign(size, kInfinity);
  }
  result.queries = sets.count;
  result.rows = spec.rows;

  if (page != nullptr) add_network(*page, *network.source, *network.normal);

  phase.emplace(validated.trace.get(), SpanKind::Phase, "compile");
  const QueryEngine::Options engine_options{
      .lowering = lowering,
      .max_block_bytes = std::min(QueryEngine::kMostBlockBytes, validated.memory_bytes / 8 / validated.threads),
      .program_passes = validated.program_passes,
      .splits = request.method == "alpha-crown",
      .plans = &process_plans(validated.memory_bytes)};
  const std::shared_ptr<const QueryEngine> shared =
      state.engine(engine_options, options, validated, deadline, compiled);
  const QueryEngine& engine = *shared;
  result.import_s = deadline.elapsed();
  const std::int64_t chunk = chunk_size(engine, result, validated);
  const std::int64_t chunks = (sets.count + chunk - 1) / chunk;
  std::atomic<std::int64_t> complete{0};
  std::atomic<bool> out_of_memory{false};
  // What does not fit into memory together may do so in halves.
  const auto bound_queries = [&](const auto& self, std::int64_t first, std::int64_t count) -> void {
    try {
      if (bound_chunk(shared, sets, request, spec, validated.semantics, first, count, deadline, result)) {
        complete += count;
      }
      return;
    } catch (const std::bad_alloc&) {
      if (count == 1) out_of_memory = true;
    }
    if (count == 1) return;
    self(self, first, count / 2);
    self(self, first + count / 2, count - count / 2);
  };
  phase.emplace(validated.trace.get(), SpanKind::Phase, "bounding");
  tbb::task_arena workers(validated.threads);
  workers.execute([&] {
    parallel_for(chunks, [&](std::int64_t c) {
      bound_queries(bound_queries, c * chunk, std::min(chunk, sets.count - c * chunk));
    });
  });
  result.complete = complete;
  result.bounding_s = deadline.elapsed() - result.import_s;
  if (out_of_memory) result.reason = "memory";
  phase.reset();
  if (page != nullptr) {
    add_program(*page, "Bounds in float32", engine.bounds_program(), validated.trace.get());
    page->times = page_times(*validated.trace, {{"bounds in float32", &engine.bounds_program().program()}});
  }
}

}  // namespace

namespace {

BoundsResult answer(const ModelSource& source, const BoundsRequest& request, const Options& options,
                    const VerifyHooks& hooks) {
  const Request validated = validate(options, Workload::Once);
  const Deadline deadline(options.timeout, Clock::now(), hooks.interrupt);
  BoundsResult result;
  CompileReport compiled;
  Page page = page_of_command("bounds", source.name);
  try {
    fill_bounds(source, request, options, validated, deadline, result, compiled,
                options.report.empty() ? nullptr : &page);
  } catch (const StoppedError&) {
    result.import_s = deadline.elapsed();
  } catch (const std::bad_alloc&) {
    if (result.queries == 0) result = {};  // some of its arrays may be missing
    result.reason = "memory";
    if (result.import_s == 0) result.import_s = deadline.elapsed();
  }
  const bool all = result.queries > 0 && result.complete == result.queries;
  if (!all && result.reason.empty()) result.reason = deadline.interrupted() ? "interrupted" : "timeout";
  result.interrupted = !all && deadline.interrupted();
  if (!options.profile.empty())
    result.profile = to_chrome_trace(*validated.trace, deadline.elapsed(), validated.threads);
  add_kernel_uses(compiled, validated, deadline);
  const BoundsReport report{.version = version(),
                            .network = source.name,
                            .method = request.method,
                            .norm = request.norm,
                            .semantics = options.semantics,
                            .queries = result.queries,
                            .complete = result.complete,
                            .reason = result.reason,
                            .rows = result.rows,
                            .executor = std::string(validated.executor->name()),
                            .import_s = result.import_s,
                            .compile = compiled,
                            .bounding_s = result.bounding_s,
                            .lower = result.lower,
                            .upper = result.upper,
                            .lower_error = result.lower_error,
                            .upper_error = result.upper_error};
  if (request.json) result.json = to_json(report);
  if (!options.report.empty()) {
    add_bounds(page, report);
    result.report = to_html(page);
  }
  return result;
}

}  // namespace

BoundsResult bounds(const std::string& network_path, const BoundsRequest& request, const Options& options,
                    const VerifyHooks& hooks, const OperatorTable& table) {
  return answer(model_in_file(network_path, table), request, options, hooks);
}

BoundsResult bounds(const std::string& network_path, const BoundsRequest& request, const Options& options,
                    const VerifyHooks& hooks) {
  return bounds(network_path, request, options, hooks, operator_table());
}

BoundsResult bounds(const Model& network, const BoundsRequest& request, const Options& options,
                    const VerifyHooks& hooks) {
  return answer(model_in_memory(network), request, options, hooks);
}

NumericArray read_array(const std::string& path) {
  const auto numbers = [&](Array array) -> NumericArray {
    if (!array.texts.empty()) throw InputError({.file = path}, "an array of text; numbers are expected");
    return {std::move(array.shape), std::move(array.values)};
  };
  if (path.ends_with(".npy")) return numbers(read_npy(path));
  const std::size_t colon = path.rfind(".npz:");
  const std::string file = colon == std::string::npos ? path : path.substr(0, colon + 4);
  auto arrays = read_npz(file);
  if (colon != std::string::npos) {
    const std::string name = path.substr(colon + 5);
    const auto found = arrays.find(name);
    if (found == arrays.end()) throw InputError({.file = file}, "there is no array '" + name + "'");
    return numbers(std::move(found->second));
  }
  if (arrays.size() != 1) {
    std::string names;
    for (const auto& [name, array] : arrays) names += (names.empty() ? "" : ", ") + name;
    throw InputError({.file = file}, fmt::format("{} arrays ({}); name one as {}:NAME", arrays.size(), names, file));
  }
  return numbers(std::move(arrays.begin()->second));
}

std::string to_npz(const BoundsResult& result) {
  NpzWriter writer;
  const std::vector<std::int64_t> shape{result.queries, result.rows};
  writer.add("lower", shape, result.lower);
  writer.add("upper", shape, result.upper);
  writer.add("lower_error", shape, result.lower_error);
  writer.add("upper_error", shape, result.upper_error);
  if (!result.lower_form.empty()) {
    const std::vector<std::int64_t> forms{result.queries, result.rows, result.inputs};
    writer.add("lower_form", forms, result.lower_form);
    writer.add("upper_form", forms, result.upper_form);
    writer.add("lower_form_constant", shape, result.lower_form_constant);
    writer.add("upper_form_constant", shape, result.upper_form_constant);
  }
  return writer.finish();
}

namespace {

// Nine digits that are not above a lower bound, not below an upper one.
std::string outward(double bound, bool lower) {
  const auto text = [](double x) { return fmt::format("{:.9g}", x); };
  std::string nearest = text(bound);
  const double printed = std::strtod(nearest.c_str(), nullptr);
  if (lower ? !(printed > bound) : !(printed < bound)) return nearest;
  // A little more than half of the last digit, so that rounding to nearest takes the next one.
  const double step = 0.6 * std::pow(10, std::floor(std::log10(std::fabs(bound))) - 8);
  return text(lower ? bound - step : bound + step);
}

}  // namespace

std::string to_table(const BoundsResult& result, std::int64_t max_lines) {
  std::string text = fmt::format("{:>6} {:>6} {:>16} {:>16} {:>12} {:>12}\n", "input", "row", "lower", "upper",
                                 "lower error", "upper error");
  const std::int64_t lines = std::min(max_lines, result.queries * result.rows);
  for (std::int64_t n = 0; n < lines; ++n) {
    const std::size_t k = at(n);
    text += fmt::format("{:>6} {:>6} {:>16} {:>16} {:>12.3g} {:>12.3g}\n", n / result.rows, n % result.rows,
                        outward(result.lower[k], true), outward(result.upper[k], false), result.lower_error[k],
                        result.upper_error[k]);
  }
  const std::int64_t left = result.queries * result.rows - lines;
  if (left > 0) text += fmt::format("... and {} more; --out writes all of them\n", left);
  return text;
}

}  // namespace boundflow
