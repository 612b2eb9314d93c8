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

Network run_passes(Network network, const OperatorTable& table) {
  for (const Pass& pass : pass_table()) {
    network = pass.run(network, table);
    verify_network(network);
  }
  return network;
}

}  // namespace boundflow
