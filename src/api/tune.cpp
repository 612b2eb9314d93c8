#include <fmt/format.h>

#include <set>
#include <vector>

#include "api/import_network.hpp"
#include "api/request.hpp"
#include "boundflow/boundflow.hpp"
#include "domains/lowered_network.hpp"
#include "exec/tvm/generated_map.hpp"
#include "exec/tvm/tune.hpp"

namespace boundflow {

std::string tune(const std::string& network_path, const Options& options, const VerifyHooks& hooks) {
  using native::Direction;
  const Request request = validate(options, Workload::None);
  const Deadline deadline(options.timeout, Clock::now(), hooks.interrupt);
  const ImportedNetwork network = import_network(network_path, deadline, operator_table(), request.network_passes);
  const LoweredNetwork lowered(network.normal, operator_table(), deadline);
  Tuner tuner(options.cache_dir);
  std::string text = fmt::format("{:<74}{:>7}{:>17}{:>16}{:>17}{:>16}\n", "map", "tile", "native, 2 rows", "tvm",
                                 "native, 64 rows", "tvm");
  std::set<std::string> done;
  for (const LoweredNode& node : lowered.nodes()) {
    if (node.facet != FacetKind::Affine) continue;
    for (const auto& map : node.affine->maps) {
      if (native::why_no_multiplier(*map) != nullptr) continue;
      std::vector<Direction> directions = generated::kernel_directions(*map, Direction::Interval);
      directions.insert(directions.end(), {Direction::Forward, Direction::Transpose});
      for (const Direction direction : directions) {
        if (!done.insert(generated::describe(*map, direction)).second) continue;
        const generated::MapCosts costs = tuner.tune(*map, direction, deadline);
        text += fmt::format("{:<74}{:>5}x{}", fmt::format("{} {}", map->print(), to_string(direction)),
                            costs.tile.most_rows, costs.tile.panels);
        for (const generated::MapCosts::Call& call : {costs.few, costs.many}) {
          text += fmt::format("{:>14.2f} us{:>13.2f} us", 1e6 * call.native_s, 1e6 * call.tvm_s);
        }
        text += "\n";
      }
    }
  }
  return text;
}

}  // namespace boundflow
