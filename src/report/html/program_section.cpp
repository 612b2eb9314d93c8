#include "report/html/program_section.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "report/html/arena_chart.hpp"
#include "report/html/bars.hpp"
#include "report/html/graph_drawing.hpp"
#include "report/html/units.hpp"

namespace boundflow {

namespace {

double seconds_of(const PageTask& task) {
  double sum = 0;
  for (const PageOp& op : task.ops) sum += op.seconds;
  return sum;
}

double seconds_of(const PageProgram& program) {
  double sum = 0;
  for (const PageTask& task : program.tasks) sum += seconds_of(task);
  return sum;
}

std::string bytes_of(const PageTask& task) {
  std::string text;
  if (task.bytes_per_subproblem > 0) text = bytes_text(task.bytes_per_subproblem) + "/subproblem";
  if (task.bytes_per_row > 0) text += (text.empty() ? "" : ", ") + bytes_text(task.bytes_per_row) + "/row";
  return text.empty() ? "–" : text;
}

std::string ops_of(const PageTask& task) {
  return fmt::format("{} {}", task.ops.size(), task.ops.size() == 1 ? "op" : "ops");
}

// Without the dependencies that others imply.
std::vector<std::pair<int, int>> needed_edges(const std::vector<PageTask>& tasks) {
  std::vector<std::vector<bool>> before(tasks.size());  // what a task waits for, directly or not
  std::vector<std::pair<int, int>> edges;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    before[t].assign(tasks.size(), false);
    std::vector<int> sources = tasks[t].depends_on;
    std::sort(sources.rbegin(), sources.rend());
    for (const int source : sources) {
      const auto s = static_cast<std::size_t>(source);
      if (before[t][s]) continue;
      edges.emplace_back(source, static_cast<int>(t));
      before[t][s] = true;
      for (std::size_t k = 0; k < s; ++k) {
        if (before[s][k]) before[t][k] = true;
      }
    }
  }
  return edges;
}

std::string style_of(const PageTask& task) {
  if (!task.tightens.empty()) return "neurons";
  return task.bytes_per_row > 0 ? "spec" : "batch";
}

void write_graph(Markup& page, const PageProgram& program, const std::string& id) {
  const double whole_s = seconds_of(program);
  std::vector<GraphBox> boxes;
  for (std::size_t t = 0; t < program.tasks.size(); ++t) {
    const PageTask& task = program.tasks[t];
    const double seconds = seconds_of(task);
    GraphBox box;
    box.style = style_of(task);
    box.head = fmt::format("{} · {}", t, task.name);
    box.line = ops_of(task) + (program.timed ? " · " + seconds_text(seconds) : "") + " · " +
               bytes_text(task.bytes_per_row > 0 ? task.bytes_per_row : task.bytes_per_subproblem) +
               (task.bytes_per_row > 0 ? "/row" : "");
    box.tooltip = fmt::format("task {}: {}\n{}\n{}, {}", t, task.name, task.rows, ops_of(task), bytes_of(task));
    if (!task.tightens.empty()) box.tooltip += "\ntightens " + task.tightens;
    if (!task.depends_on.empty()) box.tooltip += fmt::format("\nreads tasks {}", fmt::join(task.depends_on, ", "));
    box.link = fmt::format("#{}-task-{}", id, t);
    box.share = whole_s > 0 ? seconds / whole_s : 0;
    boxes.push_back(std::move(box));
  }
  page.element("h3", {}, "Task graph");
  page.element(
      "p", {{"class", "quiet"}},
      "A box per task, an edge where one reads what another has found; those that others imply are left out. " +
          std::string(program.timed ? "The bar along a box is its share of the time." : ""));
  draw_graph(page, "the tasks of " + program.name, boxes, needed_edges(program.tasks), {.box_width = 204});
}

void write_times(Markup& page, const PageProgram& program, const std::string& id) {
  page.element("h3", {}, "Time per task and per op");
  if (!program.timed) {
    page.element("p", {{"class", "quiet"}}, "The program was compiled, not run: there are no times.");
    return;
  }
  const double whole_s = seconds_of(program);
  page.element("p", {{"class", "quiet"}}, seconds_text(whole_s) + " in all, summed over the threads.");
  std::vector<Bar> tasks;
  struct Total {
    double seconds = 0;
    std::int64_t runs = 0;
  };
  std::map<std::string, Total> kinds;
  for (std::size_t t = 0; t < program.tasks.size(); ++t) {
    const PageTask& task = program.tasks[t];
    tasks.push_back({fmt::format("{} · {}", t, task.name), fmt::format("#{}-task-{}", id, t), seconds_of(task), ""});
    for (const PageOp& op : task.ops) {
      kinds[op.kind].seconds += op.seconds;
      kinds[op.kind].runs += op.runs;
    }
  }
  std::vector<Bar> ops;
  for (const auto& [kind, total] : kinds) {
    ops.push_back({kind, "", total.seconds, count_text(total.runs) + "×"});
  }
  page.open("div", {{"class", "columns"}});
  page.open("div");
  draw_bars(page, "Tasks", std::move(tasks), whole_s);
  page.close();
  page.open("div");
  draw_bars(page, "Kinds of op", std::move(ops), whole_s);
  page.close();
  page.close();
}

void write_row(Markup& page, std::initializer_list<std::string> cells) {
  for (const std::string& cell : cells) page.element("span", {}, cell);
}

void write_tasks(Markup& page, const PageProgram& program, const std::string& id) {
  page.element("h3", {}, "Tasks and their ops");
  page.open("div", {{"class", "tasks"}});
  std::int64_t number = 0;
  const double whole_s = seconds_of(program);
  for (std::size_t t = 0; t < program.tasks.size(); ++t) {
    const PageTask& task = program.tasks[t];
    const double seconds = seconds_of(task);
    page.open("details", {{"id", fmt::format("{}-task-{}", id, t)}});
    page.open("summary");
    write_row(page, {std::to_string(t), task.name, task.rows, ops_of(task),
                     program.timed ? fmt::format("{} ({})", seconds_text(seconds),
                                                 share_text(whole_s > 0 ? seconds / whole_s : 0))
                                   : "",
                     bytes_of(task)});
    page.close();
    page.open("table", {{"class", "ops"}});
    page.open("tbody");
    for (const PageOp& op : task.ops) {
      page.open("tr");
      page.element("td", {}, std::to_string(number++));
      page.element("td", {}, op.text);
      page.element("td", {{"class", "number"}}, op.runs > 0 ? count_text(op.runs) + "×" : "");
      page.element("td", {{"class", "number"}}, op.runs > 0 ? seconds_text(op.seconds) : "");
      page.close();
    }
    page.close();
    page.close();
    page.close();
  }
  page.close();
}

}  // namespace

void write_program(Markup& page, const PageProgram& program, const std::string& id) {
  write_graph(page, program, id);
  page.element("h3", {}, "Storage");
  page.element("p", {{"class", "quiet"}},
               "From left to right the ops, from the bottom up the bytes; a rectangle is a buffer from the op that "
               "writes it to the last one that reads it.");
  for (const PageArena& arena : program.arenas) draw_arena(page, arena, program.tasks);
  write_times(page, program, id);
  write_tasks(page, program, id);
}

}  // namespace boundflow
