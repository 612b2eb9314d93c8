#pragma once
// Writing NumPy archives (.npz): a zip file of stored .npy members, float64 and row-major.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace boundflow {

class NpzWriter {
 public:
  // InternalError if the values do not fill the shape, or the archive would exceed 4 GB (zip64 is not written).
  void add(const std::string& name, const std::vector<std::int64_t>& shape, std::span<const double> values);
  // The whole archive.
  std::string finish() const;

 private:
  std::string members_;
  std::string directory_;
  std::uint16_t count_ = 0;
};

}  // namespace boundflow
