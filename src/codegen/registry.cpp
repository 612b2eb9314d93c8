#include "codegen/registry.hpp"

#include <dlfcn.h>

#include <array>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace boundflow::generated {

namespace {

using tvm::ffi::Any;
using tvm::ffi::Array;
using tvm::ffi::Function;

constexpr const char* kHowToGet = "; scripts/setup.sh --tvm installs what BoundFlow needs";

std::array<std::optional<Function>, static_cast<std::size_t>(Registered::Count)>& found() {
  // Never destroyed: functions of TVM may not outlive its libraries, which go in an order of their own at exit.
  static auto& functions = *new std::array<std::optional<Function>, static_cast<std::size_t>(Registered::Count)>;
  return functions;
}

// Adds the name to `missing` where there is no such function.
void look_up(Registered which, const char* name, std::string& missing) {
  std::optional<Function> function = Function::GetGlobal(name);
  if (!function) missing += std::string(missing.empty() ? "" : ", ") + name;
  found()[static_cast<std::size_t>(which)] = std::move(function);
}

void refuse_missing(const std::string& missing) {
  if (!missing.empty()) throw std::runtime_error("TVM lacks the functions " + missing + kHowToGet);
}

// Where the packages of the virtual environment lie: the library that this one links is PACKAGES/tvm_ffi/lib/...
std::filesystem::path package_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&TVMFFIFunctionGetGlobal), &info) == 0 || info.dli_fname == nullptr) {
    throw std::runtime_error(std::string("it is not known where TVM lies") + kHowToGet);
  }
  return std::filesystem::path(info.dli_fname).parent_path().parent_path().parent_path();
}

// Never closed: kernels and functions live in them.
void open_library(const std::string& relative_path) {
  const std::string path = (package_folder() / relative_path).string();
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    throw std::runtime_error("cannot open a library of TVM: " + std::string(dlerror()) + kHowToGet);
  }
}

struct LoweringPass {
  const char* name;
  std::optional<Any> argument;
};

std::vector<LoweringPass> pass_table() {
  return {{"s_tir.transform.CanonicalizeLoop", {}},
          {"s_tir.transform.LowerCrossThreadReduction", {}},
          {"s_tir.transform.LowerInitBlock", {}},
          {"s_tir.transform.PlanAndUpdateBufferAllocationLocation", {}},
          {"s_tir.transform.ConvertBlocksToOpaque", {}},
          {"s_tir.transform.CompactBufferAllocation", Any(true)},
          {"s_tir.transform.LowerMatchBuffer", {}},
          {"s_tir.transform.StmtSimplify", {}},
          {"s_tir.transform.LowerOpaqueBlock", {}},
          {"tirx.transform.FlattenBuffer", {}},
          {"s_tir.transform.LoopPartition", {}},
          {"tirx.transform.VectorizeLoop", Any(true)},
          {"tirx.transform.StorageRewrite", {}},
          {"tirx.transform.UnrollLoop", {}},
          {"tirx.transform.StmtSimplify", {}},
          {"tirx.transform.RemoveNoOp", {}},
          {"s_tir.transform.RewriteUnsafeSelect", {}},
          {"tirx.transform.VerifyMemory", {}},
          {"tirx.transform.AnnotateEntryFunc", {}},
          {"tirx.transform.SplitHostDevice", {}},
          {"tirx.transform.MakePackedAPI", {}},
          {"tirx.transform.SkipAssert",
           {}},  // that arguments fit is up to the executor: checks would cost small products half
          {"tirx.transform.LowerTVMBuiltin", {}},
          {"tirx.transform.LowerIntrin", {}}};
}
constexpr const char* kBindTarget = "tirx.transform.BindTarget";

}  // namespace

std::string open_loader() {
  // As the package manager names what it has installed.
  constexpr std::array<std::string_view, 3> kVersions = {"apache_tvm-0.27.0.post1", "apache_tvm_ffi-0.1.14.post1",
                                                         "apache_tvm_ffi_orcjit-0.1.3"};
  std::string versions;
  for (const std::string_view version : kVersions) {
    if (!std::filesystem::is_directory(package_folder() / (std::string(version) + ".dist-info"))) {
      throw std::runtime_error("this is not the TVM that BoundFlow is written for: " + std::string(version) +
                               " is not there" + kHowToGet);
    }
    versions += std::string(versions.empty() ? "" : " ") + std::string(version);
  }
  // The runtime first: generated code calls it.
  open_library("tvm/lib/libtvm_runtime.so");
  open_library("tvm_ffi_orcjit/lib/libtvm_ffi_orcjit.so");
  std::string missing;
#define BOUNDFLOW_LOOK_UP(function, name) look_up(Registered::function, name, missing);
  BOUNDFLOW_TVM_LOADER_FUNCTIONS(BOUNDFLOW_LOOK_UP)
  refuse_missing(missing);
  return versions;
}

void open_compiler() {
  if (found()[static_cast<std::size_t>(Registered::Build)]) return;
  open_library("tvm/lib/libtvm_compiler.so");
  std::string missing;
  BOUNDFLOW_TVM_COMPILER_FUNCTIONS(BOUNDFLOW_LOOK_UP)
#undef BOUNDFLOW_LOOK_UP
  for (const LoweringPass& pass : pass_table()) {
    if (!Function::GetGlobal(pass.name)) missing += std::string(missing.empty() ? "" : ", ") + pass.name;
  }
  if (!Function::GetGlobal(kBindTarget)) missing += std::string(missing.empty() ? "" : ", ") + kBindTarget;
  refuse_missing(missing);
}

const Function& registered(Registered function) {
  const std::optional<Function>& entry = found()[static_cast<std::size_t>(function)];
  if (!entry) throw std::runtime_error("a function of TVM is called before its library is open");
  return *entry;
}

Array<Any> lowering_passes(const Any& target) {
  Array<Any> passes;
  passes.push_back(Function::GetGlobalRequired(kBindTarget)(call(Registered::WithHost, target, target)));
  for (const LoweringPass& pass : pass_table()) {
    const Function make = Function::GetGlobalRequired(pass.name);
    passes.push_back(pass.argument ? make(*pass.argument) : make());
  }
  return passes;
}

}  // namespace boundflow::generated
