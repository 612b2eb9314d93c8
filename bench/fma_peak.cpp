#include "fma_peak.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fma_peak.cpp"
#include "hwy/foreach_target.h"  // must come before highway.h
// clang-format off
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace boundflow::bench {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr int kChains = 12;  // latency times throughput of multiply-add on all processors of the last ten years
inline constexpr int kSteps = 200000;

// Floating-point operations of one call; `sink` keeps the sums alive.
template <class T>
double run_chains(T* sink) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  V sums[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = hn::Set(d, static_cast<T>(c));
  const V factor = hn::Set(d, static_cast<T>(0.999));
  const V addend = hn::Set(d, static_cast<T>(1e-3));
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) sums[c] = hn::MulAdd(sums[c], factor, addend);
  }
  V total = sums[0];
  for (int c = 1; c < kChains; ++c) total = hn::Add(total, sums[c]);
  *sink = hn::GetLane(hn::SumOfLanes(d, total));
  return 2.0 * kChains * kSteps * static_cast<double>(hn::Lanes(d));
}

double chains_float(float* sink) {
  return run_chains(sink);
}
double chains_double(double* sink) {
  return run_chains(sink);
}

}  // namespace HWY_NAMESPACE
}  // namespace boundflow::bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace boundflow::bench {

HWY_EXPORT(chains_float);
HWY_EXPORT(chains_double);

namespace {

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T, class Chains>
double best_rate(const Chains& chains) {
  double best = 0;
  for (int repeat = 0; repeat < 40; ++repeat) {
    T sink = 0;
    const double begin = seconds();
    const double operations = chains(&sink);
    best = std::max(best, operations / (seconds() - begin));
  }
  return best * 1e-9;
}

}  // namespace

double fma_peak_float32() {
  return best_rate<float>([](float* sink) { return HWY_DYNAMIC_DISPATCH(chains_float)(sink); });
}

double fma_peak_float64() {
  return best_rate<double>([](double* sink) { return HWY_DYNAMIC_DISPATCH(chains_double)(sink); });
}

double fma_peak_float32(int threads) {
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::vector<std::thread> workers;
  for (double& rate : rates) workers.emplace_back([&rate] { rate = fma_peak_float32(); });
  double sum = 0;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    workers[i].join();
    sum += rates[i];
  }
  return sum;
}

}  // namespace boundflow::bench
#endif  // HWY_ONCE
