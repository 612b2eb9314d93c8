#include "report/html/bars.hpp"

#include <algorithm>
#include <cmath>

#include "report/html/units.hpp"

namespace boundflow {

namespace {

void draw_bar(Markup& page, const Bar& bar, double longest, double whole_s) {
  page.open("tr");
  page.open("th", {{"scope", "row"}, {"class", "name"}});
  if (bar.link.empty()) {
    page.text(bar.label);
  } else {
    page.element("a", {{"href", bar.link}}, bar.label);
  }
  page.close();
  page.open("td", {{"class", "bar"}});
  page.open("svg", {{"viewBox", "0 0 100 10"}, {"preserveAspectRatio", "none"}, {"aria-hidden", "true"}});
  page.empty(
      "rect",
      {{"class", "amount"}, {"width", coordinate(longest > 0 ? 100 * bar.seconds / longest : 0)}, {"height", "10"}});
  page.close();
  page.close();
  page.element("td", {{"class", "number"}}, seconds_text(bar.seconds));
  page.element("td", {{"class", "number quiet"}}, whole_s > 0 ? share_text(bar.seconds / whole_s) : "");
  page.element("td", {{"class", "number quiet"}}, bar.note);
  page.close();
}

void draw_table(Markup& page, const Bar* first, const Bar* last, double longest, double whole_s) {
  page.open("table", {{"class", "bars"}});
  page.open("tbody");
  for (const Bar* bar = first; bar != last; ++bar) draw_bar(page, *bar, longest, whole_s);
  page.close();
  page.close();
}

}  // namespace

void draw_bars(Markup& page, const std::string& title, std::vector<Bar> bars, double whole_s, std::size_t most) {
  std::stable_sort(bars.begin(), bars.end(), [](const Bar& a, const Bar& b) { return a.seconds > b.seconds; });
  page.element("h4", {}, title);
  const double longest = bars.empty() ? 0 : bars[0].seconds;
  const std::size_t shown = std::min(most, bars.size());
  draw_table(page, bars.data(), bars.data() + shown, longest, whole_s);
  if (shown == bars.size()) return;
  page.open("details");
  page.element("summary", {}, count_text(static_cast<std::int64_t>(bars.size() - shown)) + " more");
  draw_table(page, bars.data() + shown, bars.data() + bars.size(), longest, whole_s);
  page.close();
}

void draw_intervals(Markup& page, const std::vector<PageBound>& bounds) {
  double least = 0;  // so that the axis shows the sign
  double greatest = 0;
  for (const PageBound& bound : bounds) {
    if (std::isfinite(bound.lower)) least = std::min(least, bound.lower);
    if (std::isfinite(bound.upper)) greatest = std::max(greatest, bound.upper);
  }
  if (!(greatest > least)) greatest = least + 1;
  const auto x = [&](double value) { return 100 * (std::clamp(value, least, greatest) - least) / (greatest - least); };
  page.open("table", {{"class", "intervals"}});
  page.open("tbody");
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    page.open("tr");
    page.element("th", {{"scope", "row"}}, "row " + std::to_string(i));
    page.element("td", {{"class", "number"}}, number_text(bounds[i].lower));
    page.open("td", {{"class", "bar"}});
    page.open("svg", {{"viewBox", "0 0 100 10"}, {"preserveAspectRatio", "none"}, {"aria-hidden", "true"}});
    const double left = x(bounds[i].lower);
    page.empty("rect", {{"class", std::isfinite(bounds[i].lower) && std::isfinite(bounds[i].upper) ? "amount" : "open"},
                        {"x", coordinate(left)},
                        {"y", "3"},
                        {"width", coordinate(std::max(0.4, x(bounds[i].upper) - left))},
                        {"height", "4"}});
    const std::string zero = coordinate(x(0));
    page.empty("line", {{"class", "zero"}, {"x1", zero}, {"x2", zero}, {"y1", "0"}, {"y2", "10"}});
    page.close();
    page.close();
    page.element("td", {{"class", "number left"}}, number_text(bounds[i].upper));
    page.close();
  }
  page.close();
  page.close();
}

}  // namespace boundflow
