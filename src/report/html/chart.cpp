#include "report/html/chart.hpp"

#include <cmath>

#include "report/html/units.hpp"

namespace boundflow {

double round_step(double range, int most_steps) {
  const double power = std::pow(10.0, std::floor(std::log10(range / most_steps)));
  for (const double digit : {1.0, 2.0, 5.0}) {
    if (range / (power * digit) <= most_steps) return power * digit;
  }
  return 10 * power;
}

void draw_line(Markup& page, std::string_view style, double x1, double y1, double x2, double y2) {
  page.empty("line", {{"class", style},
                      {"x1", coordinate(x1)},
                      {"y1", coordinate(y1)},
                      {"x2", coordinate(x2)},
                      {"y2", coordinate(y2)}});
}

void draw_label(Markup& page, std::string_view style, double x, double y, const std::string& text) {
  page.element("text", {{"class", style}, {"x", coordinate(x)}, {"y", coordinate(y)}}, text);
}

}  // namespace boundflow
