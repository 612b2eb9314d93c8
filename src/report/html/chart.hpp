#pragma once
// What charts have in common: lines and labels in the units of their drawing, and the steps of axes.

#include <string>
#include <string_view>

#include "report/html/markup.hpp"

namespace boundflow {

// 1, 2 or 5 times a power of ten, such that at most so many steps make up the range, which is positive.
double round_step(double range, int most_steps);

void draw_line(Markup& page, std::string_view style, double x1, double y1, double x2, double y2);
void draw_label(Markup& page, std::string_view style, double x, double y, const std::string& text);

}  // namespace boundflow
