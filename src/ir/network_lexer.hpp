#pragma once
// Tokens of the text form of networks (network_printer.cpp has the grammar), one ahead.

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace boundflow::network_text {

enum class TokenKind {
  Word,    // keywords, operators, attributes, dtypes, true, false, inf, nan, _
  Number,  // digits and whatever sticks to them
  Id,      // %12
  String,  // with its quotes and escapes
  Mark,    // -> or any other character
  End,
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::string_view text;  // into the text; empty at the end only
  int line = 1;
  int column = 1;  // in bytes
};

// Whether `text` reads back as one Word.
bool is_word(std::string_view text);

// For messages: 'text', or "the end of the text".
std::string describe(const Token& token);

class Lexer {
 public:
  // `text` must outlive the lexer and its tokens.
  Lexer(std::string_view text, std::string file);

  const Token& peek() const { return token_; }
  // The token ahead, then moves on. At the end it stays at the end.
  Token next();
  // InputError, `offset` bytes into the token.
  [[noreturn]] void fail(const Token& at, const std::string& message, std::size_t offset = 0) const;

 private:
  void advance();
  void skip_blanks();
  std::size_t end_of_string() const;

  std::string_view text_;
  std::string file_;
  std::size_t position_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;
  Token token_;
};

}  // namespace boundflow::network_text
