#include "io/npz_writer.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <bit>
#include <cstring>
#include <limits>

#include "base/error.hpp"

namespace boundflow {

namespace {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie in memory");

void put(std::string& bytes, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
}

// Format 1.0; the header is padded so that the data start at a multiple of 64 bytes.
std::string npy_header(const std::vector<std::int64_t>& shape) {
  std::string dimensions;
  for (const std::int64_t extent : shape) dimensions += fmt::format("{}, ", extent);
  std::string header = fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}), }}", dimensions);
  constexpr std::size_t kPrefix = 10;
  while ((kPrefix + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += '\x01';
  bytes += '\0';
  put(bytes, header.size(), 2);
  return bytes + header;
}

// The fields that a member's local header and its entry in the directory share (APPNOTE 4.3.7, 4.3.12).
void put_common(std::string& bytes, std::uint32_t crc, std::uint64_t size, std::size_t name_size) {
  put(bytes, 20, 2);  // version needed: 2.0
  put(bytes, 0, 2);   // flags
  put(bytes, 0, 2);   // stored
  put(bytes, 0, 2);   // time and date: 1980-01-01, so that equal results are equal files
  put(bytes, 0x21, 2);
  put(bytes, crc, 4);
  put(bytes, size, 4);
  put(bytes, size, 4);
  put(bytes, name_size, 2);
  put(bytes, 0, 2);  // no extra field
}

}  // namespace

void NpzWriter::add(const std::string& name, const std::vector<std::int64_t>& shape, std::span<const double> values) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  ensure(count == static_cast<std::int64_t>(values.size()), "npz: the values do not fill the shape");
  const std::string header = npy_header(shape);
  const std::size_t size = header.size() + values.size_bytes();
  ensure(members_.size() + size < std::numeric_limits<std::uint32_t>::max() / 2, "npz: the archive would exceed 2 GB");
  uLong crc = crc32_z(0, reinterpret_cast<const Bytef*>(header.data()), header.size());
  // Without values there may be no pointer, and zlib takes a null pointer for a request to start over.
  if (!values.empty()) crc = crc32_z(crc, reinterpret_cast<const Bytef*>(values.data()), values.size_bytes());

  const std::string file = name + ".npy";
  const std::size_t offset = members_.size();
  put(members_, 0x04034b50, 4);
  put_common(members_, static_cast<std::uint32_t>(crc), size, file.size());
  members_ += file + header;
  members_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());

  put(directory_, 0x02014b50, 4);
  put(directory_, 20, 2);  // made by version 2.0
  put_common(directory_, static_cast<std::uint32_t>(crc), size, file.size());
  put(directory_, 0, 2);  // no comment
  put(directory_, 0, 2);  // disk
  put(directory_, 0, 2);  // internal attributes
  put(directory_, 0, 4);  // external attributes
  put(directory_, offset, 4);
  directory_ += file;
  ++count_;
}

std::string NpzWriter::finish() const {
  std::string bytes = members_ + directory_;
  put(bytes, 0x06054b50, 4);
  put(bytes, 0, 2);
  put(bytes, 0, 2);
  put(bytes, count_, 2);
  put(bytes, count_, 2);
  put(bytes, directory_.size(), 4);
  put(bytes, members_.size(), 4);
  put(bytes, 0, 2);
  return bytes;
}

}  // namespace boundflow
