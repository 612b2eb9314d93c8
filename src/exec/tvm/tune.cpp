#include "exec/tvm/tune.hpp"

#include "exec/tvm/machine.hpp"
#include "exec/tvm/open_plugin.hpp"

namespace boundflow {

Tuner::Tuner(const std::string& cache_folder)
    : store_(generated::open_store(cache_folder)), kernels_(generated::open_plugin(), generated::cpu_level(), store_) {}

generated::MapCosts Tuner::tune(const LinearMap& map, native::Direction direction, const Deadline& deadline) {
  // Tiles concern calls of many rows. Another one than the default has to be better by more than noise.
  constexpr double kClearly = 0.97;
  std::optional<generated::MapCosts> best;
  for (const generated::Tile& tile : generated::known_tiles()) {
    deadline.check();
    const generated::MapCosts costs =
        generated::translate_errors([&] { return measure_costs(map, direction, kernels_, tile); });
    if (!best || costs.many.tvm_s < kClearly * best->many.tvm_s) best = costs;
    if (direction == native::Direction::Interval) break;  // its tiles are its own
  }
  keep_costs(store_.get(), map, direction, *best);
  return *best;
}

}  // namespace boundflow
