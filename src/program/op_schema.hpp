#pragma once
// The schema of each TaskOp, one table line an op: name, operand kinds, result kinds, which task kinds it may stand in,
// and whether it may write its result over its first operand. Verifier, printer and planner read this table.

#include <span>
#include <string_view>
#include <vector>

#include "program/bound_program.hpp"

namespace boundflow {

struct OpSchema {
  TaskOpKind kind;
  std::string_view name;
  std::vector<BufferKind> inputs;
  std::vector<BufferKind> outputs;
  bool variadic = false;  // the first operand repeats, one per term of `affine` or operand of `joint`
  bool in_place = false;
  bool variadic_result = false;  // one result per operand of `joint`
};

const OpSchema& op_schema(TaskOpKind kind);
std::span<const OpSchema> op_schemas();

}  // namespace boundflow
