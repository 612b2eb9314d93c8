#include "passes/passes.hpp"

#include <array>

#include "passes/absorb_layouts.hpp"
#include "passes/compose_layouts.hpp"
#include "passes/fold_constants.hpp"
#include "passes/fuse_bias.hpp"
#include "passes/merge_affine.hpp"
#include "passes/merge_equal.hpp"
#include "passes/remove_dead.hpp"
#include "passes/sink_layouts.hpp"

namespace boundflow {

std::span<const Pass> pass_table() {
  static constexpr std::array table = {
      Pass{"remove-dead", remove_dead},   Pass{"fold-constants", fold_constants},
      Pass{"merge-equal", merge_equal},   Pass{"compose-layouts", compose_layouts},
      Pass{"sink-layouts", sink_layouts}, Pass{"absorb-layouts", absorb_layouts},
      Pass{"fuse-bias", fuse_bias},       Pass{"merge-affine", merge_affine},
  };
  return table;
}

Network run_passes(Network network, const OperatorTable& table, std::span<const Pass> passes,
                   const PassOptions& options, const Deadline& deadline) {
  RewriteBudget budget(options.limit);
  std::int64_t before_round = -1;
  for (bool first = true; budget.taken() != before_round; first = false) {
    before_round = budget.taken();
    for (const Pass& pass : passes) {
      deadline.check();
      if (options.disabled.contains(pass.name)) continue;
      const std::int64_t before = budget.taken();
      {
        const TraceSpan span(options.trace.get(), SpanKind::Pass, pass.name);
        network = pass.run(network, table, budget);
        verify_network(network);
      }
      if (options.after && (first || budget.taken() != before)) options.after(pass.name, network);
    }
  }
  return network;
}

}  // namespace boundflow
