#include "frontends/onnx/external_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/error.hpp"

namespace boundflow {

namespace {

constexpr int kExternal = 1;

// What a tensor says of its data.
struct Place {
  std::string location;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;  // absent: to the end of the file
};

std::uint64_t number(const onnx::StringPair& entry) {
  const std::string& text = entry.value();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw InputError(fmt::format("its external data has {} '{}'; a number of bytes is expected", entry.key(), text));
  }
  return value;
}

std::string location_of(const onnx::TensorProto& proto) {
  for (const onnx::StringPair& entry : proto.external_data()) {
    if (entry.key() == "location") return entry.value();
  }
  return {};
}

Place place_of(const onnx::TensorProto& proto) {
  Place place{.location = location_of(proto)};
  for (const onnx::StringPair& entry : proto.external_data()) {
    if (entry.key() == "offset") place.offset = number(entry);
    if (entry.key() == "length") place.length = number(entry);
  }
  return place;
}

// A model that somebody else wrote reads nothing but what was put beside it.
bool stays_below(const std::filesystem::path& location) {
  return !location.empty() && location.is_relative() && location.native().find('\0') == std::string::npos &&
         std::find(location.begin(), location.end(), "..") == location.end();
}

}  // namespace

bool is_external(const onnx::TensorProto& proto) {
  return proto.data_location() == kExternal || proto.external_data_size() > 0;
}

ExternalData::ExternalData(std::filesystem::path folder, const onnx::GraphProto& graph) : folder_(std::move(folder)) {
  std::set<std::filesystem::path> locations;
  for (const onnx::TensorProto& initializer : graph.initializer()) {
    if (is_external(initializer)) locations.insert(location_of(initializer));
  }
  for (const std::filesystem::path& location : locations) {
    std::error_code missing;  // said where the tensor is read, if it is
    const std::uintmax_t size = stays_below(location) ? std::filesystem::file_size(*folder_ / location, missing) : 0;
    if (!missing) file_bytes_ += static_cast<std::size_t>(size);
  }
}

std::string ExternalData::read(const onnx::TensorProto& proto, std::size_t expected) const {
  const Place place = place_of(proto);
  if (place.location.empty()) throw InputError("its external data has no location");
  if (!folder_) {
    throw InputError(
        fmt::format("its data lies in another file, '{}'; give the model's path instead of its bytes, or "
                    "store the model in one file",
                    place.location));
  }
  if (!stays_below(place.location)) {
    throw InputError(
        fmt::format("its data is said to lie in '{}'; a file in the model's folder is expected", place.location));
  }
  const std::filesystem::path path = *folder_ / place.location;
  if (!std::filesystem::is_regular_file(path)) {
    throw InputError(fmt::format("its data file '{}' is not there", path.string()));
  }
  const std::uint64_t size = std::filesystem::file_size(path);
  const std::uint64_t rest = place.offset <= size ? size - place.offset : 0;
  const std::uint64_t length = place.length.value_or(rest);
  if (length != expected || length > rest) {
    throw InputError(fmt::format("it needs {} bytes, and has {} at {} in '{}', a file of {} bytes", expected, length,
                                 place.offset, path.string(), size));
  }
  std::string bytes(expected, '\0');
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(place.offset));
  if (!file.read(bytes.data(), static_cast<std::streamsize>(expected))) {
    throw InputError(fmt::format("cannot read its data file '{}'", path.string()));
  }
  return bytes;
}

}  // namespace boundflow
