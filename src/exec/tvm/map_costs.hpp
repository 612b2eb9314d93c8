#pragma once
// What a map costs with native and with generated kernels, measured on this machine and kept for later processes.

#include <memory>
#include <optional>
#include <string>

#include "exec/native/map_kernel.hpp"
#include "exec/tvm/artifact_store.hpp"
#include "exec/tvm/generated_kernels.hpp"
#include "exec/tvm/generated_multiplier.hpp"

namespace boundflow::generated {

// From so many rows on a call has many.
inline constexpr std::int64_t kManyRows = 8;

struct MapCosts {
  struct Call {
    double native_s = 0;  // the least time of a call
    double tvm_s = 0;
    bool operator==(const Call&) const = default;
  };
  Tile tile;  // that the generated kernels had
  Call few;   // of few rows
  Call many;
  bool operator==(const MapCosts&) const = default;
};

// How many rows, or subproblems of an interval step, a call had that was measured.
std::int64_t measured_rows(bool many);

// All that tells the costs of one map in one direction from those of another one, as text.
std::string describe(const LinearMap& map, native::Direction direction);

// nullopt where nothing is kept (`store` nullptr among it), or for another CPU.
std::optional<MapCosts> find_costs(const ArtifactStore* store, const LinearMap& map, native::Direction direction);
void keep_costs(const ArtifactStore* store, const LinearMap& map, native::Direction direction, const MapCosts& costs);

// Takes some hundredths of a second on maps of ordinary size, and the time to compile kernels that are not there.
MapCosts measure_costs(const LinearMap& map, native::Direction direction, GeneratedKernels& kernels,
                       const Tile& tile = {});

}  // namespace boundflow::generated
