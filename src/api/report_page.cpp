#include "api/report_page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "api/import_network.hpp"
#include "api/request.hpp"
#include "report/html/units.hpp"

namespace boundflow {

namespace {

std::size_t at(std::int32_t id) {
  return static_cast<std::size_t>(id);
}

std::string shape_text(const Shape& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "×"));
}

std::int64_t parameters_of(const Network& network, const std::vector<ValueId>& values) {
  std::int64_t count = 0;
  for (const ValueId id : values) {
    if (id != kNoValue && network.is_constant(id) && is_floating(network.value(id).type.dtype)) {
      count += network.size_of(id);
    }
  }
  return count;
}

// A tooltip has to be read at a glance: of long texts the beginning.
std::string tooltip_text(std::string text) {
  constexpr std::size_t kMost = 400;
  if (text.size() > kMost) text = text.substr(0, kMost) + " ...";
  return text;
}

PageOp page_op(const BoundProgram& program, const TaskOp& op, const Trace* trace) {
  PageOp result;
  result.kind = to_string(op.kind);
  result.text = print(program, op);
  if (trace != nullptr) {
    const Trace::Total total = trace->total_of(&op);
    result.runs = total.count;
    result.seconds = total.seconds;
  }
  return result;
}

PageTask page_task(const BoundProgram& program, const StoragePlan& plan, const Task& task, const Trace* trace) {
  PageTask result;
  result.name = task.name;
  result.rows = to_string(task.kind);
  if (task.kind == TaskKind::Neurons) result.tightens = fmt::format("%{}", task.target);
  for (const TaskOp& op : task.ops) {
    result.ops.push_back(page_op(program, op, trace));
    for (const BufferId id : op.outputs) {
      if (!is_per_row(program.buffers[at(id)].kind)) result.bytes_per_subproblem += plan.placements[at(id)].bytes;
    }
  }
  result.bytes_per_row = row_bytes(program, plan, task);
  return result;
}

std::vector<PageArena> page_arenas(const BoundProgram& program, const StoragePlan& plan) {
  PageArena batch{"subproblem", plan.batch_bytes, plan.batch_bytes_without_reuse, {}};
  PageArena rows{"row", plan.row_bytes, plan.row_bytes_without_reuse, {}};
  for (std::size_t id = 0; id < program.buffers.size(); ++id) {
    const Buffer& buffer = program.buffers[id];
    const Placement& placement = plan.placements[id];
    if (placement.first_use < 0) continue;
    const std::string kind(to_string(buffer.kind));
    (is_per_row(buffer.kind) ? rows : batch)
        .buffers.push_back({fmt::format("%{} {}[{}]", id, kind, buffer.columns), kind, placement.offset,
                            placement.bytes, placement.first_use, placement.last_use});
  }
  std::vector<PageArena> arenas;
  for (PageArena* arena : {&batch, &rows}) {
    if (!arena->buffers.empty()) arenas.push_back(std::move(*arena));
  }
  return arenas;
}

PageNetwork page_network(const Network& network) {
  PageNetwork page;
  std::vector<int> producers(network.values().size(), -1);
  const auto shape = [&](ValueId id) { return shape_text(network.value(id).type.shape); };
  for (const ValueId id : network.inputs()) {
    producers[at(id)] = static_cast<int>(page.nodes.size());
    page.nodes.push_back({PageNetwork::Kind::Input, "", network.value(id).name, shape(id), 0, "the network's input"});
  }
  std::set<std::pair<int, int>> edges;
  const auto connect = [&](ValueId id, int to) {
    if (id != kNoValue && producers[at(id)] >= 0) edges.emplace(producers[at(id)], to);
  };
  for (const Node& node : network.nodes()) {
    const int number = static_cast<int>(page.nodes.size());
    for (const ValueId id : node.inputs) connect(id, number);
    for (const ValueId id : node.outputs) producers[at(id)] = number;
    page.nodes.push_back({PageNetwork::Kind::Node, node.op, node.name, shape(node.outputs.at(0)),
                          parameters_of(network, node.inputs), tooltip_text(print(network, node))});
  }
  for (const ValueId id : network.outputs()) {
    connect(id, static_cast<int>(page.nodes.size()));
    page.nodes.push_back({PageNetwork::Kind::Output, "", network.value(id).name, shape(id), 0, "the network's output"});
  }
  page.edges.assign(edges.begin(), edges.end());
  return page;
}

PageProgram page_program(std::string name, const BoundProgram& program, const StoragePlan& plan, const Trace* trace) {
  PageProgram page;
  page.name = std::move(name);
  page.timed = trace != nullptr;
  for (const Task& task : program.tasks) {
    PageTask result = page_task(program, plan, task, trace);
    for (const std::size_t earlier : task.after) result.depends_on.push_back(static_cast<int>(earlier));
    page.tasks.push_back(std::move(result));
  }
  page.arenas = page_arenas(program, plan);
  return page;
}

// Each map of the network that kernels were generated or chosen for, and the ops around them.
void add_kernels(Page& page, const CompileReport& report) {
  if (report.kernels.empty()) return;
  PageTimes times{"Maps of the network and ops around them, summed over threads", {}};
  for (const KernelUse& use : report.kernels) {
    times.times.push_back({label(use), use.total_s, describe(use, report)});
  }
  page.times.push_back(std::move(times));
}

}  // namespace

std::vector<PageTimes> page_times(const Trace& trace, const std::vector<RunProgram>& programs) {
  PageTimes phases{"Phases, by the clock", {}};
  for (const auto& [key, total] : trace.totals()) {
    if (key.first == SpanKind::Phase) phases.times.push_back({std::string(key.second), total.seconds});
  }
  PageTimes of_programs{"Programs, summed over threads", {}};
  double ops_s = 0;
  for (const RunProgram& run : programs) {
    double seconds = 0;
    for (const Task& task : run.program->tasks) {
      for (const TaskOp& op : task.ops) seconds += trace.total_of(&op).seconds;
    }
    of_programs.times.push_back({run.name, seconds});
    ops_s += seconds;
  }
  const double products_s = trace.total_of(SpanKind::Product).seconds;
  const double row_kernels_s = trace.total_of(SpanKind::RowKernel).seconds;
  PageTimes kernels{"Within the ops, summed over threads",
                    {{"products with weights", products_s},
                     {"row kernels", row_kernels_s},
                     {"the rest", std::max(0.0, ops_s - products_s - row_kernels_s)}}};
  return {std::move(phases), std::move(of_programs), std::move(kernels)};
}

Page page_of_command(std::string command, const std::string& network_path) {
  Page page;
  page.version = version();
  page.command = std::move(command);
  page.network_file = network_path;
  page.facts.push_back({"network", network_path});
  return page;
}

void add_network(Page& page, const Network& source, const Network& normal) {
  page.network = page_network(normal);
  const Value& input = source.value(source.input());
  const Value& output = source.value(source.output());
  page.figures.push_back({"parameters", count_text(parameter_count(source))});
  page.figures.push_back({"nodes", count_text(static_cast<std::int64_t>(normal.nodes().size())),
                          fmt::format("{} in the file's graph", source.nodes().size())});
  page.facts.push_back({"input", input.name, to_string(input.type)});
  page.facts.push_back({"output", output.name, to_string(output.type)});
}

void add_program(Page& page, std::string name, const BoundProgram& program, const StoragePlan& plan,
                 const Trace* trace) {
  if (page.programs.empty()) {
    const auto without = [](std::int64_t bytes) { return bytes_text(bytes) + " without reuse"; };
    page.figures.push_back({"subproblem arena", bytes_text(plan.batch_bytes), without(plan.batch_bytes_without_reuse)});
    page.figures.push_back({"row arena", bytes_text(plan.row_bytes), without(plan.row_bytes_without_reuse)});
  }
  page.programs.push_back(page_program(std::move(name), program, plan, trace));
}

void add_program(Page& page, std::string name, const CompiledProgram& program, const Trace* trace) {
  add_program(page, std::move(name), program.program(), program.plan(), trace);
}

namespace {

// The splits of the most frequent layers or inputs, in their order.
void add_branchings(Page& page, const char* what, const std::vector<std::int64_t>& splits) {
  constexpr std::size_t kMost = 32;
  std::vector<std::size_t> split;
  for (std::size_t k = 0; k < splits.size(); ++k) {
    if (splits[k] > 0) split.push_back(k);
  }
  std::stable_sort(split.begin(), split.end(), [&](std::size_t a, std::size_t b) { return splits[a] > splits[b]; });
  const std::size_t left_out = split.size() - std::min(kMost, split.size());
  split.resize(split.size() - left_out);
  std::sort(split.begin(), split.end());
  for (const std::size_t k : split) page.branchings.push_back({fmt::format("{} {}", what, k), count_text(splits[k])});
  if (left_out > 0) page.branchings.push_back({fmt::format("{} more", left_out), "…"});
}

void add_course(Page& page, const SearchReport& search) {
  for (std::size_t d = 0; d < search.opened.size(); ++d) {
    page.depths.push_back({search.opened[d], search.closed[d], search.splits[d]});
  }
  add_branchings(page, "input", search.splits_by_input);
  add_branchings(page, "layer", search.splits_by_layer);
  for (const SearchReport::Sample& sample : search.samples) {
    page.samples.push_back({sample.time_s, sample.open, sample.worst_bound});
  }
  PageTimes phases{"Phases of the search", {}};
  for (const auto& [phase, seconds] : search.phases) {
    if (seconds > 0) phases.times.push_back({phase, seconds});
  }
  if (!phases.times.empty()) page.times.push_back(std::move(phases));
}

}  // namespace

void add_search(Page& page, const VerifyReport& report) {
  add_kernels(page, report.compile);
  page.answer = report.verdict;
  page.answer_note = report.verdict == "unsat" ? "Proved: no input of the region violates the property."
                     : report.verdict == "sat" ? "Violated: there is an input that breaks the property."
                                               : report.reason;
  page.figures.insert(page.figures.begin(),
                      {{"time", seconds_text(report.time_s), seconds_text(report.import_s) + " until the search"},
                       {"subproblems", count_text(report.subproblems), count_text(report.splits) + " splits"}});
  page.facts.insert(page.facts.begin() + 1, {"property", report.property});
  page.facts.push_back({"semantics", report.semantics});
  page.facts.push_back({"executor", report.executor, report.instruction_set});
  page.facts.push_back({"threads", std::to_string(report.threads)});
  page.facts.push_back({"seed", std::to_string(report.seed)});
  page.facts.push_back({"memory of the process", bytes_text(peak_resident_memory()), "at most"});
  page.search = {{"subproblems bounded", count_text(report.subproblems)},
                 {"specification rows bounded", count_text(report.rows)},
                 {"bounded again in float64", count_text(report.bounded_in_double)},
                 {"closed", count_text(report.closed)},
                 {"splits", count_text(report.splits)},
                 {"deepest", count_text(report.depth), "splits above a subproblem"},
                 {"open at the end", count_text(report.open), count_text(report.peak_open) + " at most"},
                 {"worst bound", report.open > 0 ? number_text(report.worst_bound) : "–",
                  report.open > 0 ? "of the open subproblems; above zero is proved" : "no subproblem is open"},
                 {"attack", seconds_text(report.attack_s)},
                 {"bounding", seconds_text(report.bounding_s)}};
  add_course(page, report.search);
  const auto add_coordinates = [&](const char* name, const std::vector<std::string>& values) {
    constexpr std::size_t kMost = 64;
    for (std::size_t i = 0; i < std::min(kMost, values.size()); ++i) {
      page.witness.push_back({fmt::format("{}_{}", name, i), values[i]});
    }
    if (values.size() > kMost) page.witness.push_back({fmt::format("{} more of {}", values.size() - kMost, name), "…"});
  };
  add_coordinates("Y", report.witness_output);
  add_coordinates("X", report.witness_input);
}

void add_bounds(Page& page, const BoundsReport& report) {
  add_kernels(page, report.compile);
  page.figures.insert(
      page.figures.begin(),
      {{"time", seconds_text(report.import_s + report.bounding_s), seconds_text(report.bounding_s) + " of bounding"},
       {"input sets", count_text(report.complete), fmt::format("of {}", count_text(report.queries))}});
  page.facts.push_back({"method", report.method});
  page.facts.push_back({"norm", report.norm});
  page.facts.push_back({"semantics", report.semantics});
  page.facts.push_back({"rows", count_text(report.rows)});
  if (!report.reason.empty()) page.facts.push_back({"stopped", report.reason});
  page.facts.push_back({"memory of the process", bytes_text(peak_resident_memory()), "at most"});
  constexpr std::int64_t kMost = 32;
  const std::int64_t rows = report.queries > 0 ? std::min(kMost, report.rows) : 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
    page.bounds.push_back({report.lower[i], report.upper[i]});
  }
  page.bounds_note = fmt::format("{} of the first input set, from the lower to the upper bound.",
                                 rows < report.rows ? fmt::format("The first {} rows", rows) : "All rows");
}

}  // namespace boundflow
