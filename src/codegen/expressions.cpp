#include "codegen/expressions.hpp"

#include <tvm/ffi/reflection/accessor.h>

#include "codegen/registry.hpp"

namespace boundflow::generated {

using tvm::ffi::Any;
using tvm::ffi::Array;
using tvm::ffi::reflection::FieldGetter;
using tvm::ffi::reflection::FieldSetter;

namespace {

// What TVM takes where a source location may stand.
constexpr std::nullptr_t kNoSpan = nullptr;

Any typed_variable(const std::string& name, const char* dtype) {
  return call(Registered::Var, name, call(Registered::PrimType, dtype), kNoSpan);
}

template <class Nodes>
Array<Any> nodes_of(const Nodes& expressions) {
  Array<Any> nodes;
  for (const auto& expression : expressions) nodes.push_back(expression.node());
  return nodes;
}

}  // namespace

Expression constant(std::int64_t value) {
  return Expression(call(Registered::IntImm, "int64", value, kNoSpan));
}

Expression variable(const std::string& name) {
  return Expression(typed_variable(name, "int64"));
}

Expression operator*(const Expression& a, const Expression& b) {
  return Expression(call(Registered::Multiply, a.node(), b.node(), kNoSpan));
}

Expression equal(const Expression& a, const Expression& b) {
  return Expression(call(Registered::Equal, a.node(), b.node(), kNoSpan));
}

Expression magnitude(const Expression& x) {
  return Expression(call(Registered::Abs, x.node(), kNoSpan));
}

Expression select(const Expression& condition, const Expression& then, const Expression& otherwise) {
  return Expression(call(Registered::Select, condition.node(), then.node(), otherwise.node(), kNoSpan));
}

Axis::Axis(const std::string& name, const Expression& extent, Kind kind)
    : node_(call(Registered::IterVar, call(Registered::Range, constant(0).node(), extent.node(), kNoSpan),
                 typed_variable(name, "int64"), static_cast<int>(kind), "", kNoSpan)) {}

Expression Axis::index() const {
  static const FieldGetter variable_of("tirx.IterVar", "var");
  return Expression(variable_of(node_.cast<tvm::ffi::ObjectRef>()));
}

TensorExpression::TensorExpression(const std::string& name, const std::vector<Expression>& shape, const char* dtype)
    : node_(call(Registered::Placeholder, nodes_of(shape), dtype, name)) {}

TensorExpression::TensorExpression(const std::string& name, const std::vector<Axis>& axes, const Expression& entry) {
  const Any op = call(Registered::ComputeOp, name, "", nullptr, nodes_of(axes), Array<Any>{entry.node()});
  node_ = call(Registered::GetOutput, op, 0);
}

Expression TensorExpression::at(const std::vector<Expression>& indices) const {
  return Expression(call(Registered::TensorLoad, node_, nodes_of(indices)));
}

Expression sum(const Expression& term, const Axis& axis) {
  const Any left = typed_variable("left", "float32");
  const Any right = typed_variable("right", "float32");
  const Any zero = call(Registered::FloatImm, "float32", 0.0, kNoSpan);
  const Any reducer = call(Registered::CommReducer, Array<Any>{left}, Array<Any>{right},
                           Array<Any>{call(Registered::Add, left, right, kNoSpan)}, Array<Any>{zero}, kNoSpan);
  const Any always = call(Registered::IntImm, "bool", 1, kNoSpan);
  return Expression(call(Registered::Reduce, reducer, Array<Any>{term.node()}, Array<Any>{axis.node()}, always, 0,
                         Array<Any>(), kNoSpan));
}

Any to_module(const std::vector<TensorExpression>& tensors) {
  const Any function = call(Registered::CreatePrimFunc, nodes_of(tensors), nullptr);
  return call(Registered::ModuleOf, function, tvm::ffi::Map<Any, Any>());
}

// Tensor expressions know compact results only. The types of the finished function's arguments are nobody else's, so
// that their strides can be set where they are.
void set_strides(const Any& module, const std::string& tensor, const std::vector<Expression>& strides) {
  using tvm::ffi::ObjectRef;
  static const FieldGetter functions_of("ir.IRModule", "functions"), parameters_of("tirx.PrimFunc", "params"),
      name_of("ir.Var", "name"), type_of("ir.Expr", "ty");
  static const FieldSetter set("tirx.BufferType", "strides"), set_alignment("tirx.BufferType", "data_alignment");
  Array<Any> all = nodes_of(strides);
  all.push_back(constant(1).node());
  for (const auto& [id, function] : functions_of(module.cast<ObjectRef>()).cast<tvm::ffi::Map<Any, Any>>()) {
    for (const Any& parameter : parameters_of(function.cast<ObjectRef>()).cast<Array<Any>>()) {
      const auto variable = parameter.cast<ObjectRef>();
      if (name_of(variable).cast<tvm::ffi::String>() != tensor) continue;
      const auto type = type_of(variable).cast<ObjectRef>();
      set(type, all);
      set_alignment(type, std::int64_t{sizeof(float)});
    }
  }
}

}  // namespace boundflow::generated
