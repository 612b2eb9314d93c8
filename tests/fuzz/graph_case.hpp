#pragma once
// What the fuzzers of graphs and properties work on: the two files of a query. Choices (bytes) steer the generators of
// tests/support to one; a failing case is kept as its files, which later generators do not change.

#include <string>

#include "base/random.hpp"

namespace boundflow {

struct GraphCase {
  std::string onnx;
  std::string vnnlib;
};

// A small float32 network with one of the generators' shapes (fully connected, images, one operator between layers,
// tiny dyadic), and a property whose thresholds lie near values that the network attains.
GraphCase make_graph_case(Random& choices);

}  // namespace boundflow
