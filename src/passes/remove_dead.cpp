#include "passes/remove_dead.hpp"

namespace boundflow {

Network remove_dead(const Network& network, const OperatorTable&, RewriteBudget& budget) {
  if (count_unneeded(network) == 0 || !budget.take()) return network;
  return without_unneeded(network);
}

}  // namespace boundflow
