#pragma once
// HTML as text, tag by tag, well-formed by construction: what is opened is closed, and every text and attribute is
// escaped. Bytes that are not UTF-8, control characters and those that turn the direction of writing become U+FFFD, so
// that a name cannot break the page or show as something else.

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boundflow {

class Markup {
 public:
  using Attributes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void open(std::string_view tag, Attributes attributes = {});
  void close();
  void text(std::string_view text);
  // A tag with a text, and one without content.
  void element(std::string_view tag, Attributes attributes, std::string_view content);
  void empty(std::string_view tag, Attributes attributes);
  // Markup of our own, as it is.
  void raw(std::string_view markup) { text_ += markup; }
  // Everything that was opened is closed.
  std::string finish() { return std::move(text_); }

 private:
  void begin(std::string_view tag, Attributes attributes);

  std::string text_;
  std::vector<std::string> open_;
};

// `text` for markup, as described above.
std::string escaped(std::string_view text);

// At most so many characters (code points), the last of which is an ellipsis if some are left out.
std::string clipped(std::string_view text, std::size_t characters);

}  // namespace boundflow
