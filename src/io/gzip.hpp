#pragma once
// Whole files, with gzip undone on the way: benchmarks ship .vnnlib.gz and .onnx.gz, users should not have to care.

#include <cstddef>
#include <string>

#include "base/limits.hpp"

namespace boundflow {

// The content of the file, decompressed where it begins with gzip's magic number (whatever the file is called).
// InputError, which names the file, where it is missing, unreadable, truncated or corrupt, and where it would
// decompress to more than `limit` bytes or, by its size, than kMaxInflation (a few kilobytes can ask for gigabytes).
std::string read_file(const std::string& path, std::size_t limit = kMaxDecompressedBytes);

}  // namespace boundflow
