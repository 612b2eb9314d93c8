#pragma once
// .npy files as numpy 1.x and 2.x write them, built byte by byte.

#include <string>
#include <vector>

namespace boundflow {

// The low `width` bytes of `value`, little-endian.
inline std::string little_endian(unsigned long long value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

// A file of the given header dictionary and raw data; the header is padded to 64 bytes.
inline std::string npy_file(std::string header, const std::string& data, int major = 1) {
  const std::size_t prefix = major == 1 ? 10 : 12;
  while ((prefix + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  return "\x93NUMPY" + std::string{static_cast<char>(major), '\0'} + little_endian(header.size(), major == 1 ? 2 : 4) +
         header + data;
}

template <class T>
std::string raw_bytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// `shape` as Python prints it: "(3,)", "(2, 2)", "()".
inline std::string npy_header(const std::string& descr, const std::string& shape,
                              const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

template <class T>
std::string npy_array(const std::string& descr, const std::string& shape, const std::vector<T>& values) {
  return npy_file(npy_header(descr, shape), raw_bytes(values));
}

}  // namespace boundflow
