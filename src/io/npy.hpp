#pragma once
// Reading NumPy arrays (.npy, format 1.0 to 3.0, NEP 1): little-endian float32, float64, int32, int64, bool
// and text, in C or Fortran order.

#include <cstdint>
#include <string>
#include <vector>

namespace boundflow {

struct Array {
  std::vector<std::int64_t> shape;
  std::vector<double> values;      // row-major
  std::vector<std::string> texts;  // ASCII, instead of values for an array of text
};

// InputError that names the file and what was expected.
Array read_npy(const std::string& path);
Array parse_npy(const std::string& bytes, const std::string& file_name);

}  // namespace boundflow
