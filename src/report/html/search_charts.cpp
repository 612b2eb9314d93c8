#include "report/html/search_charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/html/chart.hpp"
#include "report/html/units.hpp"

namespace boundflow {

namespace {

constexpr double kLeft = 72;
constexpr double kRight = 1072;
constexpr double kTop = 14;
constexpr double kBottom = 194;

void open_chart(Markup& page, const std::string& label) {
  page.open("svg", {{"class", "chart"}, {"role", "img"}, {"aria-label", label}, {"viewBox", "0 0 1080 228"}});
}

struct Axis {
  double least = 0;
  double greatest = 1;
  double from = 0;  // in the drawing
  double to = 1;

  double operator()(double value) const { return from + (to - from) * (value - least) / (greatest - least); }
  std::vector<double> ticks(int most, double least_step = 0) const {
    const double step = std::max(least_step, round_step(greatest - least, most));
    std::vector<double> result;
    // Counted, so that rounding does not pile up.
    for (double k = std::ceil(least / step); k * step <= greatest; ++k) result.push_back(k * step);
    return result;
  }
};

void draw_legend(Markup& page) {
  page.open("p", {{"class", "legend"}});
  for (const auto& [style, text] : {std::pair("closed", " closed"),
                                    {"split", " split"},
                                    {"left", " left open, or begun anew with better bounds"}}) {
    page.open("span", {});
    page.open("svg", {{"width", "12"}, {"height", "12"}, {"aria-hidden", "true"}});
    page.empty("rect", {{"class", style}, {"width", "12"}, {"height", "12"}, {"rx", "2"}});
    page.close();
    page.text(text);
    page.close();
  }
  page.close();
}

}  // namespace

void draw_tree(Markup& page, const std::vector<PageDepth>& depths) {
  if (depths.empty()) return;
  page.element("h4", {}, "Subproblems by depth");
  std::int64_t most = 1;
  for (const PageDepth& depth : depths) most = std::max(most, depth.opened);
  const Axis x{0, static_cast<double>(depths.size()), kLeft, kRight};
  const Axis y{0, static_cast<double>(most), kBottom, kTop};
  page.open("div", {{"class", "figure"}});
  open_chart(page, "subproblems by depth");
  for (const double count : y.ticks(5, 1)) {
    draw_line(page, "grid", kLeft, y(count), kRight, y(count));
    draw_label(page, "tick end", kLeft - 8, y(count) + 4, number_text(count));
  }
  for (const double depth : x.ticks(16, 1)) {
    if (depth >= x.greatest) continue;
    draw_label(page, "tick middle", x(depth + 0.5), kBottom + 16, number_text(depth));
  }
  draw_label(page, "tick end", kLeft - 8, kBottom + 16, "depth");
  const double gap = x(1) - x(0) > 6 ? 1 : 0;
  for (std::size_t d = 0; d < depths.size(); ++d) {
    const PageDepth& depth = depths[d];
    const std::int64_t left = std::max<std::int64_t>(0, depth.opened - depth.closed - depth.splits);
    const double begin = x(static_cast<double>(d));
    page.open("g", {});
    page.element("title", {},
                 fmt::format("depth {}: {} subproblems, {} closed, {} split, {} left open", d, count_text(depth.opened),
                             count_text(depth.closed), count_text(depth.splits), count_text(left)));
    std::int64_t below = 0;
    for (const auto& [style, count] : {std::pair("closed", depth.closed), {"split", depth.splits}, {"left", left}}) {
      if (count == 0) continue;
      const double top = y(static_cast<double>(below + count));
      page.empty("rect", {{"class", style},
                          {"x", coordinate(begin + gap)},
                          {"y", coordinate(top)},
                          {"width", coordinate(x(static_cast<double>(d + 1)) - begin - 2 * gap)},
                          {"height", coordinate(y(static_cast<double>(below)) - top)}});
      below += count;
    }
    page.close();
  }
  page.close();
  draw_legend(page);
  page.close();
}

void draw_over_time(Markup& page, const std::string& title, const std::vector<std::pair<double, double>>& points) {
  std::vector<std::pair<double, double>> known;
  std::copy_if(points.begin(), points.end(), std::back_inserter(known),
               [](const auto& point) { return std::isfinite(point.second); });
  if (known.size() < 2) return;
  double least = 0;  // so that the axis shows the sign
  double greatest = 0;
  for (const auto& point : known) {
    least = std::min(least, point.second);
    greatest = std::max(greatest, point.second);
  }
  if (!(greatest > least)) greatest = least + 1;
  const double begin = points.front().first;
  const Axis x{begin, std::max(points.back().first, begin + 1e-6), kLeft, kRight};
  const Axis y{least, greatest, kBottom, kTop};
  page.element("h4", {}, title);
  page.open("div", {{"class", "figure"}});
  open_chart(page, title + " over time");
  for (const double value : y.ticks(5)) {
    draw_line(page, value == 0 ? "peak" : "grid", kLeft, y(value), kRight, y(value));
    draw_label(page, "tick end", kLeft - 8, y(value) + 4, number_text(value));
  }
  for (const double second : x.ticks(10)) {
    draw_label(page, "tick middle", x(second), kBottom + 16, seconds_text(second));
  }
  std::string curve;
  const auto finish = [&] {
    if (!curve.empty()) page.empty("polyline", {{"class", "curve"}, {"points", curve}});
    curve.clear();
  };
  for (const auto& [second, value] : points) {
    if (!std::isfinite(value)) {
      finish();
      continue;
    }
    curve += fmt::format("{}{},{}", curve.empty() ? "" : " ", coordinate(x(second)), coordinate(y(value)));
  }
  finish();
  page.close();
  page.close();
}

}  // namespace boundflow
