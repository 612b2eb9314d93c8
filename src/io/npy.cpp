#include "io/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
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

std::string_view trimmed(std::string_view text, char what) {
  while (text.starts_with(what)) text.remove_prefix(1);
  while (text.ends_with(what)) text.remove_suffix(1);
  return text;
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

void convert_bool(std::string_view data, std::vector<double>& values) {
  std::transform(data.begin(), data.end(), values.begin(), [](char byte) { return byte != 0 ? 1.0 : 0.0; });
}

// Element types by their descr; text ("<U34") is not among them.
struct ElementType {
  std::string_view descr;
  std::size_t width;
  void (*convert)(std::string_view data, std::vector<double>& values);
};

constexpr std::array<ElementType, 5> kElementTypes = {{{"<f4", 4, convert<float>},
                                                       {"<f8", 8, convert<double>},
                                                       {"<i4", 4, convert<std::int32_t>},
                                                       {"<i8", 8, convert<std::int64_t>},
                                                       {"|b1", 1, convert_bool}}};

// Text of `length` code points, four bytes each, padded with zeros.
std::string to_text(std::string_view data, std::size_t length, const std::string& file) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i) {
    std::uint32_t code;
    std::memcpy(&code, data.data() + 4 * i, sizeof(code));
    if (code == 0) break;
    if (code >= 128) fail(file, "expected ASCII text");
    text += static_cast<char>(code);
  }
  return text;
}

// From column-major (Fortran) to row-major order.
template <class T>
std::vector<T> row_major(const std::vector<T>& values, const std::vector<std::int64_t>& shape) {
  std::vector<std::size_t> strides;
  std::size_t stride = 1;
  for (const std::int64_t extent : shape) {
    strides.push_back(stride);
    stride *= static_cast<std::size_t>(extent);
  }
  std::vector<T> result;
  result.reserve(values.size());
  std::vector<std::int64_t> index(shape.size(), 0);
  std::size_t at = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    result.push_back(values[at]);
    for (std::size_t d = shape.size(); d-- > 0;) {
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= strides[d] * static_cast<std::size_t>(shape[d]);
      index[d] = 0;
    }
  }
  return result;
}

// The number after "<U", for a text type.
std::size_t text_length(std::string_view descr) {
  if (!descr.starts_with("<U")) return 0;
  std::size_t length = 0;
  const auto [end, fault] = std::from_chars(descr.data() + 2, descr.data() + descr.size(), length);
  const bool whole = fault == std::errc() && end == descr.data() + descr.size();
  return whole && length < (std::size_t{1} << 24) ? length : 0;
}

}  // namespace

Array parse_npy(const std::string& bytes, const std::string& file) {
  const std::string_view all = bytes;
  if (all.size() < 10 || all.substr(0, kMagic.size()) != kMagic) fail(file, "expected a NumPy .npy file");
  const int major = static_cast<unsigned char>(all[6]);
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  if (all.size() < 8 + length_bytes) fail(file, "the .npy header is truncated");
  std::size_t header_length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) {
    header_length |= static_cast<std::size_t>(static_cast<unsigned char>(all[8 + i])) << (8 * i);
  }
  const std::size_t start = 8 + length_bytes;
  if (header_length > all.size() - start) fail(file, "the .npy header is truncated");
  const std::string_view header = all.substr(start, header_length);
  const std::string_view data = all.substr(start + header_length);

  Array array;
  array.shape = parse_shape(field(header, "'shape':", ')', file), file);
  std::size_t count = 1;
  for (const std::int64_t dimension : array.shape) count *= static_cast<std::size_t>(dimension);

  const std::string_view order = trimmed(field(header, "'fortran_order':", ',', file), ' ');
  if (order != "False" && order != "True") fail(file, "expected 'fortran_order' to be True or False");
  const std::string_view descr = trimmed(trimmed(field(header, "'descr':", ',', file), ' '), '\'');
  const std::size_t length = text_length(descr);
  const auto* type = std::find_if(kElementTypes.begin(), kElementTypes.end(),
                                  [&](const ElementType& known) { return known.descr == descr; });
  if (length == 0 && type == kElementTypes.end()) {
    fail(file,
         fmt::format("expected little-endian float32, float64, int32, int64, bool or text, found dtype {}", descr));
  }
  const std::size_t width = length > 0 ? 4 * length : type->width;
  if (data.size() != count * width) {
    fail(file, fmt::format("expected {} bytes of data, found {}", count * width, data.size()));
  }
  if (length > 0) {
    for (std::size_t i = 0; i < count; ++i) array.texts.push_back(to_text(data.substr(i * width, width), length, file));
  } else {
    array.values.resize(count);
    type->convert(data, array.values);
  }
  if (order == "True") {
    array.values = row_major(array.values, array.shape);
    array.texts = row_major(array.texts, array.shape);
  }
  return array;
}

Array read_npy(const std::string& path) {
  return parse_npy(read_file(path), path);
}

}  // namespace boundflow
