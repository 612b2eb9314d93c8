#pragma once
// Places the boxes of a graph in layers, by their distance from its sources, so that edges run downwards, cross seldom
// and are straight where they can be. An edge over several layers has a lane of its own in those between, unless there
// are too many. Long drawings are folded into columns where a single edge leads on.

#include <cstddef>
#include <utility>
#include <vector>

namespace boundflow {

struct LayoutStyle {
  double box_width = 168;
  double box_height = 40;
  double gap_x = 18;  // between neighbours
  double gap_y = 26;  // between layers
  double column_gap = 44;
  double page_width = 1080;  // columns are folded to fit, where they can
};

struct LayeredLayout {
  struct Point {
    double x = 0;
    double y = 0;
  };
  struct Edge {
    std::vector<Point> points;  // from the first box's lower edge to the second's upper edge
    bool to_next_column = false;
  };
  std::vector<Point> boxes;  // top left corners
  std::vector<Edge> edges;   // in the order given
  double width = 0;
  double height = 0;
};

// `edges` lead from smaller numbers to larger ones.
LayeredLayout lay_out(std::size_t boxes, const std::vector<std::pair<int, int>>& edges, const LayoutStyle& style);

}  // namespace boundflow
