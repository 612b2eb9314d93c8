#pragma once
// The machine's multiply-add peak, measured: what kernels are compared with.

namespace boundflow::bench {

// GFLOP/s of one thread in chains of float32 (or float64) multiply-adds that stay in registers, best of several runs of
// a few milliseconds, with the widest vectors that the native executor uses.
double fma_peak_float32();
double fma_peak_float64();

// The same with `threads` threads at once, all together.
double fma_peak_float32(int threads);

}  // namespace boundflow::bench
