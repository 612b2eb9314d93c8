#include "report/html/graph_drawing.hpp"

#include <fmt/format.h>

#include <cmath>

#include "report/html/units.hpp"

namespace boundflow {

namespace {

using Point = LayeredLayout::Point;

std::string point(double x, double y) {
  return coordinate(x) + " " + coordinate(y);
}

// Straight along boxes, curved between layers.
std::string curved(const std::vector<Point>& points) {
  std::string path = "M" + point(points[0].x, points[0].y);
  for (std::size_t i = 1; i < points.size(); ++i) {
    const Point& a = points[i - 1];
    const Point& b = points[i];
    if (std::fabs(a.x - b.x) < 0.5) {
      path += "L" + point(b.x, b.y);
    } else {
      const double middle = (a.y + b.y) / 2;
      path += "C" + point(a.x, middle) + " " + point(b.x, middle) + " " + point(b.x, b.y);
    }
  }
  return path;
}

std::string angular(const std::vector<Point>& points) {
  std::string path = "M" + point(points[0].x, points[0].y);
  for (std::size_t i = 1; i < points.size(); ++i) path += "L" + point(points[i].x, points[i].y);
  return path;
}

void draw_box(Markup& page, const GraphBox& box, const Point& corner, const LayoutStyle& style) {
  constexpr double kPadding = 9;
  const auto line_of = [&](double share) { return coordinate(corner.y + share * style.box_height); };
  page.open("g", {{"class", "box " + box.style}});
  if (!box.link.empty()) page.open("a", {{"href", box.link}});
  page.element("title", {}, box.tooltip);
  page.empty("rect", {{"x", coordinate(corner.x)},
                      {"y", coordinate(corner.y)},
                      {"width", coordinate(style.box_width)},
                      {"height", coordinate(style.box_height)},
                      {"rx", "5"}});
  // Labels are as long as fits: about so many pixels a character.
  const auto fits = [&](double width, double per_character) { return static_cast<std::size_t>(width / per_character); };
  const double inside = style.box_width - 2 * kPadding;
  const double aside = 5.6 * static_cast<double>(box.aside.size()) + (box.aside.empty() ? 0 : 6);
  page.element("text", {{"class", "head"}, {"x", coordinate(corner.x + kPadding)}, {"y", line_of(0.42)}},
               clipped(box.head, fits(inside - aside, 6.9)));
  if (!box.aside.empty()) {
    page.element("text",
                 {{"class", "aside"}, {"x", coordinate(corner.x + style.box_width - kPadding)}, {"y", line_of(0.42)}},
                 box.aside);
  }
  page.element("text", {{"class", "line"}, {"x", coordinate(corner.x + kPadding)}, {"y", line_of(0.79)}},
               clipped(box.line, fits(inside, 5.9)));
  if (box.share > 0) {
    page.empty("rect", {{"class", "share"},
                        {"x", coordinate(corner.x + 1)},
                        {"y", coordinate(corner.y + style.box_height - 3.5)},
                        {"width", coordinate(std::max(1.0, box.share * (style.box_width - 2)))},
                        {"height", "2.5"},
                        {"rx", "1.25"}});
  }
  if (!box.link.empty()) page.close();
  page.close();
}

}  // namespace

void draw_graph(Markup& page, const std::string& name, const std::vector<GraphBox>& boxes,
                const std::vector<std::pair<int, int>>& edges, const LayoutStyle& style) {
  const LayeredLayout layout = lay_out(boxes.size(), edges, style);
  const std::string width = coordinate(layout.width);
  const std::string height = coordinate(layout.height);
  page.open("div", {{"class", "figure scroll"}});
  page.open("svg", {{"class", "graph"},
                    {"role", "img"},
                    {"aria-label", name},
                    {"width", width},
                    {"height", height},
                    {"viewBox", "0 0 " + width + " " + height}});
  for (const LayeredLayout::Edge& edge : layout.edges) {
    page.empty("path", {{"class", "edge"}, {"d", edge.to_next_column ? angular(edge.points) : curved(edge.points)}});
    const Point& end = edge.points.back();
    page.empty("path", {{"class", "arrow"},
                        {"d", "M" + point(end.x - 3.5, end.y - 6) + "L" + point(end.x, end.y) + "L" +
                                  point(end.x + 3.5, end.y - 6) + "Z"}});
  }
  for (std::size_t i = 0; i < boxes.size(); ++i) draw_box(page, boxes[i], layout.boxes[i], style);
  page.close();
  page.close();
}

}  // namespace boundflow
