#include "report/html/network_drawing.hpp"

#include <fmt/format.h>

#include "report/html/graph_drawing.hpp"
#include "report/html/units.hpp"

namespace boundflow {

namespace {

GraphBox box_of(const PageNetwork::Node& node) {
  GraphBox box;
  const bool is_node = node.kind == PageNetwork::Kind::Node;
  // What has parameters of its own stands out from what has none.
  box.style = !is_node ? "input" : node.parameters > 0 ? "affine" : "plain";
  box.head = is_node ? node.op : node.name;
  box.aside = node.parameters > 0 ? count_text(node.parameters) : "";
  box.line = is_node ? fmt::format("{} · {}", node.shape, node.name) : node.shape;
  box.tooltip = node.text;
  if (node.parameters > 0) box.tooltip += "\n" + count_text(node.parameters) + " parameters";
  return box;
}

}  // namespace

void draw_network(Markup& page, const PageNetwork& network) {
  std::vector<GraphBox> boxes;
  for (const PageNetwork::Node& node : network.nodes) boxes.push_back(box_of(node));
  page.element(
      "p", {{"class", "quiet"}},
      "As it is compiled: after the passes. Each box has its operator, the number of its parameters, the shape "
      "of its result and its name.");
  draw_graph(page, "the network", boxes, network.edges, {});
}

}  // namespace boundflow
