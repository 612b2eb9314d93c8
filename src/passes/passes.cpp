#include "passes/passes.hpp"

#include <array>

#include "passes/fuse_bias.hpp"

namespace boundflow {

std::span<const Pass> pass_table() {
  static constexpr std::array<Pass, 1> table = {{
      {"fuse-bias", fuse_bias},
  }};
  return table;
}

Network run_passes(Network network, const OperatorTable& table, std::span<const Pass> passes) {
  for (const Pass& pass : passes) {
    network = pass.run(network, table);
    verify_network(network);
  }
  return network;
}

}  // namespace boundflow
