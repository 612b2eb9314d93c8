#include "frontends/vnnlib/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/limits.hpp"
#include "frontends/vnnlib/lexer.hpp"

namespace boundflow::vnnlib {
namespace {

constexpr const char* kFormulas = "and, or, <=, <, >=, > or =";
constexpr const char* kExpressions = "a number, X_i, Y_i or one of +, -, *, / applied to such";

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Without effect on what the assertions mean.
constexpr std::array<std::string_view, 3> kIgnoredCommands = {"set-logic", "set-info", "set-option"};
// They end the problem: what follows them would not belong to it.
constexpr std::array<std::string_view, 3> kClosingCommands = {"check-sat", "get-model", "exit"};
constexpr std::array<std::string_view, 5> kVersion2Commands = {"vnnlib-version", "declare-network", "declare-input",
                                                               "declare-hidden", "declare-output"};
// Known to SMT-LIB: worth a message of their own.
constexpr std::array<std::string_view, 9> kUnsupportedFormulas = {"not", "=>",       "xor",    "ite",   "let",
                                                                  "!",   "distinct", "forall", "exists"};

struct Variable {
  bool is_input;
  std::int64_t index;
};

// X_12, Y_0; no leading zeros, which would give a variable two names.
std::optional<Variable> parse_variable(std::string_view name) {
  if (name.size() < 3 || (name[0] != 'X' && name[0] != 'Y') || name[1] != '_') return std::nullopt;
  const std::string_view digits = name.substr(2);
  if (digits[0] < '0' || digits[0] > '9' || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
  std::int64_t index = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (fault != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return Variable{name[0] == 'X', index};
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& file, std::int64_t inputs, std::int64_t outputs,
         const Deadline& deadline)
      : lexer_(text, file), bytes_(text.size()), formula_(inputs), deadline_(deadline) {
    input_declarations_.resize(static_cast<std::size_t>(inputs));
    output_declarations_.resize(static_cast<std::size_t>(outputs));
  }

  ParsedFile parse(const std::string& file) {
    while (lexer_.peek().kind != TokenKind::End) command();
    check_all_declared('X', "inputs", input_declarations_);
    check_all_declared('Y', "outputs", output_declarations_);
    ParsedFile result{std::move(formula_), 0, file, bytes_, {}};
    result.violation = result.formula.conjunction(assertions_);
    for (const Token& token : input_declarations_) result.input_declarations.push_back(lexer_.location(token));
    return result;
  }

 private:
  [[noreturn]] void fail(const Token& at, const std::string& message) const { lexer_.fail(at, message); }

  Token expect_symbol(const char* what) {
    const Token token = lexer_.next();
    if (token.kind != TokenKind::Symbol) fail(token, fmt::format("expected {}, found {}", what, describe(token)));
    return token;
  }

  // The ')' of `open`. `what` says what the list may hold.
  void expect_close(const Token& open, const std::string& what) {
    const Token token = lexer_.next();
    if (token.kind == TokenKind::End) fail_unclosed(open);
    if (token.kind != TokenKind::RightParen) {
      fail(token, fmt::format("expected ')' ({}), found {}", what, describe(token)));
    }
  }

  [[noreturn]] void fail_unclosed(const Token& open) const {
    fail(open, "this '(' is never closed: found the end of the file, expected ')'");
  }

  void command() {
    const Token open = lexer_.next();
    if (open.kind == TokenKind::RightParen) fail(open, "unbalanced ')': no '(' is open here");
    if (open.kind != TokenKind::LeftParen) {
      fail(open, fmt::format("expected a command such as (assert ...), found {}", describe(open)));
    }
    const Token name = expect_symbol("the name of a command");
    if (is_one_of(name.text, kVersion2Commands)) {
      fail(name,
           fmt::format("'{}' belongs to VNN-LIB 2.0, which is not supported yet; expected VNN-LIB 1.0", name.text));
    }
    if (is_one_of(name.text, kIgnoredCommands)) return skip_arguments(open);
    if (is_one_of(name.text, kClosingCommands)) {
      closed_by_ = closed_by_.empty() ? name.text : closed_by_;
      return skip_arguments(open);
    }
    if (!closed_by_.empty()) fail(name, fmt::format("'{}' after {} is not supported", name.text, closed_by_));
    if (name.text == "assert") {
      assertions_.push_back(formula(1));
      expect_close(open, "assert takes one formula");
    } else if (name.text == "declare-const" || name.text == "declare-fun") {
      declare(open, name);
    } else {
      fail(name, fmt::format("unknown command {}; expected declare-const or assert", describe(name)));
    }
  }

  void skip_arguments(const Token& open) {
    for (int depth = 1; depth > 0;) {
      const Token token = lexer_.next();
      if (token.kind == TokenKind::End) fail_unclosed(open);
      if (token.kind == TokenKind::LeftParen) ++depth;
      if (token.kind == TokenKind::RightParen) --depth;
    }
  }

  void declare(const Token& open, const Token& command) {
    const Token name = expect_symbol("the name of a variable");
    const std::optional<Variable> variable = parse_variable(name.text);
    if (!variable) fail(name, fmt::format("expected a variable X_i or Y_i, found {}", describe(name)));
    if (command.text == "declare-fun") {
      const Token parameters = lexer_.next();
      if (parameters.kind != TokenKind::LeftParen) {
        fail(parameters, fmt::format("expected (), found {}", describe(parameters)));
      }
      expect_close(parameters, "a variable has no parameters");
    }
    const Token sort = expect_symbol("the sort Real");
    if (sort.text != "Real") fail(sort, fmt::format("expected the sort Real, found {}", describe(sort)));
    expect_close(open, "a declaration has a name and a sort");

    std::vector<Token>& declarations = variable->is_input ? input_declarations_ : output_declarations_;
    if (variable->index >= static_cast<std::int64_t>(declarations.size())) {
      fail(name, fmt::format("{} is declared, but the network has {} {}", describe(name), declarations.size(),
                             variable->is_input ? "inputs" : "outputs"));
    }
    Token& declaration = declarations[static_cast<std::size_t>(variable->index)];
    if (is_declared(declaration)) {
      fail(name, fmt::format("{} is declared twice; first in line {}", describe(name), declaration.line));
    }
    declaration = name;
    last_declaration_ = name;
  }

  static bool is_declared(const Token& declaration) { return declaration.kind == TokenKind::Symbol; }

  void check_all_declared(char letter, const char* what, const std::vector<Token>& declarations) const {
    const auto count = std::count_if(declarations.begin(), declarations.end(), is_declared);
    if (count == static_cast<std::int64_t>(declarations.size())) return;
    const auto missing = std::find_if_not(declarations.begin(), declarations.end(), is_declared);
    fail(last_declaration_, fmt::format("the network has {} {}, but {} are declared: {}_{} is missing",
                                        declarations.size(), what, count, letter, missing - declarations.begin()));
  }

  void check_nesting(const Token& at, int depth) const {
    if (depth > kMaxNesting) fail(at, fmt::format("nested more than {} levels deep", kMaxNesting));
  }

  NodeId formula(int depth) {
    deadline_.check();
    const Token open = lexer_.next();
    if (open.text == "true" || open.text == "false") return formula_.constant(open.text == "true");
    if (open.kind != TokenKind::LeftParen) {
      fail(open, fmt::format("expected a formula ({} in parentheses), found {}", kFormulas, describe(open)));
    }
    check_nesting(open, depth);
    const Token name = lexer_.next();
    if (name.text == "and" || name.text == "or") {
      std::vector<NodeId> operands;
      while (!at_close(open)) operands.push_back(formula(depth + 1));
      if (operands.empty()) fail(name, fmt::format("'{}' needs at least one argument", name.text));
      return name.text == "and" ? formula_.conjunction(operands) : formula_.disjunction(operands);
    }
    if (name.text == "<=" || name.text == "<" || name.text == ">=" || name.text == ">" || name.text == "=" ||
        name.text == "==") {
      return comparison(open, name, depth);
    }
    if (is_one_of(name.text, kUnsupportedFormulas)) {
      fail(name, fmt::format("'{}' is not supported; supported are {} over linear expressions", name.text, kFormulas));
    }
    fail(name, fmt::format("expected {}, found {}", kFormulas, describe(name)));
  }

  // True and past the ')' if the list of `open` ends here.
  bool at_close(const Token& open) {
    if (lexer_.peek().kind == TokenKind::End) fail_unclosed(open);
    if (lexer_.peek().kind != TokenKind::RightParen) return false;
    lexer_.next();
    return true;
  }

  // (<= a b c) is a <= b and b <= c.
  NodeId comparison(const Token& open, const Token& relation, int depth) {
    std::vector<Linear> operands;
    operands.reserve(2);
    while (!at_close(open)) operands.push_back(expression(depth + 1));
    if (operands.size() < 2) fail(relation, fmt::format("'{}' needs at least two arguments", relation.text));
    const bool equality = relation.text[0] == '=';
    const bool strict = relation.text.size() == 1 && !equality;
    const bool greater = relation.text[0] == '>';
    std::vector<NodeId> atoms;
    for (std::size_t i = 0; i + 1 < operands.size(); ++i) {
      Linear left = std::move(operands[i]);
      Linear right = i + 2 < operands.size() ? operands[i + 1] : std::move(operands[i + 1]);
      if (greater) std::swap(left, right);
      add(left, std::move(right), -1);
      normalise(relation, left);
      check_size(relation, left);
      if (equality) {
        Linear reverse = left;
        scale(reverse, -1);
        atoms.push_back(formula_.compare(std::move(reverse), false));
      }
      atoms.push_back(formula_.compare(std::move(left), strict));
    }
    return formula_.conjunction(atoms);
  }

  // Products and sums of decimals are exact, and grow.
  void check_size(const Token& at, const Rational& number) {
    const std::size_t bits = bit_count(number);
    if (bits > kMaxRationalBits) {
      fail(at, fmt::format("a number of more than {} bits comes about here; use shorter decimals", kMaxRationalBits));
    }
    arithmetic_bits_ += static_cast<double>(bits);
    if (arithmetic_bits_ > kArithmeticBits.of(bytes_)) {
      fail(at, fmt::format("too large: all results of sums and products up to here have more than {:.0f} bits; write "
                           "them out",
                           kArithmeticBits.of(bytes_)));
    }
  }
  void check_size(const Token& at, const Linear& result) {
    check_size(at, result.constant);
    for (const LinearTerm& term : result.terms) check_size(at, term.coefficient);
  }

  void normalise(const Token& at, Linear& expression) {
    vnnlib::normalise(expression, [&](const Rational& sum) { check_size(at, sum); });
  }

  Linear expression(int depth) {
    const Token token = lexer_.next();
    if (token.kind == TokenKind::Symbol) return leaf(token);
    if (token.kind != TokenKind::LeftParen) {
      fail(token, fmt::format("expected {}, found {}", kExpressions, describe(token)));
    }
    check_nesting(token, depth);
    deadline_.check();
    const Token name = lexer_.next();
    if (name.kind == TokenKind::Symbol && name.text.size() == 1) {
      if (name.text == "+" || name.text == "-") return sum(token, name, depth);
      if (name.text == "*" || name.text == "/") return product(token, name, depth);
    }
    fail(name, fmt::format("expected one of +, -, *, /, found {}", describe(name)));
  }

  Linear leaf(const Token& token) {
    Linear result;
    if (const std::optional<Variable> variable = parse_variable(token.text)) {
      const std::vector<Token>& declarations = variable->is_input ? input_declarations_ : output_declarations_;
      if (variable->index >= static_cast<std::int64_t>(declarations.size()) ||
          !is_declared(declarations[static_cast<std::size_t>(variable->index)])) {
        fail(token, fmt::format("{} is not declared", describe(token)));
      }
      result.terms.push_back({variable->is_input ? variable->index : formula_.inputs() + variable->index, 1});
      return result;
    }
    std::optional<Rational> number = parse_decimal(token.text);
    if (!number) {
      if (is_decimal(token.text)) {
        fail(token, fmt::format("{} is too long: numbers may have {} digits and exponents within +-{}", describe(token),
                                kMaxDigits, kMaxExponent));
      }
      fail(token, fmt::format("expected {}, found {}", kExpressions, describe(token)));
    }
    result.constant = std::move(*number);
    return result;
  }

  // (+ a b ...), (- a), (- a b ...)
  Linear sum(const Token& open, const Token& name, int depth) {
    if (at_close(open)) fail(name, fmt::format("'{}' needs at least one argument", name.text));
    Linear result = expression(depth + 1);
    const bool minus = name.text == "-";
    int count = 1;
    for (; !at_close(open); ++count) {
      add(result, expression(depth + 1), minus ? -1 : 1);
      check_size(name, result.constant);
    }
    if (minus && count == 1) scale(result, -1);
    return result;
  }

  // (* a b ...) with at most one operand that has variables, (/ a b ...) with variables in a only.
  Linear product(const Token& open, const Token& name, int depth) {
    const bool division = name.text == "/";
    Linear result;
    Rational factor = 1;  // of all operands without variables; it is multiplied into the terms once
    int count = 0;
    for (; !at_close(open); ++count) {
      const Token at = lexer_.peek();
      Linear operand = expression(depth + 1);
      normalise(at, operand);  // X_0 - X_0 is a constant
      if (division && count > 0) {
        if (!operand.terms.empty()) fail(at, "division by a variable: only linear arithmetic is supported");
        if (operand.constant == 0) fail(at, "division by zero");
        factor /= operand.constant;
      } else if (operand.terms.empty()) {
        factor *= operand.constant;
      } else {
        if (!result.terms.empty()) fail(at, "product of two variables: only linear arithmetic is supported");
        result = std::move(operand);
      }
      check_size(at, factor);
    }
    if (count < 2) fail(name, fmt::format("'{}' needs at least two arguments", name.text));
    if (result.terms.empty()) {
      result.constant = std::move(factor);
    } else {
      scale(result, factor);
      check_size(name, result);
    }
    return result;
  }

  Lexer lexer_;
  const std::size_t bytes_;
  double arithmetic_bits_ = 0;  // of all results so far
  Formula formula_;
  const Deadline& deadline_;
  std::vector<NodeId> assertions_;
  std::vector<Token> input_declarations_;  // kind Symbol where declared
  std::vector<Token> output_declarations_;
  Token last_declaration_;
  std::string_view closed_by_;
};

}  // namespace

ParsedFile parse(std::string_view text, const std::string& file, std::int64_t inputs, std::int64_t outputs,
                 const Deadline& deadline) {
  ensure(inputs >= 0 && outputs >= 0, "counts of inputs and outputs must not be negative");
  return Parser(text, file, inputs, outputs, deadline).parse(file);
}

}  // namespace boundflow::vnnlib
