#include "exec/tvm/machine.hpp"

#include <cpuid.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "base/error.hpp"
#include "hwy/targets.h"

namespace boundflow::generated {

std::string cpu_level() {
  if ((hwy::SupportedTargets() & HWY_AVX2) != 0) return "x86-64-v3";
  throw UsageError("--backend tvm: kernels are generated for x86-64 with AVX2, which this CPU lacks");
}

std::string cpu_model() {
  constexpr unsigned kFirstLeaf = 0x80000002U, kLeaves = 3;
  std::array<unsigned, 4 * kLeaves> registers{};
  for (unsigned leaf = 0; leaf < kLeaves; ++leaf) {
    unsigned* const part = registers.data() + std::size_t{4} * leaf;
    if (__get_cpuid(kFirstLeaf + leaf, part, part + 1, part + 2, part + 3) == 0) return "unknown";
  }
  std::array<char, sizeof registers> name{};
  std::memcpy(name.data(), registers.data(), sizeof registers);
  return {name.data(), strnlen(name.data(), name.size())};
}

namespace {

std::string user_cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && cache[0] == '/') {
    return std::string(cache) + "/boundflow";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') {
    return std::string(home) + "/.cache/boundflow";
  }
  return "";
}

}  // namespace

std::shared_ptr<const ArtifactStore> open_store(const std::string& cache_folder) {
  const std::string folder = cache_folder.empty() ? user_cache_folder() : cache_folder;
  if (!folder.empty()) return std::make_shared<const ArtifactStore>(folder);
  spdlog::warn("there is no user's cache folder: generated kernels are not kept (--cache-dir)");
  return nullptr;
}

}  // namespace boundflow::generated
