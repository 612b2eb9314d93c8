#include "report/html/units.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace boundflow {

namespace {

constexpr const char* kNarrowSpace = "\u202F";

// Three significant digits, for numbers from 0.001 to 9999.
std::string three_digits(double value) {
  const double size = std::fabs(value);
  return fmt::format("{:.{}f}", value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

std::string with_unit(const std::string& number, const char* unit) {
  return number + kNarrowSpace + unit;
}

}  // namespace

std::string count_text(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t first = count < 0 ? 1 : 0;
  // Four digits need no space.
  if (digits.size() - first <= 4) return digits;
  for (std::size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, kNarrowSpace);
  return digits;
}

std::string bytes_text(std::int64_t bytes) {
  if (bytes < 1024) return with_unit(std::to_string(bytes), "B");
  constexpr std::array units = {"KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return with_unit(three_digits(value), units[unit]);
}

std::string seconds_text(double seconds) {
  if (!(seconds > 0)) return with_unit("0", "s");
  if (seconds < 0.9995e-3) return with_unit(three_digits(seconds * 1e6), "µs");
  if (seconds < 0.9995) return with_unit(three_digits(seconds * 1e3), "ms");
  return with_unit(three_digits(seconds), "s");
}

std::string share_text(double share) {
  return with_unit(fmt::format("{:.1f}", 100 * share), "%");
}

std::string number_text(double value) {
  if (std::isnan(value)) return "not a number";
  if (std::isinf(value)) return value < 0 ? "−∞" : "∞";
  const std::string digits = fmt::format("{:.6g}", std::fabs(value));
  return std::signbit(value) && value != 0 ? "−" + digits : digits;
}

std::string coordinate(double pixels) {
  std::string text = fmt::format("{:.2f}", pixels);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace boundflow
