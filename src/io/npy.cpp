#include "io/npy.hpp"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

#include "base/error.hpp"
#include "io/gzip.hpp"

namespace boundflow {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

[[noreturn]] void fail(const std::string& file, const std::string& message) {
  throw InputError({.file = file}, message);
}

// The text after `key` in the header's dictionary, up to where `end` begins.
std::string_view field(std::string_view header, std::string_view key, char end, const std::string& file) {
  const std::size_t at = header.find(key);
  if (at == std::string_view::npos) fail(file, fmt::format("expected {} in the .npy header", key));
  const std::size_t start = at + key.size();
  const std::size_t stop = header.find(end, start);
  if (stop == std::string_view::npos) fail(file, "the .npy header ends too early");
  return header.substr(start, stop - start);
}

std::vector<std::int64_t> parse_shape(std::string_view text, const std::string& file) {
  std::vector<std::int64_t> shape;
  std::int64_t product = 1;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] < '0' || text[i] > '9') {
      ++i;
      continue;
    }
    std::int64_t value = 0;
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
      value = value * 10 + (text[i] - '0');
      if (value > (std::int64_t{1} << 40)) fail(file, "a dimension of the array is absurdly large");
    }
    shape.push_back(value);
    product *= std::max<std::int64_t>(value, 1);
    if (product > (std::int64_t{1} << 40)) fail(file, "the array is absurdly large");
  }
  return shape;
}

template <class T>
void convert(std::string_view data, std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
}

}  // namespace

Array parse_npy(const std::string& bytes, const std::string& file) {
  const std::string_view all = bytes;
  if (all.size() < 10 || all.substr(0, kMagic.size()) != kMagic) fail(file, "expected a NumPy .npy file");
  const int major = static_cast<unsigned char>(all[6]);
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  if (all.size() < 8 + length_bytes) fail(file, "the .npy header is truncated");
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) {
    length |= static_cast<std::size_t>(static_cast<unsigned char>(all[8 + i])) << (8 * i);
  }
  const std::size_t start = 8 + length_bytes;
  if (length > all.size() - start) fail(file, "the .npy header is truncated");
  const std::string_view header = all.substr(start, length);
  const std::string_view data = all.substr(start + length);

  const std::string_view order = field(header, "'fortran_order':", ',', file);
  if (order.find("False") == std::string_view::npos) {
    fail(file, "expected an array in C order; save it with numpy.ascontiguousarray");
  }
  Array array;
  array.shape = parse_shape(field(header, "'shape':", ')', file), file);
  std::size_t count = 1;
  for (const std::int64_t dimension : array.shape) count *= static_cast<std::size_t>(dimension);

  const std::string_view type_field = field(header, "'descr':", ',', file);
  const auto is = [&](std::string_view descr) { return type_field.find(descr) != std::string_view::npos; };
  const std::size_t width = is("<f8") || is("<i8") ? 8 : is("<f4") || is("<i4") ? 4 : 0;
  if (width == 0) {
    fail(file, fmt::format("expected little-endian float32, float64, int32 or int64, found dtype{}", type_field));
  }
  if (data.size() != count * width) {
    fail(file, fmt::format("expected {} bytes of data, found {}", count * width, data.size()));
  }
  array.values.resize(count);
  if (is("<f4")) convert<float>(data, array.values);
  if (is("<f8")) convert<double>(data, array.values);
  if (is("<i4")) convert<std::int32_t>(data, array.values);
  if (is("<i8")) convert<std::int64_t>(data, array.values);
  return array;
}

Array read_npy(const std::string& path) {
  return parse_npy(read_file(path), path);
}

}  // namespace boundflow
