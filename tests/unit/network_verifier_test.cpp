// One test per rule of ir/verifier.cpp, named after its label.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "ir/network.hpp"

namespace boundflow {

// Breaks networks on purpose.
class NetworkTestAccess {
 public:
  static std::vector<Value>& values(Network& network) { return network.values_; }
  static std::vector<Node>& nodes(Network& network) { return network.nodes_; }
  static std::vector<ValueId>& inputs(Network& network) { return network.inputs_; }
};

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const TensorType kVector{DType::Float32, {2}};

// x -> first -> second -> third -> fourth, with a constant that `second` adds.
Network chain() {
  Network network;
  const ValueId x = network.add_input("x", kVector);
  const ValueId c = network.add_constant("c", Tensor({2}, std::vector<float>{1, 2}));
  const auto append = [&](const char* op, const char* name, std::vector<ValueId> inputs) {
    const NodeId id = network.add_node(op, name, std::move(inputs), {std::string(name) + "_out"}, {kVector});
    return network.node(id).outputs[0];
  };
  const ValueId first = append("Relu", "first", {x});
  const ValueId second = append("Add", "second", {first, c});
  const ValueId third = append("Relu", "third", {second});
  network.set_outputs({append("Relu", "fourth", {third})});
  return network;
}

std::string fault(const Network& network) {
  try {
    verify_network(network);
  } catch (const InternalError& error) {
    return error.what();
  }
  return "";
}

Node& node(Network& network, std::size_t i) {
  return NetworkTestAccess::nodes(network).at(i);
}
Value& value(Network& network, std::size_t i) {
  return NetworkTestAccess::values(network).at(i);
}

TEST(NetworkVerifier, AcceptsAGoodNetwork) {
  EXPECT_EQ(fault(chain()), "");
}

TEST(NetworkVerifier, V1_single_definition_twice) {
  Network network = chain();
  node(network, 1).outputs = node(network, 0).outputs;
  EXPECT_THAT(fault(network), AllOf(HasSubstr("[V1 single-definition]"), HasSubstr("'first_out' is defined twice")));
  network = chain();
  NetworkTestAccess::inputs(network).push_back(NetworkTestAccess::inputs(network)[0]);
  EXPECT_THAT(fault(network), HasSubstr("[V1 single-definition]"));
  network = chain();
  value(network, 0).constant = value(network, 1).constant;
  EXPECT_THAT(fault(network), HasSubstr("[V1 single-definition]"));
}

TEST(NetworkVerifier, V1_single_definition_never) {
  Network network = chain();
  NetworkTestAccess::values(network).push_back({"lost", kVector, kNoNode, nullptr});
  EXPECT_THAT(fault(network), AllOf(HasSubstr("[V1 single-definition]"), HasSubstr("'lost' is never defined")));
}

TEST(NetworkVerifier, V2_ids_in_range) {
  Network network = chain();
  node(network, 2).inputs = {99};
  EXPECT_THAT(fault(network), AllOf(HasSubstr("[V2 ids-in-range]"), HasSubstr("%99")));
  network = chain();
  node(network, 2).outputs = {-7};
  EXPECT_THAT(fault(network), HasSubstr("[V2 ids-in-range]"));
  network = chain();
  network.set_outputs({42});
  EXPECT_THAT(fault(network), HasSubstr("[V2 ids-in-range]"));
  network = chain();
  NetworkTestAccess::inputs(network) = {-2};
  EXPECT_THAT(fault(network), HasSubstr("[V2 ids-in-range]"));
}

TEST(NetworkVerifier, V2_ids_in_range_allows_absent_inputs) {
  Network network = chain();
  node(network, 2).inputs.push_back(kNoValue);
  EXPECT_EQ(fault(network), "");
}

TEST(NetworkVerifier, V3_topological_order) {
  Network network = chain();
  node(network, 1).inputs[0] = node(network, 2).outputs[0];
  EXPECT_THAT(fault(network), AllOf(HasSubstr("[V3 topological-order]"), HasSubstr("'third_out'")));
  network = chain();
  node(network, 1).inputs[0] = node(network, 1).outputs[0];
  EXPECT_THAT(fault(network), HasSubstr("[V3 topological-order]"));
}

TEST(NetworkVerifier, V4_producer_links) {
  Network network = chain();
  value(network, 2).producer = 3;
  EXPECT_THAT(fault(network), HasSubstr("[V4 producer-links]"));
  network = chain();
  value(network, 0).producer = 0;
  EXPECT_THAT(fault(network), HasSubstr("[V4 producer-links]"));
}

TEST(NetworkVerifier, V5_unique_node_names) {
  Network network = chain();
  node(network, 2).name = "first";
  EXPECT_THAT(fault(network), AllOf(HasSubstr("[V5 unique-node-names]"), HasSubstr("'first'")));
  network = chain();
  node(network, 2).name.clear();
  EXPECT_THAT(fault(network), HasSubstr("[V5 unique-node-names]"));
}

TEST(NetworkVerifier, V6_outputs_defined) {
  Network network = chain();
  network.set_outputs({1});
  EXPECT_THAT(fault(network), AllOf(HasSubstr("[V6 outputs-defined]"), HasSubstr("constant")));
  network = chain();
  network.set_outputs({2, 2});
  EXPECT_THAT(fault(network), HasSubstr("[V6 outputs-defined]"));
}

TEST(NetworkVerifier, V7_constant_type) {
  Network network = chain();
  value(network, 1).type.shape = {1, 2};
  EXPECT_THAT(fault(network), AllOf(HasSubstr("[V7 constant-type]"), HasSubstr("float32[1, 2]")));
}

TEST(NetworkVerifier, V8_has_input_and_output) {
  Network network = chain();
  network.set_outputs({});
  EXPECT_THAT(fault(network), HasSubstr("[V8 has-input-and-output]"));
  network = Network();
  EXPECT_THAT(fault(network), HasSubstr("[V8 has-input-and-output]"));
  network = chain();
  network.add_node("Relu", "mute", {0}, {}, {});
  EXPECT_THAT(fault(network), HasSubstr("[V8 has-input-and-output]"));
  network = chain();
  node(network, 0).op.clear();
  EXPECT_THAT(fault(network), HasSubstr("[V8 has-input-and-output]"));
}

TEST(NetworkVerifier, V9_finite_constants) {
  Network network = chain();
  network.add_constant("bad", Tensor({1}, std::vector<float>{std::numeric_limits<float>::quiet_NaN()}));
  EXPECT_THAT(fault(network), AllOf(HasSubstr("[V9 finite-constants]"), HasSubstr("'bad'")));
}

TEST(NetworkVerifier, V10_shapes) {
  Network network = chain();
  value(network, 3).type.shape = {2, -1};
  EXPECT_THAT(fault(network), HasSubstr("[V10 shapes]"));
  value(network, 3).type.shape = {2, 0};
  EXPECT_THAT(fault(network), HasSubstr("[V10 shapes]"));
  value(network, 3).type.shape = {std::int64_t{1} << 60};
  EXPECT_THAT(fault(network), HasSubstr("[V10 shapes]"));
}

TEST(NetworkVerifier, ShowsTheThreeNodesAroundTheFault) {
  Network network = chain();
  node(network, 2).inputs = {99};
  const std::string message = fault(network);
  EXPECT_THAT(message, HasSubstr("\n  node \"second\" : Add(%2, %1) -> %3 \"second_out\" : float32[2]"));
  EXPECT_THAT(message, HasSubstr("\n> node \"third\" : Relu(%99)"));
  EXPECT_THAT(message, HasSubstr("\n  node \"fourth\""));
  EXPECT_THAT(message, Not(HasSubstr("\"first\"")));
}

TEST(NetworkPrinter, OneLinePerValueOrNode) {
  Network network = chain();
  node(network, 1).attributes = {{"axis", std::int64_t{-1}},
                                 {"mode", std::string("a\"b\n")},
                                 {"pads", std::vector<std::int64_t>{0, 1}},
                                 {"scale", 1.0},
                                 {"weights", std::vector<double>{0.5, 2}},
                                 {"value", Tensor({1}, std::vector<bool>{true})}};
  node(network, 2).inputs.push_back(kNoValue);
  EXPECT_EQ(print(network),
            "network\n"
            "input %0 \"x\" : float32[2]\n"
            "constant %1 \"c\" : float32[2] = {1.0, 2.0}\n"
            "node \"first\" : Relu(%0) -> %2 \"first_out\" : float32[2]\n"
            "node \"second\" : Add(%2, %1) {axis = -1, mode = \"a\\\"b\\x0a\", pads = ints[0, 1], scale = 1.0, "
            "value = bool[1] {true}, weights = floats[0.5, 2.0]} -> %3 \"second_out\" : float32[2]\n"
            "node \"third\" : Relu(%3, _) -> %4 \"third_out\" : float32[2]\n"
            "node \"fourth\" : Relu(%4) -> %5 \"fourth_out\" : float32[2]\n"
            "output %5\n");
}

TEST(NetworkPrinter, LongConstantsShowAChecksum) {
  Network network = chain();
  network.add_constant("long", Tensor({20}, std::vector<float>(20, 0.5F)));
  EXPECT_THAT(print(network), HasSubstr("constant %6 \"long\" : float32[20] = <20 elements, fnv1a "));
  EXPECT_THAT(print(network, 20), HasSubstr("\"long\" : float32[20] = {0.5, 0.5"));
}

TEST(Network, SeveralInputsOrOutputsAreUnsupported) {
  Network network = chain();
  network.set_outputs({2, 3});
  EXPECT_THROW(network.output(), UnsupportedError);
  network.add_input("y", kVector);
  EXPECT_THROW(network.input(), UnsupportedError);
}

TEST(NodeView, AttributesHaveTypesAndDefaults) {
  Network network = chain();
  node(network, 0).attributes = {{"axis", std::int64_t{2}}, {"alpha", 0.5}};
  const NodeView view(network, network.node(0));
  EXPECT_EQ(view.int_attribute("axis", 0), 2);
  EXPECT_EQ(view.int_attribute("other", 7), 7);
  EXPECT_EQ(view.float_attribute("alpha", 0), 0.5);
  EXPECT_THROW(view.float_attribute("axis", 0), InputError);
  EXPECT_THROW(view.ints_attribute("axis", {}), InputError);
  EXPECT_FALSE(view.has_input(1));
}

}  // namespace
}  // namespace boundflow
