#include "passes/passes.hpp"

#include <array>

#include "passes/absorb_layouts.hpp"
#include "passes/compose_layouts.hpp"
#include "passes/fold_constants.hpp"
#include "passes/fold_pads.hpp"
#include "passes/fuse_bias.hpp"
#include "passes/merge_affine.hpp"
#include "passes/merge_equal.hpp"
#include "passes/normal_spelling.hpp"
#include "passes/remove_dead.hpp"
#include "passes/sink_layouts.hpp"

namespace boundflow {

std::span<const Pass> pass_table() {
  static constexpr std::array table = {
      Pass{"remove-dead", remove_dead},
      Pass{"fold-constants", fold_constants},
      Pass{"normal-spelling", normal_spelling},
      Pass{"merge-equal", merge_equal},
      Pass{"compose-layouts", compose_layouts},
      Pass{"sink-layouts", sink_layouts},
      Pass{"absorb-layouts", absorb_layouts},
      Pass{"fold-pads", fold_pads},
      Pass{"fuse-bias", fuse_bias},
      Pass{"merge-affine", merge_affine},
  };
  return table;
}

Network run_passes(Network network, const OperatorTable& table, std::span<const Pass> passes,
                   const NetworkPassOptions& options, const Deadline& deadline) {
  run_in_rounds(network, passes, options, deadline, [&](const Pass& pass, RewriteBudget& budget) {
    network = pass.run(network, table, budget);
    verify_network(network);
  });
  return network;
}

}  // namespace boundflow
