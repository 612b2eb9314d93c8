// How near the native executor's products and convolutions come to the machine's peak, with oneDNN beside them.
// Usage: kernels net.onnx... [--benchmark_...]
//
// Takes the distinct matrices and convolutions of the networks, as they are stored after lowering, and multiplies them
// with rows in both directions: forward (values and interval steps) and transposed (rows of a backward walk). One
// benchmark per map, direction, number of rows and library:
//
//   conv 16x16x15x15 ... /transpose/rows:64/boundflow
//
// `GFLOP/s` counts two operations per weight that meets a pixel inside the image; `peak` is its share of the
// multiply-add peak that was measured at the start, of all threads at work. The benchmarks with `threads:2` let each
// thread multiply rows of its own by the same packed weights, as blocks of rows do. oneDNN runs on one thread and gets
// weights packed in the layout that it asks for and channels-last images; convolutions are direct ones, as others
// compute something else (Winograd).

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#ifdef BOUNDFLOW_WITH_ONEDNN
#include <omp.h>

#include <dnnl.hpp>
#endif

#include "base/error.hpp"
#include "base/random.hpp"
#include "bench_main.hpp"
#include "domains/lowered_network.hpp"
#include "exec/native/kernels.hpp"
#include "exec/native/map_kernel.hpp"
#include "fma_peak.hpp"
#include "frontends/onnx/onnx.hpp"
#include "passes/passes.hpp"
#include "program/storage_plan.hpp"

namespace {

using namespace boundflow;
using native::Direction;

double peak_of_one_thread = 0;
double peak_of_two_threads = 0;

// Floating-point operations per row: two per weight of each component.
double operations(const LinearMap& map) {
  double terms = 0;
  std::vector<LinearMap::Entry> entries;
  for (std::int64_t j = 0; j < map.out_size(); ++j) {
    map.row(j, entries);
    terms += static_cast<double>(entries.size());
  }
  return 2 * terms;
}

std::vector<float> random_rows(std::int64_t size) {
  Random random(1);
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
  return values;
}

void report(benchmark::State& state, double operations_per_iteration) {
  const double done = static_cast<double>(state.iterations()) * operations_per_iteration * 1e-9;
  const double peak = state.threads() == 1 ? peak_of_one_thread : peak_of_two_threads;
  state.counters["GFLOP/s"] = benchmark::Counter(done, benchmark::Counter::kIsRate);
  state.counters["peak"] = benchmark::Counter(done / peak, benchmark::Counter::kIsRate);
}

// One map in one direction with its operations, shared by all benchmarks of it.
struct Case {
  std::shared_ptr<const LinearMap> map;
  Direction direction;
  double operations = 0;
  std::int64_t in = 0;
  std::int64_t out = 0;
};

void run_native(benchmark::State& state, const Case& c, std::int64_t rows) {
  static std::shared_ptr<const native::MapKernel<float>> kernel;  // one benchmark at a time, all its threads
  if (state.thread_index() == 0) kernel = native::make_map_kernel<float>(*c.map, c.direction);
  const std::int64_t ld_in = padded_columns(c.in);
  const std::int64_t ld_out = padded_columns(c.out);
  const std::vector<float> in = random_rows(rows * ld_in);
  std::vector<float> out(static_cast<std::size_t>(rows * ld_out));
  for (auto _ : state) {
    kernel->apply(in.data(), ld_in, rows, out.data(), ld_out, false);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  report(state, c.operations * static_cast<double>(rows));
}

#ifdef BOUNDFLOW_WITH_ONEDNN

using dnnl::memory;

// A oneDNN primitive bound to its memories.
struct Bound {
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;
};

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

memory filled(const memory::desc& desc) {
  memory result(desc, engine());
  const std::vector<float> values = random_rows(static_cast<std::int64_t>(desc.get_size() / sizeof(float)));
  std::copy(values.begin(), values.end(), static_cast<float*>(result.get_data_handle()));
  return result;
}

Bound matrix_product(const Case& c, std::int64_t rows) {
  const memory::desc source({rows, c.in}, memory::data_type::f32, memory::format_tag::ab);
  const memory::desc weights({c.in, c.out}, memory::data_type::f32, memory::format_tag::any);
  const memory::desc result({rows, c.out}, memory::data_type::f32, memory::format_tag::ab);
  const dnnl::matmul::primitive_desc desc({source, weights, result}, engine());
  return {dnnl::matmul(desc),
          {{DNNL_ARG_SRC, filled(source)},
           {DNNL_ARG_WEIGHTS, filled(desc.weights_desc())},
           {DNNL_ARG_DST, filled(result)}}};
}

Bound convolution(const Case& c, std::int64_t rows) {
  const ConvMap& conv = *c.map->conv();
  const auto f32 = memory::data_type::f32;
  const memory::desc small({rows, conv.in_channels, conv.image_in[0], conv.image_in[1]}, f32, memory::format_tag::nhwc);
  const memory::desc large({rows, conv.out_channels, conv.image_out[0], conv.image_out[1]}, f32,
                           memory::format_tag::nhwc);
  const memory::dims kernel = conv.groups == 1
                                  ? memory::dims{conv.out_channels, conv.in_channels, conv.kernel[0], conv.kernel[1]}
                                  : memory::dims{conv.groups, conv.out_channels / conv.groups,
                                                 conv.in_channels / conv.groups, conv.kernel[0], conv.kernel[1]};
  const memory::desc weights(kernel, f32, memory::format_tag::any);
  const memory::dims strides{conv.stride[0], conv.stride[1]};
  const memory::dims dilations{conv.dilation[0] - 1, conv.dilation[1] - 1};
  const memory::dims before{conv.pad[0], conv.pad[1]};
  memory::dims after(2);
  for (std::size_t d = 0; d < 2; ++d) {
    after[d] = (conv.image_out[d] - 1) * conv.stride[d] + (conv.kernel[d] - 1) * conv.dilation[d] + 1 -
               conv.image_in[d] - conv.pad[d];
  }
  const dnnl::convolution_forward::primitive_desc forward(
      {dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, small, weights, large, strides,
       dilations, before, after},
      engine());
  if (c.direction != Direction::Transpose) {
    return {dnnl::convolution_forward(forward),
            {{DNNL_ARG_SRC, filled(small)},
             {DNNL_ARG_WEIGHTS, filled(forward.weights_desc())},
             {DNNL_ARG_DST, filled(large)}}};
  }
  const dnnl::convolution_backward_data::primitive_desc backward(
      {dnnl::algorithm::convolution_direct, small, weights, large, strides, dilations, before, after}, engine(),
      forward);
  return {dnnl::convolution_backward_data(backward),
          {{DNNL_ARG_DIFF_SRC, filled(small)},
           {DNNL_ARG_WEIGHTS, filled(backward.weights_desc())},
           {DNNL_ARG_DIFF_DST, filled(large)}}};
}

void run_onednn(benchmark::State& state, const Case& c, std::int64_t rows) {
  try {
    const Bound bound = c.map->conv() != nullptr ? convolution(c, rows) : matrix_product(c, rows);
    dnnl::stream stream(engine());
    for (auto _ : state) {
      bound.primitive.execute(stream, bound.arguments);
      stream.wait();
    }
  } catch (const dnnl::error& error) {
    state.SkipWithError(error.what());
    return;
  }
  report(state, c.operations * static_cast<double>(rows));
}

#endif  // BOUNDFLOW_WITH_ONEDNN

bool has_weights(const LinearMap& map) {
  const DenseMap* dense = map.dense();
  const ConvMap* conv = map.conv();
  return (dense != nullptr && dense->outer == 1 && dense->inner == 1) ||
         (conv != nullptr && !conv->adjoint && conv->in_channels_last && conv->out_channels_last);
}

void add_benchmarks(const std::shared_ptr<const LinearMap>& map) {
  const double count = operations(*map);
  for (const Direction direction : {Direction::Forward, Direction::Transpose}) {
    const bool transpose = direction == Direction::Transpose;
    const Case c{map, direction, count, transpose ? map->out_size() : map->in_size(),
                 transpose ? map->in_size() : map->out_size()};
    for (const std::int64_t rows : {1, 8, 64, 128}) {
      const std::string name = fmt::format("{}/{}/rows:{}", map->print(), transpose ? "transpose" : "forward", rows);
      const auto ours = [c, rows](benchmark::State& state) { run_native(state, c, rows); };
      benchmark::RegisterBenchmark((name + "/boundflow").c_str(), ours)->UseRealTime()->MinTime(0.05);
      if (rows == 64) {
        benchmark::RegisterBenchmark((name + "/boundflow").c_str(), ours)->UseRealTime()->MinTime(0.05)->Threads(2);
      }
#ifdef BOUNDFLOW_WITH_ONEDNN
      benchmark::RegisterBenchmark((name + "/onednn").c_str(),
                                   [c, rows](benchmark::State& state) { run_onednn(state, c, rows); })
          ->UseRealTime()
          ->MinTime(0.05);
#endif
    }
  }
}

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc < 2) throw UsageError("usage: kernels net.onnx... [--benchmark_...]");
#ifdef BOUNDFLOW_WITH_ONEDNN
  omp_set_num_threads(1);
#endif
  peak_of_one_thread = bench::fma_peak_float32();
  peak_of_two_threads = bench::fma_peak_float32(2);
  fmt::print(
      "instruction set {}, multiply-add peak {:.1f} GFLOP/s on one thread, {:.1f} on two (float64: {:.1f} on one)\n",
      native::instruction_set(), peak_of_one_thread, peak_of_two_threads, bench::fma_peak_float64());
  std::set<std::string> seen;
  for (int i = 1; i < argc; ++i) {
    const auto network = std::make_shared<const Network>(run_passes(read_onnx(argv[i]), operator_table()));
    const LoweredNetwork lowered(network, operator_table());
    for (const LoweredNode& node : lowered.nodes()) {
      if (node.facet != FacetKind::Affine) continue;
      for (const auto& map : node.affine->maps) {
        if (has_weights(*map) && seen.insert(map->print()).second) add_benchmarks(map);
      }
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return boundflow::bench::run_main("kernels", [&] { return run(argc, argv); });
}
