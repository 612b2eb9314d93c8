#include "python/bindings/options.hpp"

#include <nanobind/stl/string.h>

#include <charconv>
#include <cstring>
#include <string_view>
#include "boundflow/error.hpp"

namespace boundflow::python {

namespace nb = nanobind;

namespace {

// Files that the command writes: here results are values.
bool for_the_command(std::string_view member) {
  return member == "json" || member == "counterexample" || member == "profile" || member == "report" ||
         member == "log_level";
}

std::int64_t bytes_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::string_view units = "KMG";
  const std::size_t unit = suffix.empty() ? 0 : units.find(suffix);
  if (fault != std::errc() || number < 0 || number > (std::int64_t{1} << 32) || unit == std::string_view::npos) {
    throw Error(ExitCode::Usage, "memory: expected a size such as '512M' or '4G', found '" + std::string(text) + "'");
  }
  return suffix.empty() ? number : number << (10 * (unit + 1));
}

template <class T>
void take(nb::handle value, const char* name, T& member) {
  if (!nb::try_cast(value, member)) {
    const std::string type = nb::cast<std::string>(nb::str(nb::handle(value.type()).attr("__name__")));
    throw nb::type_error(("the option " + std::string(name) + " cannot be of type " + type).c_str());
  }
}

void take(nb::handle value, const char* name, ByteSize& member) {
  if (nb::isinstance<nb::str>(value)) {
    member.bytes = bytes_of(nb::cast<std::string>(value));
  } else {
    take(value, name, member.bytes);
  }
}

const char* python_type(const double& /*unused*/) {
  return "float";
}
const char* python_type(const ByteSize& /*unused*/) {
  return "int | str";
}
const char* python_type(const bool& /*unused*/) {
  return "bool";
}
const char* python_type(const std::string& /*unused*/) {
  return "str";
}
template <class Integer>
const char* python_type(const Integer& /*unused*/) {
  return "int";
}

std::string python_value(const double& /*unused*/) {
  return "float('inf')";
}
std::string python_value(const ByteSize& /*unused*/) {
  return "0";
}
std::string python_value(const bool& value) {
  return value ? "True" : "False";
}
std::string python_value(const std::string& value) {
  return "'" + value + "'";
}
template <class Integer>
std::string python_value(const Integer& value) {
  return std::to_string(value);
}

}  // namespace

Options to_options(const nb::kwargs& keywords) {
  Options options;
  for (const auto& [key, value] : keywords) {
    const auto name = nb::cast<std::string>(key);
#define BOUNDFLOW_TAKE_OPTION(type, member, flag, otherwise, help) \
  if (name == #member && !for_the_command(#member)) {              \
    take(value, #member, options.member);                          \
    continue;                                                      \
  }
    BOUNDFLOW_OPTIONS(BOUNDFLOW_TAKE_OPTION)
#undef BOUNDFLOW_TAKE_OPTION
    throw nb::type_error(("there is no argument or option '" + name + "'").c_str());
  }
  return options;
}

std::string option_parameters() {
  std::string text;
  const Options options;
#define BOUNDFLOW_NAME_OPTION(type, member, flag, otherwise, help)                \
  if (!for_the_command(#member)) {                                                \
    text += std::string(", " #member ": ") + python_type(options.member) + " = "; \
    text += python_value(options.member);                                         \
  }
  BOUNDFLOW_OPTIONS(BOUNDFLOW_NAME_OPTION)
#undef BOUNDFLOW_NAME_OPTION
  return text;
}

std::string option_help() {
  std::string text;
#define BOUNDFLOW_EXPLAIN_OPTION(type, member, flag, otherwise, help) \
  if (!for_the_command(#member)) text += std::string("    " #member ": ") + (help) + ".\n";
  BOUNDFLOW_OPTIONS(BOUNDFLOW_EXPLAIN_OPTION)
#undef BOUNDFLOW_EXPLAIN_OPTION
  return text;
}

}  // namespace boundflow::python
