// libboundflow_tvm.so: compiles the templates with TVM and loads what it has compiled.
#include "exec/tvm/plugin.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/tvm_ffi.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "codegen/product.hpp"
#include "codegen/registry.hpp"

namespace boundflow::generated {

namespace {

using tvm::ffi::Any;
using tvm::ffi::Array;
using tvm::ffi::Function;
using tvm::ffi::Map;
using tvm::ffi::Module;
using tvm::ffi::String;

constexpr const char* kEntry = "main";

// What `work` returns; TVM's errors as those that the executor knows.
template <class Work>
auto translate_errors(const char* what, const Work& work) {
  try {
    return work();
  } catch (const tvm::ffi::Error& error) {
    throw std::runtime_error(std::string(what) + ": " + error.kind() + ": " + std::string(error.message()));
  }
}

// TVM writes object code to files only: this one exists in memory.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("boundflow_kernel", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error("no memory for the object code of a kernel");
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(descriptor_); }

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  std::string content() const {
    struct stat status {};
    fstat(descriptor_, &status);
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    if (bytes.empty() || pread(descriptor_, bytes.data(), bytes.size(), 0) != status.st_size) {
      throw std::runtime_error("TVM has not written the object code of a kernel");
    }
    return bytes;
  }

 private:
  int descriptor_;
};

class TvmKernel final : public LoadedKernel {
 public:
  explicit TvmKernel(Module module) : module_(std::move(module)), function_(module_->GetFunction(kEntry).value()) {}

  void run(std::span<const TensorArgument> arguments) const override {
    constexpr std::size_t kMost = 5;
    std::array<DLTensor, kMost> tensors;
    std::array<tvm::ffi::AnyView, kMost> views;
    if (arguments.size() > kMost) throw std::runtime_error("a kernel has too many arguments");
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const TensorArgument& argument = arguments[i];
      // Kernels read shapes and strides, and write neither.
      tensors[i] = {.data = argument.data,
                    .device = {kDLCPU, 0},
                    .ndim = static_cast<int>(argument.shape.size()),
                    .dtype = argument.integers ? DLDataType{kDLInt, 64, 1} : DLDataType{kDLFloat, 32, 1},
                    .shape = const_cast<std::int64_t*>(argument.shape.data()),
                    .strides = const_cast<std::int64_t*>(argument.strides),
                    .byte_offset = 0};
      views[i] = &tensors[i];
    }
    translate_errors("a generated kernel refused its arguments", [&] {
      Any nothing;
      function_.CallPacked(views.data(), static_cast<int32_t>(arguments.size()), &nothing);
    });
  }

 private:
  Module module_;
  Function function_;
};

class TvmPlugin final : public Plugin {
 public:
  TvmPlugin() : versions_(open_loader()), session_(call(Registered::DefaultSession)) {}

  std::string versions() const override { return versions_; }

  std::string compile(const ProductKernel& kernel, const std::string& cpu) override {
    return translate_errors("TVM cannot compile a kernel", [&] {
      const std::lock_guard lock(mutex_);
      open_compiler();
      Map<String, Any> description;
      description.Set("kind", String("llvm"));
      description.Set("mcpu", String(cpu));
      const Any target = call(Registered::Target, description);
      Any module = product_module(kernel);
      for (const Any& pass : lowering_passes(target)) module = call(Registered::RunPass, pass, module);
      const MemoryFile file;
      call(Registered::Build, module, target).cast<Module>()->WriteToFile(file.path(), "o");
      return file.content();
    });
  }

  std::unique_ptr<LoadedKernel> load(const std::string& object) override {
    return translate_errors("TVM cannot load a kernel", [&]() -> std::unique_ptr<LoadedKernel> {
      const std::lock_guard lock(mutex_);
      const Array<Any> objects{Any(tvm::ffi::Bytes(object))};
      return std::make_unique<TvmKernel>(
          call(Registered::LoadObject, session_, objects, "", nullptr, nullptr).cast<Module>());
    });
  }

 private:
  std::mutex mutex_;  // TVM does not promise that its compiler and its linker are safe from several threads
  std::string versions_;
  Any session_;
};

}  // namespace

}  // namespace boundflow::generated

extern "C" __attribute__((visibility("default"))) int boundflow_tvm_plugin_interface() {
  return boundflow::generated::kInterfaceVersion;
}

extern "C" __attribute__((visibility("default"))) boundflow::generated::Plugin* boundflow_open_tvm_plugin() {
  return boundflow::generated::translate_errors("TVM cannot be used", [] {
    // Never destroyed: see registry.cpp.
    static auto& plugin = *new boundflow::generated::TvmPlugin;
    return &plugin;
  });
}
