#include "exec/native/native_executor.hpp"

#include "exec/native/native_kernels.hpp"
#include "exec/op_driver.hpp"

namespace boundflow {

namespace {

class NativeExecutor final : public Executor {
 public:
  explicit NativeExecutor(Precision precision) : precision_(precision) {}
  std::string_view name() const override { return "native"; }
  std::int64_t element_bytes() const override { return precision_ == Precision::Float32 ? 4 : 8; }
  std::vector<std::shared_ptr<const CompiledProgram>> compile(std::span<const PlannedProgram> programs,
                                                              const Deadline& deadline) const override {
    return precision_ == Precision::Float32 ? compile_together<NativeKernels<float>>(programs, deadline)
                                            : compile_together<NativeKernels<double>>(programs, deadline);
  }

 private:
  Precision precision_;
};

}  // namespace

std::unique_ptr<Executor> make_native_executor(Precision precision) {
  return std::make_unique<NativeExecutor>(precision);
}

}  // namespace boundflow
