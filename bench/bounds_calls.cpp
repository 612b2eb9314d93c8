// How long a call of bounds() takes on a network in memory: what bench/python_overhead.py compares Python with.
// Usage: bounds_calls NETWORK BATCH CALLS THREADS. Prints the microseconds of each call.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "boundflow/boundflow.hpp"

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: bounds_calls NETWORK BATCH CALLS THREADS\n");
    return 2;
  }
  const boundflow::Model network = boundflow::Model::load(argv[1]);
  const long batch = std::strtol(argv[2], nullptr, 10);
  const long calls = std::strtol(argv[3], nullptr, 10);
  boundflow::Options options;
  options.threads = static_cast<int>(std::strtol(argv[4], nullptr, 10));
  std::mt19937 random(0);
  std::vector<double> center(static_cast<std::size_t>(batch * network.input().size));
  for (double& x : center) x = static_cast<double>(random()) / 4294967296.0;
  boundflow::BoundsRequest request;
  request.center = boundflow::Numbers::view(std::span<const double>(center));
  request.eps = 0.01;
  request.json = false;
  for (long call = 0; call < calls; ++call) {
    const auto begin = std::chrono::steady_clock::now();
    const boundflow::BoundsResult result = boundflow::bounds(network, request, options);
    const std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - begin;
    if (result.complete != batch) return 1;
    std::printf("%.3f\n", elapsed.count());
  }
  return 0;
}
