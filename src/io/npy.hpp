#pragma once
// Reading NumPy arrays (.npy, format 1.0 to 3.0, NEP 1): little-endian float32, float64, int32 or int64 in C order.

#include <cstdint>
#include <string>
#include <vector>

namespace boundflow {

struct Array {
  std::vector<std::int64_t> shape;
  std::vector<double> values;  // row-major
};

// InputError that names the file and what was expected.
Array read_npy(const std::string& path);
Array parse_npy(const std::string& bytes, const std::string& file_name);

}  // namespace boundflow
