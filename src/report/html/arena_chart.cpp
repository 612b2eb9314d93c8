#include "report/html/arena_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "report/html/chart.hpp"
#include "report/html/units.hpp"

namespace boundflow {

namespace {

constexpr double kLeft = 72;
constexpr double kRight = 1072;
constexpr double kTop = 22;
constexpr double kBottom = 262;
constexpr double kTasksTop = 268;
constexpr double kTasksHeight = 16;
constexpr double kHeight = 312;

// A power of two, so that ticks of bytes are round numbers of their units.
std::int64_t tick_step(std::int64_t bytes, int most_ticks) {
  std::int64_t step = 64;
  while (bytes / step > most_ticks) step *= 2;
  return step;
}

class ArenaChart {
 public:
  ArenaChart(Markup& page, const PageArena& arena, const std::vector<PageTask>& tasks)
      : page_(page), arena_(arena), tasks_(tasks) {
    for (const PageTask& task : tasks) ops_ += static_cast<std::int64_t>(task.ops.size());
  }

  void draw() {
    // Gaps between rectangles would hide those of a pixel.
    page_.open("svg", {{"class", x(1) - x(0) < 3 ? "chart fine" : "chart"},
                       {"role", "img"},
                       {"aria-label", "the arena per " + arena_.unit + " over time"},
                       {"viewBox", "0 0 1080 " + coordinate(kHeight)}});
    draw_grid();
    for (const PageBuffer& buffer : arena_.buffers) draw_buffer(buffer);
    draw_peak();
    draw_tasks();
    page_.close();
  }

 private:
  double x(std::int64_t op) const {
    return kLeft + (kRight - kLeft) * static_cast<double>(op) / static_cast<double>(std::max<std::int64_t>(ops_, 1));
  }
  double y(std::int64_t bytes) const {
    return kBottom -
           (kBottom - kTop) * static_cast<double>(bytes) / static_cast<double>(std::max<std::int64_t>(arena_.bytes, 1));
  }

  void draw_grid() {
    const std::int64_t step = tick_step(arena_.bytes, 6);
    for (std::int64_t bytes = 0; bytes <= arena_.bytes; bytes += step) {
      draw_line(page_, "grid", kLeft, y(bytes), kRight, y(bytes));
      draw_label(page_, "tick end", kLeft - 8, y(bytes) + 4, bytes_text(bytes));
    }
    const auto ops = static_cast<std::int64_t>(std::max(1.0, round_step(std::max(1.0, static_cast<double>(ops_)), 12)));
    for (std::int64_t op = 0; op < ops_; op += ops) {
      draw_label(page_, "tick middle", (x(op) + x(op + 1)) / 2, kTasksTop + kTasksHeight + 14, count_text(op));
    }
    draw_label(page_, "tick end", kLeft - 8, kTasksTop + kTasksHeight + 14, "op");
    draw_label(page_, "tick end", kLeft - 8, kTasksTop + 12, "tasks");
  }

  void draw_buffer(const PageBuffer& buffer) {
    page_.open("rect", {{"class", "buffer " + buffer.kind},
                        {"x", coordinate(x(buffer.first_op))},
                        {"y", coordinate(y(buffer.offset + buffer.bytes))},
                        {"width", coordinate(x(buffer.last_op + 1) - x(buffer.first_op))},
                        {"height", coordinate(y(buffer.offset) - y(buffer.offset + buffer.bytes))}});
    page_.element("title", {},
                  fmt::format("{}\n{} per {}, at {} to {}\nops {} to {}", buffer.name, bytes_text(buffer.bytes),
                              arena_.unit, count_text(buffer.offset), count_text(buffer.offset + buffer.bytes),
                              buffer.first_op, buffer.last_op));
    page_.close();
  }

  void draw_peak() {
    draw_line(page_, "peak", kLeft, kTop, kRight, kTop);
    draw_label(page_, "peak-label end", kRight, kTop - 7, bytes_text(arena_.bytes) + " per " + arena_.unit);
  }

  void draw_tasks() {
    std::int64_t first = 0;
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      const PageTask& task = tasks_[t];
      const auto end = first + static_cast<std::int64_t>(task.ops.size());
      const double width = x(end) - x(first);
      page_.open("rect", {{"class", t % 2 == 0 ? "task even" : "task odd"},
                          {"x", coordinate(x(first))},
                          {"y", coordinate(kTasksTop)},
                          {"width", coordinate(width)},
                          {"height", coordinate(kTasksHeight)}});
      page_.element("title", {}, fmt::format("task {}: {}\nops {} to {}", t, task.name, first, end - 1));
      page_.close();
      const std::string number = std::to_string(t);
      if (width > 7.0 * static_cast<double>(number.size()) + 4) {
        draw_label(page_, "tick middle", x(first) + width / 2, kTasksTop + 12, number);
      }
      if (first > 0 && width > 12) draw_line(page_, "grid", x(first), kTop, x(first), kBottom);
      first = end;
    }
  }

  Markup& page_;
  const PageArena& arena_;
  const std::vector<PageTask>& tasks_;
  std::int64_t ops_ = 0;
};

void draw_legend(Markup& page, const PageArena& arena) {
  std::set<std::string> kinds;
  for (const PageBuffer& buffer : arena.buffers) kinds.insert(buffer.kind);
  page.open("p", {{"class", "legend"}});
  for (const std::string& kind : kinds) {
    page.open("span", {});
    page.open("svg", {{"width", "12"}, {"height", "12"}, {"aria-hidden", "true"}});
    page.empty("rect", {{"class", "buffer " + kind}, {"width", "12"}, {"height", "12"}, {"rx", "2"}});
    page.close();
    page.text(" " + kind);
    page.close();
  }
  page.close();
}

}  // namespace

void draw_arena(Markup& page, const PageArena& arena, const std::vector<PageTask>& tasks) {
  page.element("h4", {}, "Arena per " + arena.unit);
  if (arena.buffers.empty()) {
    page.element("p", {{"class", "quiet"}}, "No buffers.");
    return;
  }
  const double gain = static_cast<double>(arena.bytes_without_reuse) / static_cast<double>(arena.bytes);
  page.element("p", {},
               fmt::format("{} buffers in {}; each in bytes of its own would take {}, {:.1f} times as much.",
                           arena.buffers.size(), bytes_text(arena.bytes), bytes_text(arena.bytes_without_reuse), gain));
  page.open("div", {{"class", "figure"}});
  ArenaChart(page, arena, tasks).draw();
  draw_legend(page, arena);
  page.close();
}

}  // namespace boundflow
