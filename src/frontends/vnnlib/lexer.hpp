#pragma once
// Tokens of SMT-LIB 2, one ahead. Places are tracked while reading, so that asking for one costs nothing.

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace boundflow::vnnlib {

enum class TokenKind {
  LeftParen,
  RightParen,
  Symbol,   // names, keywords and numbers
  Literal,  // "..." or |...|, met only in commands that are ignored
  End,
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::string_view text;  // into the lexed text
  int line = 1;
  int column = 1;  // in bytes
};

// For messages: 'text', or "end of file".
std::string describe(const Token& token);

class Lexer {
 public:
  // `text` must outlive the lexer and its tokens.
  Lexer(std::string_view text, std::string file);

  const Token& peek() const { return token_; }
  // The token ahead, then moves on. At the end it stays at the end.
  Token next();

  SourceLocation location(const Token& token) const { return {file_, token.line, token.column}; }
  [[noreturn]] void fail(const Token& at, const std::string& message) const;

 private:
  void advance();
  void skip_blanks();

  std::string_view text_;
  std::string file_;
  std::size_t position_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;
  Token token_;
};

}  // namespace boundflow::vnnlib
