#include "domains/layouts.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace boundflow {

namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// An image whose stored order is channels last.
struct Image {
  std::int64_t channels;
  ConvMap::Extent extent;
  // True if channels first and channels last are the same order.
  bool trivial() const { return channels == 1 || extent[0] * extent[1] == 1; }
  bool operator==(const Image&) const = default;
};

Image operand_image(const ConvMap& map) {
  return map.adjoint ? Image{map.out_channels, map.image_out} : Image{map.in_channels, map.image_in};
}
Image result_image(const ConvMap& map) {
  return map.adjoint ? Image{map.in_channels, map.image_in} : Image{map.out_channels, map.image_out};
}

Order channels_last(const Image& image) {
  const std::int64_t pixels = image.extent[0] * image.extent[1];
  auto order = std::make_shared<std::vector<std::int64_t>>();
  for (std::int64_t p = 0; p < pixels; ++p) {
    for (std::int64_t c = 0; c < image.channels; ++c) order->push_back(c * pixels + p);
  }
  return order;
}

// Values that share an order, by union-find over "the same coordinates under another name".
class Groups {
 public:
  explicit Groups(std::size_t values)
      : parent_(values), demand_(values), canonical_(values, false), conflict_(values, false) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }
  std::size_t find(ValueId value) {
    std::size_t root = at(value);
    while (parent_[root] != root) root = parent_[root] = parent_[parent_[root]];
    return root;
  }
  void unite(ValueId a, ValueId b) { parent_[find(a)] = find(b); }
  // After all unions.
  void demand(ValueId value, const Image& image) {
    if (image.trivial()) {
      canonical_[find(value)] = true;
      return;
    }
    std::optional<Image>& there = demand_[find(value)];
    if (there && *there != image) conflict_[find(value)] = true;
    there = image;
  }
  std::optional<Image> image(ValueId value) {
    const std::size_t root = find(value);
    return conflict_[root] || canonical_[root] ? std::nullopt : demand_[root];
  }

 private:
  std::vector<std::size_t> parent_;
  std::vector<std::optional<Image>> demand_;
  std::vector<bool> canonical_;  // someone needs the network's own order
  std::vector<bool> conflict_;
};

bool pointwise(const JointData& joint, std::int64_t columns) {
  if (static_cast<std::int64_t>(joint.starts.size()) != columns + 1) return false;
  for (std::size_t j = 0; j + 1 < joint.starts.size(); ++j) {
    for (std::int64_t t = joint.starts[j]; t < joint.starts[j + 1]; ++t) {
      const Joint::Term& term = joint.terms[at(t)];
      if (term.operand >= 0 && term.index != static_cast<std::int64_t>(j)) return false;
    }
  }
  return true;
}

void unite_renamed(const Network& network, const LoweredNode& node, Groups& groups) {
  const std::int64_t columns = network.size_of(node.output);
  for (std::size_t t = 0; t < node.operands.size(); ++t) {
    if (network.size_of(node.operands[t]) != columns) continue;
    bool renames = node.facet == FacetKind::Elementwise;
    if (node.facet == FacetKind::Affine) {
      const LinearMap& map = *node.affine->maps[t];
      renames = (map.index() != nullptr && map.index()->source.empty()) ||
                (map.scale() != nullptr && map.scale()->source.empty());
    } else if (node.facet == FacetKind::Joint) {
      renames = pointwise(*node.joint, columns);
    }
    if (renames) groups.unite(node.output, node.operands[t]);
  }
}

// Positions by coordinate.
std::vector<std::int64_t> inverse(const Order& order) {
  std::vector<std::int64_t> positions(order->size());
  for (std::size_t p = 0; p < order->size(); ++p) positions[at((*order)[p])] = static_cast<std::int64_t>(p);
  return positions;
}

// What a map's operand and result are stored in.
struct Ports {
  Order in;
  Order out;
  std::vector<std::int64_t> in_position;  // by coordinate; empty: the same

  std::int64_t coordinate(std::int64_t out_position) const { return out ? (*out)[at(out_position)] : out_position; }
  std::int64_t position(std::int64_t in_coordinate) const {
    return in_position.empty() ? in_coordinate : in_position[at(in_coordinate)];
  }
};

bool ascending(const std::vector<std::int64_t>& source) {
  for (std::size_t j = 0; j < source.size(); ++j) {
    if (source[j] != static_cast<std::int64_t>(j)) return false;
  }
  return true;
}

std::vector<std::int64_t> relabelled(const std::vector<std::int64_t>& source, std::int64_t out, std::int64_t in,
                                     const Ports& ports) {
  std::vector<std::int64_t> result(at(out));
  for (std::int64_t p = 0; p < out; ++p) {
    const std::int64_t j = ports.coordinate(p);
    const std::int64_t i = source.empty() ? j : source[at(j)];
    result[at(p)] = i < 0 ? -1 : ports.position(i);
  }
  if (out == in && ascending(result)) result.clear();
  return result;
}

LinearMap relabelled_rows(const LinearMap& map, const Ports& ports) {
  SparseMap sparse{map.out_size(), map.in_size(), {0}, {}, {}};
  std::vector<LinearMap::Entry> entries;
  for (std::int64_t p = 0; p < map.out_size(); ++p) {
    map.row(ports.coordinate(p), entries);
    for (const LinearMap::Entry& entry : entries) {
      if (entry.weight == 0) continue;
      sparse.columns.push_back(ports.position(entry.column));
      sparse.weights.push_back(entry.weight);
    }
    sparse.starts.push_back(static_cast<std::int64_t>(sparse.weights.size()));
  }
  return LinearMap(std::move(sparse), map.weight_error());
}

LinearMap relabelled_dense(const DenseMap& map, double weight_error, const Ports& ports) {
  DenseMap result{1, map.rows, map.columns, 1, std::vector<double>(map.weights.size())};
  for (std::int64_t p = 0; p < map.rows; ++p) {
    const std::int64_t from = ports.coordinate(p) * map.columns;
    for (std::int64_t i = 0; i < map.columns; ++i) {
      result.weights[at(p * map.columns + ports.position(i))] = map.weights[at(from + i)];
    }
  }
  return LinearMap(std::move(result), weight_error);
}

std::shared_ptr<const LinearMap> relabelled(const std::shared_ptr<const LinearMap>& map, const Ports& ports) {
  if (const ConvMap* conv = map->conv()) {
    ConvMap result = *conv;
    result.in_channels_last = ports.in != nullptr || operand_image(*conv).trivial();
    result.out_channels_last = ports.out != nullptr || result_image(*conv).trivial();
    return std::make_shared<const LinearMap>(std::move(result), map->weight_error());
  }
  if (!ports.in && !ports.out) return map;
  if (const IndexMap* index = map->index()) {
    return std::make_shared<const LinearMap>(
        IndexMap{index->out, index->in, relabelled(index->source, index->out, index->in, ports), index->factor});
  }
  if (const ScaleMap* scale = map->scale()) {
    ScaleMap result{scale->out, scale->in, relabelled(scale->source, scale->out, scale->in, ports), {}};
    for (std::int64_t p = 0; p < scale->out; ++p) result.factors.push_back(scale->factors[at(ports.coordinate(p))]);
    return std::make_shared<const LinearMap>(std::move(result), map->weight_error());
  }
  if (const DenseMap* dense = map->dense(); dense != nullptr && dense->outer == 1 && dense->inner == 1) {
    return std::make_shared<const LinearMap>(relabelled_dense(*dense, map->weight_error(), ports));
  }
  return std::make_shared<const LinearMap>(relabelled_rows(*map, ports));
}

std::vector<double> permuted(const std::vector<double>& values, const Order& order) {
  if (values.empty() || !order) return values;
  std::vector<double> result;
  for (const std::int64_t i : *order) result.push_back(values[at(i)]);
  return result;
}

std::shared_ptr<const JointData> relabelled(const JointData& joint, const std::vector<Ports>& ports, const Order& out) {
  auto result = std::make_shared<JointData>(joint);
  result->terms.clear();
  result->starts = {0};
  std::vector<std::vector<std::int64_t>> uses(joint.operands);
  for (std::size_t p = 0; p + 1 < joint.starts.size(); ++p) {
    const std::size_t j = out ? at((*out)[p]) : p;
    for (std::int64_t t = joint.starts[j]; t < joint.starts[j + 1]; ++t) {
      Joint::Term term = joint.terms[at(t)];
      if (term.operand >= 0) {
        term.index = ports[at(term.operand)].position(term.index);
        std::vector<std::int64_t>& counts = uses[at(term.operand)];
        if (static_cast<std::int64_t>(counts.size()) <= term.index) counts.resize(at(term.index) + 1, 0);
        result->max_uses = std::max(result->max_uses, ++counts[at(term.index)]);
      }
      result->terms.push_back(term);
    }
    result->starts.push_back(static_cast<std::int64_t>(result->terms.size()));
  }
  return result;
}

void rewrite(LoweredNode& node, const std::vector<Order>& orders) {
  const Order& out = orders[at(node.output)];
  std::vector<Ports> ports;
  for (const ValueId operand : node.operands) {
    const Order& in = orders[at(operand)];
    ports.push_back({in, out, in ? inverse(in) : std::vector<std::int64_t>{}});
  }
  if (node.facet == FacetKind::Joint) {
    node.joint = relabelled(*node.joint, ports, out);
  } else if (node.facet == FacetKind::Affine) {
    auto data = std::make_shared<AffineData>(*node.affine);
    for (std::size_t t = 0; t < data->maps.size(); ++t) data->maps[t] = relabelled(data->maps[t], ports[t]);
    data->bias = permuted(data->bias, out);
    data->bias_magnitude = permuted(data->bias_magnitude, out);
    node.affine = std::move(data);
  }
}

}  // namespace

std::vector<Order> assign_orders(const Network& network, std::vector<LoweredNode>& nodes) {
  Groups groups(network.values().size());
  for (const LoweredNode& node : nodes) unite_renamed(network, node, groups);
  for (const LoweredNode& node : nodes) {
    if (node.facet != FacetKind::Affine) continue;
    for (std::size_t t = 0; t < node.operands.size(); ++t) {
      const ConvMap* conv = node.affine->maps[t]->conv();
      if (conv == nullptr) continue;
      groups.demand(node.operands[t], operand_image(*conv));
      groups.demand(node.output, result_image(*conv));
    }
  }
  std::vector<Order> by_root(network.values().size());
  std::vector<Order> orders(network.values().size());
  for (std::size_t v = 0; v < orders.size(); ++v) {
    const auto value = static_cast<ValueId>(v);
    const std::optional<Image> image = groups.image(value);
    if (!image) continue;
    Order& shared = by_root[groups.find(value)];
    if (!shared) shared = channels_last(*image);
    if (static_cast<std::int64_t>(shared->size()) == network.size_of(value)) orders[v] = shared;
  }
  for (LoweredNode& node : nodes) rewrite(node, orders);
  return orders;
}

}  // namespace boundflow
