#include "ir/network_parser.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "ir/network_lexer.hpp"

namespace boundflow {

namespace {

using network_text::Lexer;
using network_text::Token;
using network_text::TokenKind;

class Parser {
 public:
  Parser(std::string_view text, std::string file) : lexer_(text, std::move(file)) {}

  Network run() {
    expect("network");
    std::vector<ValueId> inputs, outputs;
    std::vector<Node> nodes;
    while (accept("input")) inputs.push_back(define(value()));
    while (accept("constant")) constant();
    while (accept("node")) nodes.push_back(node(static_cast<NodeId>(nodes.size())));
    while (accept("output")) outputs.push_back(reference());
    if (lexer_.peek().kind != TokenKind::End) {
      expected("a line 'input', 'constant', 'node' or 'output', in this order");
    }
    return Network(numbered_values(), std::move(nodes), std::move(inputs), std::move(outputs));
  }

 private:
  struct Definition {
    Token at;  // the id
    ValueId id = kNoValue;
    Value value;
  };

  [[noreturn]] void expected(std::string_view what) const {
    lexer_.fail(lexer_.peek(), fmt::format("expected {}, found {}", what, describe(lexer_.peek())));
  }

  bool accept(std::string_view text) {
    if (lexer_.peek().text != text) return false;
    lexer_.next();
    return true;
  }

  void expect(std::string_view text) {
    if (!accept(text)) expected(fmt::format("'{}'", text));
  }

  template <class Item>
  void list(std::string_view open, std::string_view close, Item&& item) {
    expect(open);
    if (accept(close)) return;
    do {
      item();
    } while (accept(","));
    if (!accept(close)) expected(fmt::format("',' or '{}'", close));
  }

  template <class T>
  std::vector<T> numbers(std::string_view open, std::string_view close) {
    std::vector<T> result;
    list(open, close, [&] { result.push_back(number<T>()); });
    return result;
  }

  template <class T>
  T number() {
    constexpr bool floating = std::is_floating_point_v<T>;
    constexpr std::string_view what = floating ? "a number" : std::is_same_v<T, bool> ? "true or false" : "an integer";
    const std::string_view text = lexer_.peek().text;
    T result{};
    if constexpr (std::is_same_v<T, bool>) {
      result = text == "true";
      if (!result && text != "false") expected(what);
    } else {
      if constexpr (floating) {
        if (text.starts_with("nan")) return not_a_number<T>();
      }
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
      if (error == std::errc::result_out_of_range) {
        const auto type = static_cast<DType>(Tensor::Data(std::vector<T>()).index());
        lexer_.fail(lexer_.peek(), fmt::format("{} is out of the range of {}", text, to_string(type)));
      }
      if (error != std::errc() || end != text.data() + text.size() || text.starts_with("-nan")) expected(what);
    }
    lexer_.next();
    return result;
  }

  // nan, or nan_ and the bits.
  template <class T>
  T not_a_number() {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    const std::string_view text = lexer_.peek().text;
    T result = std::numeric_limits<T>::quiet_NaN();
    if (text != "nan") {
      const std::string_view digits = text.substr(std::min<std::size_t>(4, text.size()));
      Bits bits = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
      result = std::bit_cast<T>(bits);
      if (text[3] != '_' || error != std::errc() || end != digits.data() + digits.size() || !std::isnan(result)) {
        expected("nan, or nan_ and the bits of one in hexadecimal");
      }
    }
    lexer_.next();
    return result;
  }

  std::string string(std::string_view what) {
    if (lexer_.peek().kind != TokenKind::String) expected(what);
    const Token token = lexer_.next();
    std::string result;
    for (std::size_t i = 1; i + 1 < token.text.size(); ++i) {
      if (token.text[i] != '\\') {
        result += token.text[i];
        continue;
      }
      const char* escape = token.text.data() + i + 1;
      unsigned char byte = 0;
      if (*escape == '"' || *escape == '\\') {
        result += *escape;
        i += 1;
      } else if (*escape == 'x' && std::from_chars(escape + 1, escape + 3, byte, 16).ptr == escape + 3) {
        result += static_cast<char>(byte);
        i += 3;
      } else {
        lexer_.fail(token, R"(expected \", \\ or \x and two hexadecimal digits)", i);
      }
    }
    return result;
  }

  // The name of an operator or attribute: in quotes where it is no word.
  std::string word_or_string(std::string_view what) {
    return lexer_.peek().kind == TokenKind::Word ? std::string(lexer_.next().text) : string(what);
  }

  std::optional<DType> dtype() const {
    for (const DType type : {DType::Float32, DType::Float64, DType::Int64, DType::Bool}) {
      if (lexer_.peek().text == to_string(type)) return type;
    }
    return std::nullopt;
  }

  TensorType type() {
    const Token at = lexer_.peek();
    const std::optional<DType> dtype = this->dtype();
    if (!dtype) expected("float32, float64, int64 or bool");
    lexer_.next();
    TensorType type{*dtype, numbers<std::int64_t>("[", "]")};
    try {
      element_count(type.shape);
    } catch (const InputError& error) {
      lexer_.fail(at, error.what());
    }
    return type;
  }

  Tensor tensor(const TensorType& type) {
    const Token at = lexer_.peek();
    if (at.text == "<") {
      lexer_.fail(at, "the elements of this constant were not printed; print the network with kAllElements");
    }
    Tensor::Data data;
    switch (type.dtype) {
      case DType::Float32:
        data = numbers<float>("{", "}");
        break;
      case DType::Float64:
        data = numbers<double>("{", "}");
        break;
      case DType::Int64:
        data = numbers<std::int64_t>("{", "}");
        break;
      case DType::Bool:
        data = numbers<bool>("{", "}");
        break;
    }
    const std::size_t found = std::visit([](const auto& elements) { return elements.size(); }, data);
    if (const std::int64_t count = element_count(type.shape); static_cast<std::size_t>(count) != found) {
      lexer_.fail(at, fmt::format("found {} elements, but {} has {}", found, to_string(type), count));
    }
    return Tensor(type.shape, std::move(data));
  }

  Attribute attribute() {
    const Token token = lexer_.peek();
    if (token.kind == TokenKind::String) return string("a string");
    if (accept("ints")) return numbers<std::int64_t>("[", "]");
    if (accept("floats")) return numbers<double>("[", "]");
    if (dtype()) {
      const TensorType type = this->type();
      return tensor(type);
    }
    const bool integer = token.text.find_first_not_of("-0123456789") == std::string_view::npos;
    if (token.kind == TokenKind::Number && integer) return number<std::int64_t>();
    if (token.kind == TokenKind::Number || token.text == "inf" || token.text.starts_with("nan")) {
      return number<double>();
    }
    expected("a number, a string, ints[...], floats[...] or a tensor such as int64[2] {0, 1}");
  }

  ValueId id() {
    const Token& token = lexer_.peek();
    ValueId result = kNoValue;
    const char* end = token.text.data() + token.text.size();
    if (token.kind != TokenKind::Id || std::from_chars(token.text.data() + 1, end, result).ec != std::errc()) {
      expected("a value such as %0");
    }
    lexer_.next();
    return result;
  }

  // A value that an earlier line defines.
  ValueId reference() {
    const Token at = lexer_.peek();
    const ValueId result = id();
    if (!definitions_.contains(result)) lexer_.fail(at, fmt::format("no line above defines %{}", result));
    return result;
  }

  // %id "name" : type
  Definition value() {
    Definition definition;
    definition.at = lexer_.peek();
    definition.id = id();
    definition.value.name = string("the value's name in quotes");
    expect(":");
    definition.value.type = type();
    return definition;
  }

  ValueId define(Definition definition) {
    const ValueId id = definition.id;
    const Token at = definition.at;
    const auto [first, is_new] = definitions_.emplace(id, std::move(definition));
    if (!is_new) lexer_.fail(at, fmt::format("%{} is already defined in line {}", id, first->second.at.line));
    return id;
  }

  void constant() {
    Definition definition = value();
    expect("=");
    definition.value.constant = std::make_shared<const Tensor>(tensor(definition.value.type));
    define(std::move(definition));
  }

  Node node(NodeId number) {
    Node node;
    node.name = string("the node's name in quotes");
    expect(":");
    node.op = word_or_string("an operator");
    list("(", ")", [&] { node.inputs.push_back(accept("_") ? kNoValue : reference()); });
    if (lexer_.peek().text == "{") {
      list("{", "}", [&] {
        const Token at = lexer_.peek();
        std::string name = word_or_string("the name of an attribute");
        if (node.attributes.contains(name)) lexer_.fail(at, fmt::format("attribute '{}' is given twice", name));
        expect("=");
        node.attributes.emplace(std::move(name), attribute());
      });
    }
    expect("->");
    do {
      Definition output = value();
      output.value.producer = number;
      node.outputs.push_back(define(std::move(output)));
    } while (accept(","));
    return node;
  }

  std::vector<Value> numbered_values() {
    std::vector<Value> values;
    for (auto& [id, definition] : definitions_) {
      if (static_cast<std::size_t>(id) != values.size()) {
        lexer_.fail(definition.at, fmt::format("ids count from %0 without gaps, but %{} is missing", values.size()));
      }
      values.push_back(std::move(definition.value));
    }
    return values;
  }

  Lexer lexer_;
  std::map<ValueId, Definition> definitions_;
};

}  // namespace

Network parse_network(std::string_view text, const std::string& file) {
  Network network = Parser(text, file).run();
  if (const std::optional<std::string> fault = network_fault(network)) throw InputError(SourceLocation{file}, *fault);
  return network;
}

}  // namespace boundflow
