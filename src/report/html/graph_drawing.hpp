#pragma once
// A graph as inline SVG: labelled boxes in layers, with what they are in a tooltip.

#include <string>
#include <utility>
#include <vector>

#include "report/html/layered_layout.hpp"
#include "report/html/markup.hpp"

namespace boundflow {

struct GraphBox {
  std::string style;  // a class of the style sheet
  std::string head;   // the first line
  std::string aside;  // at the right end of the first line, small
  std::string line;   // the second line
  std::string tooltip;
  std::string link;  // "#id" within the page, or empty
  double share = 0;  // of a whole, 0 to 1: a bar along the lower edge
};

// `name` says what is drawn, for those who cannot see it.
void draw_graph(Markup& page, const std::string& name, const std::vector<GraphBox>& boxes,
                const std::vector<std::pair<int, int>>& edges, const LayoutStyle& style);

}  // namespace boundflow
