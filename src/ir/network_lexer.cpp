#include "ir/network_lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace boundflow::network_text {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '.';
}

bool is_number_character(char c) {
  return is_word_character(c) || c == '+' || c == '-';
}

}  // namespace

bool is_word(std::string_view text) {
  return !text.empty() && !is_digit(text[0]) && std::all_of(text.begin(), text.end(), is_word_character);
}

std::string describe(const Token& token) {
  if (token.kind == TokenKind::End) return "the end of the text";
  constexpr std::size_t longest = 40;
  const bool cut = token.text.size() > longest;
  return fmt::format("'{}{}'", token.text.substr(0, longest), cut ? "..." : "");
}

Lexer::Lexer(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
  advance();
}

Token Lexer::next() {
  const Token token = token_;
  advance();
  return token;
}

void Lexer::fail(const Token& at, const std::string& message, std::size_t offset) const {
  throw InputError(SourceLocation{file_, at.line, at.column + static_cast<int>(offset)}, message);
}

void Lexer::skip_blanks() {
  for (; position_ < text_.size(); ++position_) {
    const char c = text_[position_];
    if (c == '\n') {
      ++line_;
      line_start_ = position_ + 1;
    } else if (c == '#') {
      position_ = std::min(text_.find('\n', position_), text_.size()) - 1;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      return;
    }
  }
}

std::size_t Lexer::end_of_string() const {
  for (std::size_t i = position_ + 1; i < text_.size() && text_[i] != '\n'; ++i) {
    if (text_[i] == '"') return i + 1;
    if (text_[i] == '\\') ++i;
  }
  fail(token_, "this string is not closed on its line");
}

void Lexer::advance() {
  skip_blanks();
  token_ = Token{TokenKind::End, {}, line_, static_cast<int>(position_ - line_start_) + 1};
  if (position_ == text_.size()) return;
  const auto end_of = [&](bool (*belongs)(char)) {
    return static_cast<std::size_t>(std::find_if_not(text_.begin() + position_ + 1, text_.end(), belongs) -
                                    text_.begin());
  };
  const char c = text_[position_];
  std::size_t end = position_ + 1;
  if (c == '"') {
    token_.kind = TokenKind::String;
    end = end_of_string();
  } else if (c == '%') {
    token_.kind = TokenKind::Id;
    end = end_of(is_digit);
  } else if (text_.substr(position_).starts_with("->")) {
    token_.kind = TokenKind::Mark;
    ++end;
  } else if (is_digit(c) || c == '-') {
    token_.kind = TokenKind::Number;
    end = end_of(is_number_character);
  } else if (is_word_character(c)) {
    token_.kind = TokenKind::Word;
    end = end_of(is_word_character);
  } else {
    token_.kind = TokenKind::Mark;
  }
  token_.text = text_.substr(position_, end - position_);
  position_ = end;
}

}  // namespace boundflow::network_text
