#pragma once
// What the tvm executor and its plugin, libboundflow_tvm.so, say to each other. The plugin (the room `codegen`) is the
// only library that links TVM; it is opened on first use, so that nobody else needs TVM to be there.
//
// Functions throw std::runtime_error and nothing else: a type of the standard library, which both sides share.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace boundflow::generated {

// c[q, t, h, r, g, p, w] = sum over s < k of a[q, t, h, r, s] b[g, p, s, w], added up in this order of s for every
// tile, with FMA allowed: rows in tiles by a matrix in groups of panels, at several places q. h = 0 alone without
// `spans`; with them 0 < h <= spans, too, where |b| takes the place of b, so that an interval step reads its matrix
// once for centres and spans. `listed`: of a[q, t, h, r, i[s]] b[g, p, j[s], w] for two lists of int64, which may lead
// anywhere around a's and b's first entries. Tensors are float32. What is not a member here is known when the kernel
// runs.
struct ProductKernel {
  std::int64_t width = 0;   // columns of a panel of b
  std::int64_t lanes = 0;   // columns of a panel that are met: w < lanes <= width
  std::int64_t rows = 0;    // of a tile, for each h
  std::int64_t panels = 0;  // of a group, whose sums are in registers together
  bool listed = false;
  std::int64_t spans = 0;
};

// Kernels check nothing: the caller has the shapes that they expect.
struct TensorArgument {
  void* data = nullptr;
  bool integers = false;                     // int64, else float32
  std::span<const std::int64_t> shape = {};  // these outlive the call
  const std::int64_t* strides = nullptr;     // in elements; nullptr: row-major without gaps
};

// Machine code in memory. Safe to run from several threads.
class LoadedKernel {
 public:
  virtual ~LoadedKernel() = default;
  // Of a ProductKernel: a [places, tiles, 1 + spans, rows, k], b [groups, panels, k, width], the lists [steps], and c
  // [places, tiles, 1 + spans, rows, groups, panels, lanes]. a and c have strides in their first four dimensions; in
  // the others, and in the other tensors, elements follow each other without gaps. b begins at a multiple of 64 bytes.
  virtual void run(std::span<const TensorArgument> arguments) const = 0;
};

class Plugin {
 public:
  virtual ~Plugin() = default;
  // Of TVM and its libraries, checked against what is installed: part of the key of everything that is kept.
  virtual std::string versions() const = 0;
  // Object code for a CPU as LLVM calls it, such as "x86-64-v3". The first call opens TVM's compiler.
  virtual std::string compile(const ProductKernel& kernel, const std::string& cpu) = 0;
  // The kernel in object code that `compile` has made, in this process or another one.
  virtual std::unique_ptr<LoadedKernel> load(const std::string& object) = 0;
};

// Exported by the plugin under this name, which never changes: the version of what stands in this file, to be increased
// with every change of it. A plugin of another one is refused before anything else of it is called.
using PluginInterface = int (*)();
inline constexpr const char* kPluginInterface = "boundflow_tvm_plugin_interface";
inline constexpr int kInterfaceVersion = 2;

// Exported by the plugin under this name: the process's only Plugin, which lives as long as the process.
using OpenPlugin = Plugin* (*)();
inline constexpr const char* kOpenPlugin = "boundflow_open_tvm_plugin";

}  // namespace boundflow::generated
