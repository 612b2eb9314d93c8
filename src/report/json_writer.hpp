#pragma once
// JSON as text, member by member. Scalars are the library's; there is no tree of them, since large results would take
// many times their size, and since the destructor of such a tree allocates: out of memory, it ends the process.

#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

namespace boundflow {

class JsonWriter {
 public:
  // Objects are opened with '{', arrays with '['; elements of an array have no key.
  void open(char bracket, std::string_view key = {}) {
    begin(key);
    text_ += bracket;
    ++depth_;
    empty_ = true;
  }
  void close(char bracket) {
    --depth_;
    if (!empty_) new_line();
    text_ += bracket;
    empty_ = false;
  }
  template <class Value>
  void member(std::string_view key, const Value& value) {
    begin(key);
    text_ += scalar(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    empty_ = false;
  }
  template <class Values>
  void array(std::string_view key, const Values& values) {
    open('[', key);
    for (const auto& value : values) member({}, value);
    close(']');
  }
  // Everything that was opened is closed.
  std::string finish() {
    text_ += '\n';
    return std::move(text_);
  }

 private:
  template <class Value>
  static nlohmann::json scalar(const Value& value) {
    return value;
  }
  // JSON has no infinities and no NaN: what is not known is null.
  static nlohmann::json scalar(double value) { return std::isfinite(value) ? nlohmann::json(value) : nullptr; }

  void begin(std::string_view key) {
    if (depth_ > 0) {
      if (!empty_) text_ += ',';
      new_line();
    }
    if (!key.empty()) ((text_ += '"') += key) += "\": ";
  }
  void new_line() { (text_ += '\n').append(2 * static_cast<std::size_t>(depth_), ' '); }

  std::string text_;
  int depth_ = 0;
  bool empty_ = true;  // nothing stands behind the last bracket yet
};

}  // namespace boundflow
