#include "report/html/layered_layout.hpp"

#include <algorithm>
#include <numeric>

namespace boundflow {

namespace {

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

// A place in a layer: a box, or the lane of an edge that passes.
struct Slot {
  int layer = 0;
  double width = 0;
  bool lane = false;
  double x = 0;  // centre
  std::vector<int> above;
  std::vector<int> below;
};

class Layering {
 public:
  Layering(std::size_t boxes, const std::vector<std::pair<int, int>>& edges, const LayoutStyle& style);

  void order();
  void place();
  LayeredLayout fold() const;

 private:
  struct Column {
    int first = 0;  // layers
    int last = 0;
    double left = 0;  // of its slots
    double right = 0;
  };

  void add_layers();
  void add_edge(int from, int to);
  int add_slot(int layer, double width, bool lane);
  void sort_layer(std::vector<int>& layer, bool by_above);
  void place_layer(const std::vector<int>& layer, bool by_above);
  Column column(int first, int last) const;
  std::vector<Column> columns(int most_layers) const;
  std::vector<Column> best_columns() const;

  const LayoutStyle& style_;
  std::size_t boxes_;
  const std::vector<std::pair<int, int>>& edges_;
  std::vector<Slot> slots_;  // the boxes first
  std::vector<std::vector<int>> layers_;
  std::vector<std::vector<int>> paths_;  // per edge, the slots that it passes, both ends included
  std::vector<double> rank_;             // of a slot in its layer, while they are ordered
};

Layering::Layering(std::size_t boxes, const std::vector<std::pair<int, int>>& edges, const LayoutStyle& style)
    : style_(style), boxes_(boxes), edges_(edges) {
  add_layers();
  for (const auto& [from, to] : edges_) add_edge(from, to);
}

void Layering::add_layers() {
  std::vector<int> depth(boxes_, 0);
  std::vector<bool> has_source(boxes_, false);
  // Sorted by their start, so that a box's depth is final before it is passed on.
  std::vector<std::pair<int, int>> sorted = edges_;
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [from, to] : sorted) {
    depth[at(to)] = std::max(depth[at(to)], depth[at(from)] + 1);
    has_source[at(to)] = true;
  }
  // What reads nothing stands right above what reads it.
  for (std::size_t i = 1; i < boxes_; ++i) {
    if (has_source[i]) continue;
    int nearest = -1;
    for (const auto& [from, to] : sorted) {
      if (at(from) == i && (nearest < 0 || depth[at(to)] - 1 < nearest)) nearest = depth[at(to)] - 1;
    }
    if (nearest > 0) depth[i] = nearest;
  }
  for (std::size_t i = 0; i < boxes_; ++i) add_slot(depth[i], style_.box_width, false);
}

int Layering::add_slot(int layer, double width, bool lane) {
  const int id = static_cast<int>(slots_.size());
  slots_.push_back({.layer = layer, .width = width, .lane = lane});
  if (layers_.size() <= at(layer)) layers_.resize(at(layer) + 1);
  layers_[at(layer)].push_back(id);
  return id;
}

void Layering::add_edge(int from, int to) {
  constexpr double kLaneWidth = 4;
  constexpr std::size_t kMostLanes = 30'000;
  std::vector<int> path{from};
  const auto lanes = static_cast<std::size_t>(slots_[at(to)].layer - slots_[at(from)].layer - 1);
  // What reads everything before it in a deep network would need more lanes than anybody can follow.
  if (slots_.size() - boxes_ + lanes <= kMostLanes) {
    for (int layer = slots_[at(from)].layer + 1; layer < slots_[at(to)].layer; ++layer) {
      path.push_back(add_slot(layer, kLaneWidth, true));
    }
  }
  path.push_back(to);
  for (std::size_t i = 1; i < path.size(); ++i) {
    slots_[at(path[i - 1])].below.push_back(path[i]);
    slots_[at(path[i])].above.push_back(path[i - 1]);
  }
  paths_.push_back(std::move(path));
}

// By the mean rank of the neighbours: the barycentre heuristic.
void Layering::sort_layer(std::vector<int>& layer, bool by_above) {
  std::vector<std::pair<double, int>> keyed;
  for (const int id : layer) {
    const std::vector<int>& neighbours = by_above ? slots_[at(id)].above : slots_[at(id)].below;
    double sum = 0;
    for (const int other : neighbours) sum += rank_[at(other)];
    keyed.emplace_back(neighbours.empty() ? rank_[at(id)] : sum / static_cast<double>(neighbours.size()), id);
  }
  std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < layer.size(); ++i) {
    layer[i] = keyed[i].second;
    // Between 0 and 1, so that layers of different sizes compare.
    rank_[at(layer[i])] = (static_cast<double>(i) + 0.5) / static_cast<double>(layer.size());
  }
}

void Layering::order() {
  constexpr int kSweeps = 8;
  rank_.assign(slots_.size(), 0.5);
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (auto& layer : layers_) sort_layer(layer, true);
    if (sweep + 1 == kSweeps) break;
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) sort_layer(*layer, false);
  }
}

// The centres that are nearest to those of the neighbours, in the least squares sense, among those that keep the order
// and the gaps: pools of slots that touch move together (pool adjacent violators).
void Layering::place_layer(const std::vector<int>& layer, bool by_above) {
  // What everything passes stands in the middle.
  if (layer.size() == 1) {
    slots_[at(layer[0])].x = 0;
    return;
  }
  constexpr double kLaneWeight = 6;  // lanes had better be straight
  struct Pool {
    double weighted = 0;
    double weight = 0;
    std::size_t count = 0;
    double mean() const { return weighted / weight; }
  };
  std::vector<Pool> pools;
  std::vector<double> shift;  // of a slot's centre, were all slots packed from 0
  for (std::size_t i = 0; i < layer.size(); ++i) {
    const Slot& slot = slots_[at(layer[i])];
    shift.push_back(i == 0 ? 0 : shift.back() + (slots_[at(layer[i - 1])].width + slot.width) / 2 + style_.gap_x);
    const std::vector<int>& neighbours = by_above ? slot.above : slot.below;
    double sum = 0;
    for (const int other : neighbours) sum += slots_[at(other)].x;
    const double wanted = neighbours.empty() ? slot.x : sum / static_cast<double>(neighbours.size());
    const double weight = slot.lane ? kLaneWeight : neighbours.empty() ? 0.1 : 1;
    pools.push_back({weight * (wanted - shift.back()), weight, 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean() > pools.back().mean()) {
      const Pool last = pools.back();
      pools.pop_back();
      pools.back().weighted += last.weighted;
      pools.back().weight += last.weight;
      pools.back().count += last.count;
    }
  }
  std::size_t i = 0;
  for (const Pool& pool : pools) {
    for (std::size_t k = 0; k < pool.count; ++k, ++i) slots_[at(layer[i])].x = pool.mean() + shift[i];
  }
}

void Layering::place() {
  constexpr int kSweeps = 12;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (const auto& layer : layers_) place_layer(layer, true);
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) place_layer(*layer, false);
  }
  for (const auto& layer : layers_) place_layer(layer, true);
}

Layering::Column Layering::column(int first, int last) const {
  Column result{first, last, 1e300, -1e300};
  for (int layer = first; layer <= last; ++layer) {
    const Slot& leftmost = slots_[at(layers_[at(layer)].front())];
    const Slot& rightmost = slots_[at(layers_[at(layer)].back())];
    result.left = std::min(result.left, leftmost.x - leftmost.width / 2);
    result.right = std::max(result.right, rightmost.x + rightmost.width / 2);
  }
  return result;
}

// Columns of at most so many layers, where a cut is possible: where one edge leads from a box to a box.
std::vector<Layering::Column> Layering::columns(int most_layers) const {
  const int layers = static_cast<int>(layers_.size());
  const auto can_cut = [&](int layer) {
    return layers_[at(layer)].size() == 1 && layers_[at(layer) + 1].size() == 1 &&
           slots_[at(layers_[at(layer)][0])].below.size() == 1;
  };
  std::vector<Column> result;
  for (int first = 0; first < layers;) {
    int last = std::min(first + most_layers, layers) - 1;
    if (last + 1 < layers) {
      int cut = last;
      while (cut >= first && !can_cut(cut)) --cut;
      if (cut < first) {
        cut = last + 1;
        while (cut + 1 < layers && !can_cut(cut)) ++cut;
      }
      last = cut;
    }
    result.push_back(column(first, last));
    first = last + 1;
  }
  return result;
}

std::vector<Layering::Column> Layering::best_columns() const {
  constexpr int kFewestLayers = 7;
  for (int most = kFewestLayers; most < static_cast<int>(layers_.size()); most += 1 + most / 10) {
    std::vector<Column> candidate = columns(most);
    double width = style_.column_gap * (static_cast<double>(candidate.size()) - 1);
    for (const Column& each : candidate) width += each.right - each.left;
    if (width <= style_.page_width) return candidate;
  }
  return {column(0, static_cast<int>(layers_.size()) - 1)};
}

LayeredLayout Layering::fold() const {
  LayeredLayout result;
  result.boxes.resize(boxes_);
  result.edges.resize(edges_.size());
  if (boxes_ == 0) return result;
  constexpr double kMargin = 12;
  const double pitch = style_.box_height + style_.gap_y;
  std::vector<double> shift(layers_.size());  // of x, per layer
  std::vector<double> top(layers_.size());
  std::vector<int> column_of(layers_.size());
  double x = 1;
  const std::vector<Column> all = best_columns();
  for (std::size_t c = 0; c < all.size(); ++c) {
    for (int layer = all[c].first; layer <= all[c].last; ++layer) {
      shift[at(layer)] = x - all[c].left;
      top[at(layer)] = kMargin + pitch * (layer - all[c].first);
      column_of[at(layer)] = static_cast<int>(c);
      result.height = std::max(result.height, top[at(layer)] + style_.box_height + kMargin);
    }
    x += all[c].right - all[c].left + style_.column_gap;
  }
  result.width = x - style_.column_gap + 1;
  const auto center = [&](const Slot& slot) { return slot.x + shift[at(slot.layer)]; };
  for (std::size_t i = 0; i < boxes_; ++i) {
    result.boxes[i] = {center(slots_[i]) - style_.box_width / 2, top[at(slots_[i].layer)]};
  }
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    LayeredLayout::Edge& edge = result.edges[e];
    const Slot& from = slots_[at(edges_[e].first)];
    const Slot& to = slots_[at(edges_[e].second)];
    edge.points.push_back({center(from), top[at(from.layer)] + style_.box_height});
    if (column_of[at(from.layer)] != column_of[at(to.layer)]) {
      edge.to_next_column = true;
      const double gutter = all[at(column_of[at(to.layer)])].left + shift[at(to.layer)] - style_.column_gap / 2;
      edge.points.push_back({center(from), edge.points[0].y + kMargin / 2});
      edge.points.push_back({gutter, edge.points[0].y + kMargin / 2});
      edge.points.push_back({gutter, top[at(to.layer)] - kMargin / 2 - 3});
      edge.points.push_back({center(to), top[at(to.layer)] - kMargin / 2 - 3});
    }
    for (std::size_t k = 1; k + 1 < paths_[e].size(); ++k) {
      const Slot& lane = slots_[at(paths_[e][k])];
      edge.points.push_back({center(lane), top[at(lane.layer)]});
      edge.points.push_back({center(lane), top[at(lane.layer)] + style_.box_height});
    }
    edge.points.push_back({center(to), top[at(to.layer)]});
  }
  return result;
}

}  // namespace

LayeredLayout lay_out(std::size_t boxes, const std::vector<std::pair<int, int>>& edges, const LayoutStyle& style) {
  Layering layering(boxes, edges, style);
  layering.order();
  layering.place();
  return layering.fold();
}

}  // namespace boundflow
