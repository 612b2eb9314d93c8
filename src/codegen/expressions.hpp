#pragma once
// The little of TVM's tensor expressions that the templates are written in.

#include <tvm/ffi/tvm_ffi.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace boundflow::generated {

// An expression: a number, a variable, an entry of a tensor.
class Expression {
 public:
  explicit Expression(tvm::ffi::Any node) : node_(std::move(node)) {}
  const tvm::ffi::Any& node() const { return node_; }

 private:
  tvm::ffi::Any node_;
};

Expression constant(std::int64_t value);       // int64
Expression variable(const std::string& name);  // int64
Expression operator*(const Expression& a, const Expression& b);
Expression equal(const Expression& a, const Expression& b);
// Of what is not a number, too.
Expression magnitude(const Expression& x);
// Neither branch may have effects: both may be computed.
Expression select(const Expression& condition, const Expression& then, const Expression& otherwise);

// A loop variable from 0 to `extent`.
class Axis {
 public:
  enum class Kind : int { Parallel = 0, Reduction = 2 };
  Axis(const std::string& name, const Expression& extent, Kind kind);
  Expression index() const;
  const tvm::ffi::Any& node() const { return node_; }

 private:
  tvm::ffi::Any node_;
};

// A tensor: an argument of the kernel, or computed in float32.
class TensorExpression {
 public:
  TensorExpression(const std::string& name, const std::vector<Expression>& shape, const char* dtype = "float32");
  // Entry [axes] is `entry`.
  TensorExpression(const std::string& name, const std::vector<Axis>& axes, const Expression& entry);
  Expression at(const std::vector<Expression>& indices) const;
  const tvm::ffi::Any& node() const { return node_; }

 private:
  tvm::ffi::Any node_;
};

// The sum of `term` over the axis, from 0 on.
Expression sum(const Expression& term, const Axis& axis);

// A module with one function, "main", of the tensors in this order.
tvm::ffi::Any to_module(const std::vector<TensorExpression>& tensors);

// Lets an argument of the module's function lie anywhere in memory, at the address of any float32: these are the
// strides of its dimensions but the last, in elements; the last one's is 1. To be done when the schedule is complete.
void set_strides(const tvm::ffi::Any& module, const std::string& tensor, const std::vector<Expression>& strides);

}  // namespace boundflow::generated
