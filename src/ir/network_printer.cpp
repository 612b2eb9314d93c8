// The text form of a network, one line per value or node:
//
//   network
//   input %0 "x" : float32[1, 2]
//   constant %1 "b" : float32[2] = {0.5, -1.0}
//   constant %2 "W" : float32[5, 50] = <250 elements, fnv1a 0f1e2d3c4b5a6978>
//   node "add" : Add(%0, %1) -> %3 "y" : float32[1, 2]
//   node "flat" : Flatten(%3) {axis = 1} -> %4 "z" : float32[1, 2]
//   output %4
//
// Values are referred to by id, so that names need not be unique or tame. An absent optional input is `_`.
//
//   network    = "network" input* constant* node* output*
//   input      = "input" value
//   constant   = "constant" value "=" elements
//   node       = "node" string ":" name "(" [operand {"," operand}] ")" [attributes] "->" value {"," value}
//   output     = "output" id
//   value      = id string ":" type                      each id once, from %0 without gaps
//   type       = ("float32" | "float64" | "int64" | "bool") "[" [integer {"," integer}] "]"
//   operand    = id | "_"                                what an earlier line defines
//   attributes = "{" name "=" attribute {"," name "=" attribute} "}"
//   attribute  = integer | float | string | "ints[" ... "]" | "floats[" ... "]" | type elements
//   elements   = "{" [number {"," number}] "}"           numbers of the type's kind
//   name       = word | string                           a string where it is no word
//
// Numbers are the shortest decimals that read back exactly in their type; floating ones always show a point or an
// exponent, or are `inf`, `-inf`, `nan`, or `nan_` with the bits. Strings hold any bytes, with the escapes \", \\ and
// \xhh. Blanks and line ends separate tokens, `#` starts a comment: the printer writes one line per value or node.
// network_parser.cpp reads all of it, except for constants that show their checksum.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>

#include "ir/network.hpp"
#include "ir/network_lexer.hpp"

namespace boundflow {

namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// Operators and attributes have tame names, but nobody has to promise that.
std::string word_or_quoted(std::string_view text) {
  return network_text::is_word(text) ? std::string(text) : quoted(text);
}

template <class T>
std::string floating(T x) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  if (std::isnan(x)) {
    const auto bits = std::bit_cast<Bits>(x);
    return bits == std::bit_cast<Bits>(std::numeric_limits<T>::quiet_NaN()) ? "nan" : fmt::format("nan_{:x}", bits);
  }
  std::string text = fmt::format("{}", x);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

template <class T>
std::string number(T x) {
  if constexpr (std::is_same_v<T, bool>) {
    return x ? "true" : "false";
  } else if constexpr (std::is_floating_point_v<T>) {
    return floating(x);
  } else {
    return fmt::format("{}", x);
  }
}

template <class T>
std::string list(const std::vector<T>& values) {
  std::string text;
  for (const T value : values) text += (text.empty() ? "" : ", ") + number<T>(value);
  return text;
}

// FNV-1a over the elements as 64-bit patterns: tells constants apart in a dump, no more.
std::uint64_t checksum(const Tensor& tensor) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto mix = [&](std::uint64_t bits) {
    for (int byte = 0; byte < 8; ++byte) hash = (hash ^ (bits >> (8 * byte) & 0xff)) * 0x100000001b3ULL;
  };
  std::visit(
      [&](const auto& elements) {
        for (const auto element : elements) {
          if constexpr (std::is_floating_point_v<std::decay_t<decltype(element)>>) {
            mix(std::bit_cast<std::uint64_t>(static_cast<double>(element)));
          } else {
            mix(static_cast<std::uint64_t>(element));
          }
        }
      },
      tensor.data());
  return hash;
}

std::string print_data(const Tensor& tensor, std::int64_t max_elements) {
  if (tensor.size() > max_elements) {
    return fmt::format("<{} elements, fnv1a {:016x}>", tensor.size(), checksum(tensor));
  }
  return std::visit([](const auto& elements) { return "{" + list(elements) + "}"; }, tensor.data());
}

std::string print_attribute(const Attribute& attribute, std::int64_t max_elements) {
  struct Printer {
    std::int64_t max_elements;
    std::string operator()(std::int64_t value) const { return number(value); }
    std::string operator()(double value) const { return number(value); }
    std::string operator()(const std::string& value) const { return quoted(value); }
    std::string operator()(const std::vector<std::int64_t>& values) const { return "ints[" + list(values) + "]"; }
    std::string operator()(const std::vector<double>& values) const { return "floats[" + list(values) + "]"; }
    std::string operator()(const Tensor& tensor) const {
      return to_string(tensor.type()) + " " + print_data(tensor, max_elements);
    }
  };
  return std::visit(Printer{max_elements}, attribute);
}

// Broken networks print, too: the verifier's messages show them.
std::string print_definition(const Network& network, ValueId id) {
  if (id < 0 || static_cast<std::size_t>(id) >= network.values().size()) return fmt::format("%{} <out of range>", id);
  const Value& value = network.value(id);
  return fmt::format("%{} {} : {}", id, quoted(value.name), to_string(value.type));
}

std::string print_node(const Network& network, const Node& node, std::int64_t max_elements) {
  std::string text = fmt::format("node {} : {}(", quoted(node.name), word_or_quoted(node.op));
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (i > 0) text += ", ";
    text += node.inputs[i] == kNoValue ? "_" : fmt::format("%{}", node.inputs[i]);
  }
  text += ")";
  if (!node.attributes.empty()) {
    std::string attributes;
    for (const auto& [name, attribute] : node.attributes) {
      attributes += fmt::format("{}{} = {}", attributes.empty() ? "" : ", ", word_or_quoted(name),
                                print_attribute(attribute, max_elements));
    }
    text += " {" + attributes + "}";
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    text += (i == 0 ? " -> " : ", ") + print_definition(network, node.outputs[i]);
  }
  return text;
}

}  // namespace

std::string print(const Network& network, const Node& node) {
  return print_node(network, node, 8);
}

std::string print(const Network& network, std::int64_t max_constant_elements) {
  std::string text = "network\n";
  for (const ValueId id : network.inputs()) text += "input " + print_definition(network, id) + "\n";
  for (std::size_t i = 0; i < network.values().size(); ++i) {
    const Value& value = network.values()[i];
    if (value.constant == nullptr) continue;
    text += fmt::format("constant {} = {}\n", print_definition(network, static_cast<ValueId>(i)),
                        print_data(*value.constant, max_constant_elements));
  }
  for (const Node& node : network.nodes()) text += print_node(network, node, max_constant_elements) + "\n";
  for (const ValueId id : network.outputs()) text += fmt::format("output %{}\n", id);
  return text;
}

}  // namespace boundflow
