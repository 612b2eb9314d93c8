#pragma once
// The course of a search: its tree by depth, and quantities over time.

#include <string>
#include <utility>
#include <vector>

#include "report/html/markup.hpp"
#include "report/html/page.hpp"

namespace boundflow {

// A bar per depth: what was closed there, what was split, and what was left.
void draw_tree(Markup& page, const std::vector<PageDepth>& depths);

// Points (seconds, value) in the order of time; a value that is not finite leaves a gap. Nothing is drawn for fewer
// than two points that are finite.
void draw_over_time(Markup& page, const std::string& title, const std::vector<std::pair<double, double>>& points);

}  // namespace boundflow
