#include "exec/tvm/counted_program.hpp"

#include <string>
#include <utility>

#include "base/error.hpp"
#include "program/op_schema.hpp"

namespace boundflow::generated {

namespace {

class CountedProgram final : public CompiledProgram {
 public:
  CountedProgram(std::shared_ptr<const CompiledProgram> program, const PlannedProgram& planned,
                 KernelCounters& counters)
      : CompiledProgram(planned.program, planned.plan), program_(std::move(program)) {
    for (const Task& task : planned.program->tasks) {
      for (const TaskOp& op : task.ops) {
        const auto kind = static_cast<std::size_t>(op.kind);
        if (counters_.size() <= kind) counters_.resize(kind + 1);
        if (counters_[kind]) continue;
        counters_[kind] = counters.add(
            {.op = std::string(op_schema(op.kind).name), .executor = "native", .reason = why_not_generated(op.kind)});
      }
    }
  }

  void run(const TaskOp& op, const BatchFrame& frame) const override {
    counter(op).count([&] { program_->run(op, frame); });
  }
  void run(const TaskOp& op, const RowFrame& frame) const override {
    counter(op).count([&] { program_->run(op, frame); });
  }
  void count(HeldBytes& held) const override {
    program_->count(held);
    held.add(counters_);
  }

 private:
  KernelCounter& counter(const TaskOp& op) const { return *counters_[static_cast<std::size_t>(op.kind)]; }

  std::shared_ptr<const CompiledProgram> program_;
  std::vector<std::shared_ptr<KernelCounter>> counters_;  // by kind of op; nullptr: there is none of it
};

}  // namespace

const char* why_not_generated(TaskOpKind kind) {
  switch (kind) {
    case TaskOpKind::IntervalAffine:
    case TaskOpKind::GatherRows:
      return "bounds and error terms around the products";
    case TaskOpKind::Transpose:
    case TaskOpKind::AffineForward:
      return "windows and biases around the products";
    case TaskOpKind::IntervalImage:
    case TaskOpKind::IntervalJoint:
    case TaskOpKind::Relax:
    case TaskOpKind::RelaxJoint:
    case TaskOpKind::ApplySlopes:
      return "rounds towards the safe side";
    case TaskOpKind::BiasAndError:
    case TaskOpKind::ApplyRelaxation:
    case TaskOpKind::ApplyRelaxationAndBias:
    case TaskOpKind::ApplyPlanes:
    case TaskOpKind::ApplySplits:
    case TaskOpKind::Accumulate:
    case TaskOpKind::SpecRows:
    case TaskOpKind::SpecInputRows:
      return "adds up error terms in its pass over the rows";
    case TaskOpKind::Concretize:
    case TaskOpKind::Probe:
      return "sums in double, with error terms";
    case TaskOpKind::ScalarValue:
    case TaskOpKind::JointValue:
    case TaskOpKind::ScaleByDerivative:
    case TaskOpKind::JointGradient:
      return "the function's own code";
    case TaskOpKind::Minimizer:
    case TaskOpKind::LineValue:
    case TaskOpKind::PlaneValue:
      return "chooses by sign, and must keep NaN";
    case TaskOpKind::InputBox:
    case TaskOpKind::CopyBounds:
    case TaskOpKind::GivenBounds:
    case TaskOpKind::GivenErrors:
    case TaskOpKind::OneHot:
    case TaskOpKind::WindowToImage:
    case TaskOpKind::CutWindow:
    case TaskOpKind::KeepRows:
    case TaskOpKind::KeepPoints:
    case TaskOpKind::LoadPoints:
    case TaskOpKind::StorePoints:
    case TaskOpKind::LoadCotangents:
    case TaskOpKind::AddRows:
    case TaskOpKind::StoreGradients:
      return "moves numbers";
  }
  throw InternalError("kind of op out of range");
}

std::vector<std::shared_ptr<const CompiledProgram>> count_ops(
    std::vector<std::shared_ptr<const CompiledProgram>> compiled, std::span<const PlannedProgram> planned,
    KernelCounters& counters) {
  for (std::size_t i = 0; i < compiled.size(); ++i) {
    compiled[i] = std::make_shared<const CountedProgram>(std::move(compiled[i]), planned[i], counters);
  }
  return compiled;
}

}  // namespace boundflow::generated
