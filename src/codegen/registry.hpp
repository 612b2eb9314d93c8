#pragma once
// The functions of TVM's registry that BoundFlow calls, all in one place: their names are no stable interface. They are
// looked up together when their library is opened, and what is missing is named.

#include <tvm/ffi/tvm_ffi.h>

#include <string>

namespace boundflow::generated {

// clang-format off
#define BOUNDFLOW_TVM_LOADER_FUNCTIONS(FUNCTION)                       \
  FUNCTION(DefaultSession,     "tvm_ffi_orcjit.GlobalDefaultSession")  \
  FUNCTION(LoadObject,         "tvm_ffi_orcjit.SessionLoadModule")

#define BOUNDFLOW_TVM_COMPILER_FUNCTIONS(FUNCTION)                     \
  FUNCTION(Multiply,           "prim._OpMul")                          \
  FUNCTION(Add,                "prim._OpAdd")                          \
  FUNCTION(Equal,              "prim._OpEQ")                           \
  FUNCTION(Abs,                "tirx.abs")                             \
  FUNCTION(Select,             "prim.Select")                          \
  FUNCTION(FloatImm,           "ir.FloatImm")                          \
  FUNCTION(IntImm,             "ir.IntImm")                            \
  FUNCTION(PrimType,           "ir.PrimType")                          \
  FUNCTION(Var,                "ir.Var")                               \
  FUNCTION(Range,              "ir.Range_from_min_extent")             \
  FUNCTION(IterVar,            "tirx.IterVar")                         \
  FUNCTION(Placeholder,        "te.Placeholder")                       \
  FUNCTION(TensorLoad,         "te.TensorLoad")                        \
  FUNCTION(CommReducer,        "te.CommReducer")                       \
  FUNCTION(Reduce,             "te.Reduce")                            \
  FUNCTION(ComputeOp,          "te.ComputeOp")                         \
  FUNCTION(GetOutput,          "te.OpGetOutput")                       \
  FUNCTION(CreatePrimFunc,     "te.CreatePrimFunc")                    \
  FUNCTION(ModuleOf,           "ir.Module_FromExpr")                   \
  FUNCTION(Schedule,           "s_tir.schedule.TracedSchedule")        \
  FUNCTION(GetBlock,           "s_tir.schedule.ScheduleGetSBlock")     \
  FUNCTION(GetLoops,           "s_tir.schedule.ScheduleGetLoops")      \
  FUNCTION(Split,              "s_tir.schedule.ScheduleSplit")         \
  FUNCTION(Reorder,            "s_tir.schedule.ScheduleReorder")       \
  FUNCTION(CacheWrite,         "s_tir.schedule.ScheduleCacheWrite")    \
  FUNCTION(ReverseComputeAt,   "s_tir.schedule.ScheduleReverseComputeAt") \
  FUNCTION(Vectorize,          "s_tir.schedule.ScheduleVectorize")     \
  FUNCTION(Unroll,             "s_tir.schedule.ScheduleUnroll")        \
  FUNCTION(DecomposeReduction, "s_tir.schedule.ScheduleDecomposeReduction") \
  FUNCTION(GetModule,          "s_tir.schedule.ScheduleGetMod")        \
  FUNCTION(Target,             "target.Target")                        \
  FUNCTION(WithHost,           "target.WithHost")                      \
  FUNCTION(RunPass,            "transform.RunPass")                    \
  FUNCTION(Build,              "target.build.llvm")
// clang-format on

enum class Registered {
#define BOUNDFLOW_DECLARE_FUNCTION(name, registered) name,
  BOUNDFLOW_TVM_LOADER_FUNCTIONS(BOUNDFLOW_DECLARE_FUNCTION)
      BOUNDFLOW_TVM_COMPILER_FUNCTIONS(BOUNDFLOW_DECLARE_FUNCTION)
#undef BOUNDFLOW_DECLARE_FUNCTION
          Count
};

// Versions that this code is written for and has checked; std::runtime_error if others are installed. Opens what loads
// kernels, and finds its functions.
std::string open_loader();
// Opens the compiler, unless that has happened, and finds its functions and its passes. After open_loader.
void open_compiler();
// A function that has been found.
const tvm::ffi::Function& registered(Registered function);

template <class... Arguments>
tvm::ffi::Any call(Registered function, Arguments&&... arguments) {
  return registered(function)(std::forward<Arguments>(arguments)...);
}

// The passes from a scheduled function to one that the code generator takes, for the host `target`, in their order.
tvm::ffi::Array<tvm::ffi::Any> lowering_passes(const tvm::ffi::Any& target);

}  // namespace boundflow::generated
