#include "report/html/markup.hpp"

#include <cstdint>

#include "base/error.hpp"

namespace boundflow {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Character {
  std::size_t bytes = 1;
  std::uint32_t code = 0;  // kInvalid: the byte begins no character
};
constexpr std::uint32_t kInvalid = 0xFFFFFFFF;

// The first character of a text that is not empty, as UTF-8 defines it: shortest form, no surrogates.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {1, kInvalid};
  std::uint32_t code = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {1, kInvalid};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < smallest[bytes] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {1, kInvalid};
  return {bytes, code};
}

bool is_shown(std::uint32_t code) {
  if (code < 0x20) return code == '\n' || code == '\t';
  const bool control = (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
  const bool turns_direction = code == 0x200E || code == 0x200F || code == 0x061C ||
                               (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  const bool no_character = code == kInvalid || (code & 0xFFFE) == 0xFFFE;
  return !control && !turns_direction && !no_character;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character c = first_character(text);
    if (!is_shown(c.code)) {
      result += kReplacement;
    } else if (c.code == '&') {
      result += "&amp;";
    } else if (c.code == '<') {
      result += "&lt;";
    } else if (c.code == '>') {
      result += "&gt;";
    } else if (c.code == '"') {
      result += "&quot;";
    } else if (c.code == '\'') {
      result += "&#39;";
    } else {
      result += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  return result;
}

std::string clipped(std::string_view text, std::size_t characters) {
  std::size_t end = 0;
  std::size_t before_last = 0;
  for (std::size_t count = 0; end < text.size(); ++count) {
    if (count == characters) return std::string(text.substr(0, before_last)) + "…";
    before_last = end;
    end += first_character(text.substr(end)).bytes;
  }
  return std::string(text);
}

void Markup::begin(std::string_view tag, Attributes attributes) {
  (text_ += '<') += tag;
  for (const auto& [name, value] : attributes) {
    (((text_ += ' ') += name) += "=\"") += escaped(value);
    text_ += '"';
  }
}

void Markup::open(std::string_view tag, Attributes attributes) {
  begin(tag, attributes);
  text_ += '>';
  open_.emplace_back(tag);
}

void Markup::close() {
  ensure(!open_.empty(), "a page closes a tag that it has not opened");
  ((text_ += "</") += open_.back()) += ">\n";
  open_.pop_back();
}

void Markup::text(std::string_view text) {
  text_ += escaped(text);
}

void Markup::element(std::string_view tag, Attributes attributes, std::string_view content) {
  open(tag, attributes);
  text(content);
  close();
}

void Markup::empty(std::string_view tag, Attributes attributes) {
  begin(tag, attributes);
  text_ += "/>\n";
}

}  // namespace boundflow
