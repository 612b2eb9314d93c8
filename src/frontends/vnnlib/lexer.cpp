#include "frontends/vnnlib/lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace boundflow::vnnlib {
namespace {

constexpr std::array<bool, 256> symbol_characters() {
  std::array<bool, 256> table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c : std::string_view("~!@$%^&*_-+=<>.?/:")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kSymbolCharacters = symbol_characters();

bool is_symbol_character(char c) {
  return kSymbolCharacters[static_cast<unsigned char>(c)];
}

}  // namespace

std::string describe(const Token& token) {
  if (token.kind == TokenKind::End) return "the end of the file";
  constexpr std::size_t longest = 40;
  if (token.text.size() <= longest) return fmt::format("'{}'", token.text);
  return fmt::format("'{}...'", token.text.substr(0, longest));
}

Lexer::Lexer(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
  // Editors on Windows put a byte order mark in front of UTF-8.
  if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  advance();
}

Token Lexer::next() {
  const Token token = token_;
  if (token.kind != TokenKind::End) advance();
  return token;
}

void Lexer::fail(const Token& at, const std::string& message) const {
  throw InputError(location(at), message);
}

void Lexer::skip_blanks() {
  for (; position_ < text_.size(); ++position_) {
    const char c = text_[position_];
    if (c == '\n') {
      ++line_;
      line_start_ = position_ + 1;
    } else if (c == ';') {
      position_ = std::min(text_.find('\n', position_), text_.size()) - 1;
    } else if (c != ' ' && c != '\t' && c != '\r' && c != '\f') {
      return;
    }
  }
}

void Lexer::advance() {
  skip_blanks();
  token_ = Token{TokenKind::End, {}, line_, static_cast<int>(position_ - line_start_) + 1};
  if (position_ == text_.size()) return;
  const std::size_t start = position_;
  const char c = text_[start];
  if (c == '(' || c == ')') {
    token_.kind = c == '(' ? TokenKind::LeftParen : TokenKind::RightParen;
    ++position_;
  } else if (c == '"' || c == '|') {
    token_.kind = TokenKind::Literal;
    const std::size_t end = text_.find(c, start + 1);
    if (end == std::string_view::npos) fail(token_, fmt::format("this {} is never closed", c));
    position_ = end + 1;
    for (std::size_t i = start; i < end; ++i) {
      if (text_[i] != '\n') continue;
      ++line_;
      line_start_ = i + 1;
    }
  } else if (is_symbol_character(c)) {
    token_.kind = TokenKind::Symbol;
    while (position_ < text_.size() && is_symbol_character(text_[position_])) ++position_;
  } else {
    const auto byte = static_cast<unsigned char>(c);
    const bool printable = byte > 0x20 && byte < 0x7f;
    fail(token_, printable ? fmt::format("unexpected character '{}'", c)
                           : fmt::format("unexpected byte 0x{:02x}; is this a text file?", byte));
  }
  token_.text = text_.substr(start, position_ - start);
}

}  // namespace boundflow::vnnlib
