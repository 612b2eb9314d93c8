#pragma once
// Amounts as horizontal bars with their figures, and intervals of numbers on a common axis.

#include <string>
#include <vector>

#include "report/html/markup.hpp"
#include "report/html/page.hpp"

namespace boundflow {

struct Bar {
  std::string label;
  std::string link;  // "#id" within the page, or empty
  double seconds = 0;
  std::string note;  // how often, how much
};

// The longest first; those beyond `most` are folded away. Shares are of `whole_s`.
void draw_bars(Markup& page, const std::string& title, std::vector<Bar> bars, double whole_s, std::size_t most = 16);

void draw_intervals(Markup& page, const std::vector<PageBound>& bounds);

}  // namespace boundflow
