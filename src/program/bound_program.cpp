#include "program/bound_program.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "program/op_schema.hpp"
#include "program/task_graph.hpp"

namespace boundflow {

namespace {

[[noreturn]] void broken(const Task& task, const TaskOp& op, std::string_view label) {
  throw InternalError(fmt::format("program: [{}] in task '{}', op {}", label, task.name, to_string(op.kind)));
}

// How often the first operand of a variadic op repeats.
std::size_t repeats(const TaskOp& op) {
  if (op.affine) return op.affine->maps.size();
  return op.joint ? op.joint->operands : 1;
}

std::size_t operand_count(const OpSchema& schema, const TaskOp& op) {
  return schema.variadic ? repeats(op) + schema.inputs.size() - 1 : schema.inputs.size();
}

std::size_t result_count(const OpSchema& schema, const TaskOp& op) {
  return schema.variadic_result ? repeats(op) : schema.outputs.size();
}

BufferKind operand_kind(const OpSchema& schema, const TaskOp& op, std::size_t i) {
  if (!schema.variadic) return schema.inputs[i];
  return i < repeats(op) ? schema.inputs[0] : schema.inputs[i - repeats(op) + 1];
}

bool needs_affine(TaskOpKind kind) {
  return kind == TaskOpKind::IntervalAffine || kind == TaskOpKind::GatherRows || kind == TaskOpKind::BiasAndError ||
         kind == TaskOpKind::ApplyRelaxationAndBias || kind == TaskOpKind::Transpose ||
         kind == TaskOpKind::AffineForward;
}

bool needs_function(TaskOpKind kind) {
  return kind == TaskOpKind::IntervalImage || kind == TaskOpKind::Relax || kind == TaskOpKind::ApplySlopes ||
         kind == TaskOpKind::ScalarValue || kind == TaskOpKind::ScaleByDerivative;
}

bool needs_joint(TaskOpKind kind) {
  return kind == TaskOpKind::IntervalJoint || kind == TaskOpKind::RelaxJoint || kind == TaskOpKind::ApplyPlanes ||
         kind == TaskOpKind::PlaneValue || kind == TaskOpKind::JointValue || kind == TaskOpKind::JointGradient;
}

// The operands of a joint function hold every coordinate that it reads, and its components fill the result.
void verify_joint(const BoundProgram& program, const Task& task, const TaskOp& op) {
  const auto columns = [&](BufferId id) { return program.buffers[static_cast<std::size_t>(id)].columns; };
  const bool backward = op.kind == TaskOpKind::ApplyPlanes || op.kind == TaskOpKind::JointGradient;
  const std::vector<BufferId>& operands = backward ? op.outputs : op.inputs;
  const BufferId result = op.kind == TaskOpKind::ApplyPlanes     ? op.inputs[0]
                          : op.kind == TaskOpKind::JointGradient ? op.inputs.back()
                                                                 : op.outputs[0];
  if (static_cast<std::int64_t>(op.joint->starts.size()) != columns(result) + 1) broken(task, op, "P12 joint-sizes");
  for (const Joint::Term& term : op.joint->terms) {
    if (term.operand >= 0 && term.index >= columns(operands[static_cast<std::size_t>(term.operand)])) {
      broken(task, op, "P12 joint-sizes");
    }
  }
}

// Sizes of the operands of the ops that carry a map; all other ops keep the number of columns.
void verify_sizes(const BoundProgram& program, const Task& task, const TaskOp& op) {
  const auto columns = [&](BufferId id) { return program.buffers[static_cast<std::size_t>(id)].value_columns(); };
  if (op.joint) {
    verify_joint(program, task, op);
  } else if (op.kind == TaskOpKind::IntervalAffine || op.kind == TaskOpKind::AffineForward) {
    for (std::size_t t = 0; t < op.affine->maps.size(); ++t) {
      if (op.affine->maps[t]->in_size() != columns(op.inputs[t])) broken(task, op, "P5 map-sizes");
      if (op.affine->maps[t]->out_size() != columns(op.outputs[0])) broken(task, op, "P5 map-sizes");
    }
    if (!op.affine->bias.empty() && static_cast<std::int64_t>(op.affine->bias.size()) != columns(op.outputs[0])) {
      broken(task, op, "P6 bias-size");
    }
  } else if (op.kind == TaskOpKind::Transpose) {
    if (op.term >= op.affine->maps.size()) broken(task, op, "P7 term-in-range");
    const LinearMap& map = *op.affine->maps[op.term];
    if (map.out_size() != columns(op.inputs[0]) || map.in_size() != columns(op.outputs[0])) {
      broken(task, op, "P5 map-sizes");
    }
  } else if (op.kind == TaskOpKind::GatherRows) {
    if (op.affine->maps.size() != 1 || op.affine->maps[0]->in_size() != columns(op.outputs[0])) {
      broken(task, op, "P5 map-sizes");
    }
  } else {
    for (std::size_t i = 1; i < op.inputs.size(); ++i) {
      if (columns(op.inputs[i]) != columns(op.inputs[0])) broken(task, op, "P8 equal-columns");
    }
    if (!op.outputs.empty() && !op.inputs.empty() && columns(op.outputs[0]) != columns(op.inputs[0])) {
      broken(task, op, "P8 equal-columns");
    }
  }
}

std::string print_window(const Window& w) {
  return fmt::format(" window {}x{} of {}x{} at p*({}, {})+({}, {})", w.size[0], w.size[1], w.image[0], w.image[1],
                     w.step[0], w.step[1], w.origin[0], w.origin[1]);
}

}  // namespace

void verify_program(const BoundProgram& program) {
  std::vector<bool> defined(program.buffers.size(), false);
  const auto valid = [&](BufferId id) { return id >= 0 && static_cast<std::size_t>(id) < program.buffers.size(); };
  for (std::size_t t = 0; t < program.tasks.size(); ++t) {
    const Task& task = program.tasks[t];
    for (const TaskOp& op : task.ops) {
      const OpSchema& schema = op_schema(op.kind);
      if (needs_affine(op.kind) && !op.affine) broken(task, op, "P1 affine-present");
      if (needs_function(op.kind) && !op.function) broken(task, op, "P2 function-present");
      if (needs_joint(op.kind) && !op.joint) broken(task, op, "P2 function-present");
      if (op.inputs.size() != operand_count(schema, op)) broken(task, op, "P3 operand-count");
      if (op.outputs.size() != result_count(schema, op)) broken(task, op, "P3 operand-count");
      for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        const BufferId id = op.inputs[i];
        if (!valid(id) || !defined[static_cast<std::size_t>(id)]) broken(task, op, "P4 defined-before-use");
        if (program.buffers[static_cast<std::size_t>(id)].kind != operand_kind(schema, op, i)) {
          broken(task, op, "P9 operand-kind");
        }
      }
      for (std::size_t i = 0; i < op.outputs.size(); ++i) {
        const BufferId id = op.outputs[i];
        if (!valid(id) || defined[static_cast<std::size_t>(id)]) broken(task, op, "P10 single-definition");
        const BufferKind kind = schema.variadic_result ? schema.outputs[0] : schema.outputs[i];
        if (program.buffers[static_cast<std::size_t>(id)].kind != kind) broken(task, op, "P9 operand-kind");
        defined[static_cast<std::size_t>(id)] = true;
      }
      verify_sizes(program, task, op);
    }
    const bool selects = task.all_neurons || !task.functions.empty() || !task.joints.empty();
    if (task.kind == TaskKind::Neurons && (!selects || !valid(task.target))) {
      throw InternalError(fmt::format("program: [P11 neurons-target] in task '{}'", task.name));
    }
    for (const std::size_t earlier : task.after) {
      if (earlier >= t || program.tasks[earlier].level >= task.level) {
        throw InternalError(fmt::format("program: [P13 task-order] in task '{}'", task.name));
      }
    }
  }
}

std::string_view to_string(TaskKind kind) {
  switch (kind) {
    case TaskKind::Batch:
      return "per subproblem";
    case TaskKind::Neurons:
      return "rows: +-e_i of unstable neurons";
    case TaskKind::Spec:
      return "rows: the query's";
    case TaskKind::Points:
      return "per point";
  }
  throw InternalError("task kind out of range");
}

std::string print(const BoundProgram& program, const TaskOp& op) {
  std::vector<std::string> results;
  for (const BufferId id : op.outputs) results.push_back(fmt::format("%{}", id));
  std::vector<std::string> operands;
  for (const BufferId id : op.inputs) operands.push_back(fmt::format("%{}", id));
  std::string text = results.empty() ? "" : fmt::format("{} = ", fmt::join(results, ", "));
  text += fmt::format("{}({})", to_string(op.kind), fmt::join(operands, ", "));
  if (op.affine) {
    text += fmt::format(" '{}'", op.affine->name);
    if (op.kind == TaskOpKind::Transpose) {
      text += fmt::format(" [{}]", op.affine->maps[op.term]->print());
    } else if (op.kind == TaskOpKind::IntervalAffine || op.kind == TaskOpKind::AffineForward) {
      std::vector<std::string> maps;
      for (const auto& map : op.affine->maps) maps.push_back(map->print());
      text += fmt::format(" [{}]", fmt::join(maps, " + "));
    }
  }
  if (op.function) text += fmt::format(" {}", op.function->name());
  if (op.joint) text += fmt::format(" {} '{}'", op.joint->function->name(), op.joint->name);
  for (const BufferId id : op.outputs) {
    const Buffer& buffer = program.buffers[static_cast<std::size_t>(id)];
    text += fmt::format(" : {}[{}, {}]", to_string(buffer.kind), is_per_row(buffer.kind) ? "N" : "B", buffer.columns);
    if (buffer.window) text += print_window(*buffer.window);
  }
  return text;
}

std::string print(const BoundProgram& program) {
  std::string text = fmt::format("program inputs={} outputs={}\n", program.inputs, program.outputs);
  for (std::size_t t = 0; t < program.tasks.size(); ++t) {
    const Task& task = program.tasks[t];
    text += fmt::format("task {} '{}' ({})", t, task.name, to_string(task.kind));
    if (task.target >= 0) text += fmt::format(" tightens %{}", task.target);
    if (!task.after.empty()) text += fmt::format(" after {}", fmt::join(task.after, ", "));
    text += "\n";
    for (const TaskOp& op : task.ops) text += fmt::format("  {}\n", print(program, op));
  }
  return text;
}

BufferId ProgramBuilder::add_buffer(Buffer buffer) {
  if (buffer.window) ensure(buffer.columns == buffer.window->columns(), "a window's buffer has another size");
  program_.buffers.push_back(std::move(buffer));
  return static_cast<BufferId>(program_.buffers.size() - 1);
}

void finish_program(BoundProgram& program) {
  std::erase_if(program.tasks, [](const Task& task) { return task.ops.empty(); });
  for (const Buffer& buffer : program.buffers) {
    program.max_columns = std::max({program.max_columns, buffer.columns, buffer.terms});
  }
  order_tasks(program.tasks, program.buffers.size());
  std::int32_t number = 0;
  for (Task& task : program.tasks) {
    for (TaskOp& op : task.ops) op.number = number++;
  }
  verify_program(program);
}

BoundProgram ProgramBuilder::finish(std::int64_t inputs, std::int64_t outputs) {
  program_.inputs = inputs;
  program_.outputs = outputs;
  finish_program(program_);
  return std::move(program_);
}

}  // namespace boundflow
