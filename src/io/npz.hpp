#pragma once
// Reading NumPy archives (.npz): zip files of .npy members, stored or deflated, as numpy.savez and savez_compressed
// write them (zip64 fields included).

#include <cstddef>
#include <map>
#include <string>

#include "io/gzip.hpp"
#include "io/npy.hpp"

namespace boundflow {

// The arrays by name, without ".npy". InputError that names the file, and the member where the fault is in one: what is
// truncated, corrupt (checksums are checked), encrypted, not an array, or would take more than `limit` bytes in all.
std::map<std::string, Array> read_npz(const std::string& path, std::size_t limit = kMaxDecompressedBytes);

}  // namespace boundflow
