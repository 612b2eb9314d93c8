#pragma once
// What the tvm executor and its plugin, libboundflow_tvm.so, say to each other. The plugin (the room `codegen`) is the
// only library that links TVM; it is opened on first use, so that nobody else needs TVM to be there.
//
// Functions throw std::runtime_error and nothing else: a type of the standard library, which both sides share.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace boundflow::generated {

// c[t, r, p, w] = sum over j < k of a[t, r, j] b[p, j, w], added up in this order of j for every tile height, with FMA
// allowed: rows in tiles by a matrix in panels. Tensors are float32; a's rows may be longer than k. `live`: over those
// j only that an int32 tensor lists, ascending.
struct ProductKernel {
  std::int64_t k = 0;
  std::int64_t panels = 0;
  std::int64_t width = 0;           // columns of a panel
  std::int64_t rows = 0;            // of a tile
  std::int64_t panels_at_once = 0;  // whose sums are in registers together; divides `panels`
  bool live = false;
};

// Row-major without gaps; the extents behind the last dimension are 0.
struct TensorArgument {
  void* data = nullptr;
  std::array<std::int64_t, 4> shape = {};
  bool integers = false;  // int32, else float32
};

// Machine code in memory. Safe to run from several threads.
class LoadedKernel {
 public:
  virtual ~LoadedKernel() = default;
  // a [tiles, rows, lda], b [panels, k, width], the list of a live kernel, and c [tiles, rows, panels, width] of a
  // ProductKernel.
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

// Exported by the plugin under this name: the process's only Plugin, which lives as long as the process.
using OpenPlugin = Plugin* (*)();
inline constexpr const char* kOpenPlugin = "boundflow_open_tvm_plugin";

}  // namespace boundflow::generated
