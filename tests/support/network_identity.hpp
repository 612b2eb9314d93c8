#pragma once
// That the text form of a network reads back as that network, bit for bit.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <string>

#include "ir/network_parser.hpp"

namespace boundflow {

inline bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}
inline bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}
template <class T>
bool same_bits(const T& a, const T& b) {
  return a == b;
}
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const T& x, const T& y) { return same_bits(x, y); });
}
inline bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type()) return false;
  return std::visit(
      [&](const auto& elements) { return same_bits(elements, std::get<std::decay_t<decltype(elements)>>(b.data())); },
      a.data());
}
inline bool same_bits(const std::shared_ptr<const Tensor>& a, const std::shared_ptr<const Tensor>& b) {
  return a == nullptr || b == nullptr ? a == b : same_bits(*a, *b);
}
inline bool same_bits(const Attribute& a, const Attribute& b) {
  if (a.index() != b.index()) return false;
  return std::visit([&](const auto& value) { return same_bits(value, std::get<std::decay_t<decltype(value)>>(b)); }, a);
}

inline void expect_same(const Network& a, const Network& b) {
  ASSERT_EQ(a.values().size(), b.values().size());
  for (std::size_t i = 0; i < a.values().size(); ++i) {
    const Value &x = a.values()[i], &y = b.values()[i];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.type, y.type);
    EXPECT_EQ(x.producer, y.producer);
    EXPECT_TRUE(same_bits(x.constant, y.constant)) << "constant %" << i;
  }
  ASSERT_EQ(a.nodes().size(), b.nodes().size());
  for (std::size_t i = 0; i < a.nodes().size(); ++i) {
    const Node &m = a.nodes()[i], &n = b.nodes()[i];
    EXPECT_EQ(m.op, n.op);
    EXPECT_EQ(m.name, n.name);
    EXPECT_EQ(m.inputs, n.inputs);
    EXPECT_EQ(m.outputs, n.outputs);
    ASSERT_EQ(m.attributes.size(), n.attributes.size());
    for (const auto& [name, attribute] : m.attributes) {
      ASSERT_TRUE(n.attributes.contains(name)) << name;
      EXPECT_TRUE(same_bits(attribute, n.attributes.at(name))) << name;
    }
  }
  EXPECT_EQ(a.inputs(), b.inputs());
  EXPECT_EQ(a.outputs(), b.outputs());
}

// parse(print(network)) is the network, and prints the same text again.
inline void expect_identity(const Network& network) {
  const std::string text = print(network, kAllElements);
  const Network parsed = parse_network(text);
  expect_same(network, parsed);
  EXPECT_EQ(print(parsed, kAllElements), text);
}

}  // namespace boundflow
