#pragma once
// What the search asks of the rest: three narrow interfaces, implemented above it. All arrays are row-major.

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/deadline.hpp"
#include "base/rounding.hpp"
#include "ir/property.hpp"

namespace boundflow {

// What a bound holds for. Float32: the real-valued network and every float32 execution of its nodes, sums in any order.
// Real: the real-valued network, computed soundly. Nominal: no error terms at all, no proof.
enum class Semantics { Float32, Real, Nominal };

// The norm of a query's input set: Linf is a box, L2 and L1 are balls.
enum class InputNorm { Linf, L2, L1 };

// Rows a.x + c.y + r in double, each with a bound on what rounding the exact coefficients lost.
struct LinearSpec {
  std::int64_t rows = 0;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  std::vector<double> output_coefficients;        // C [rows, outputs]
  std::vector<double> output_coefficient_errors;  // upper bounds of |C - exact|, same shape
  std::vector<double> input_coefficients;         // A [rows, inputs], or empty for zero
  std::vector<double> input_coefficient_errors;   // same shape as A
  std::vector<double> constants;                  // r [rows]
  std::vector<double> constant_errors;            // [rows]
};

// A batch of subproblems: the rows `row` of `spec` are bounded over the box of subproblem `owner`.
struct BoundQuery {
  std::int64_t subproblems = 0;
  InputNorm norm = InputNorm::Linf;
  std::span<const double> lower;  // Linf: [subproblems, inputs]
  std::span<const double> upper;
  std::span<const double> centers;  // L2, L1: [subproblems, inputs]
  std::span<const double> radii;    // L2, L1: [subproblems]
  const LinearSpec* spec = nullptr;
  std::span<const std::int32_t> owners;  // [N], ascending
  std::span<const std::int32_t> rows;    // [N], indices into spec
  bool linear_form = false;              // also answer the linear form at the input
  Semantics semantics = Semantics::Float32;
};

// The bound that an answer proves, rounded down; -infinity where it proves none. Rounded down from infinity, the
// largest number would pass for a bound.
inline double sound_bound(double nominal, double error) {
  return std::isfinite(nominal) && std::isfinite(error) ? sub_down(nominal, error) : -kInfinity;
}

// Row n: spec row >= nominal[n] - error[n] over the owner's box, under the query's semantics. A NaN or infinite entry
// proves nothing.
struct BoundAnswer {
  bool complete = false;        // false: stopped by the deadline, nothing else is valid
  std::vector<double> nominal;  // [N]
  std::vector<double> error;    // [N], >= 0
  // Spec row >= form . x + form_constant for every x in the owner's (unclipped) box, the errors included in the
  // constant, which does not account for evaluating the form in floating point.
  std::vector<double> form;           // [N, inputs]
  std::vector<double> form_constant;  // [N]
};

class Bounder {
 public:
  virtual ~Bounder() = default;
  // Bounds all rows; safe to call from several threads at once. `answer` may be that of an earlier query, whose memory
  // is used again.
  virtual void answer(const BoundQuery& query, const Deadline& deadline, BoundAnswer& answer) const = 0;

  BoundAnswer bound(const BoundQuery& query, const Deadline& deadline) const {
    BoundAnswer result;
    answer(query, deadline, result);
    return result;
  }
};

// Values and gradients at points, not rigorous: for attacks and branching.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // outputs [count, outputs] at points [count, inputs].
  virtual void evaluate(std::span<const double> points, std::int64_t count, std::span<double> outputs) const = 0;
  // Also gradients [count, inputs] of cotangents . outputs, for cotangents that `choose` writes after the forward pass,
  // block by block: outputs and cotangents [k, outputs] of the points first, ..., first + k - 1. False: stopped by the
  // deadline, nothing is valid.
  using Choose = std::function<void(std::int64_t first, std::span<const double> outputs, std::span<double> cotangents)>;
  virtual bool gradient(std::span<const double> points, std::int64_t count, const Choose& choose,
                        std::span<double> outputs, std::span<double> gradients, const Deadline& deadline) const = 0;
};

// A counterexample: exact coordinates, and the outputs of one float32 execution at their nearest floats.
struct Witness {
  std::vector<Rational> input;
  std::vector<double> output;
};

// What the replay of a point proves. The real-valued violation is proved over the hull of the decimal point and its
// float32; executions are float32 ones.
enum class ReplayResult {
  Violated,             // proved, and an execution shows it as well
  ViolatedInRealsOnly,  // proved for the real-valued network, but the execution that was tried does not show it
  Refuted,              // outside the region, or not proved
  Stopped,              // the deadline passed
};

class Replayer {
 public:
  virtual ~Replayer() = default;
  // Tries to turn a point near (or in) the region's box into a proved witness.
  virtual ReplayResult replay(const Region& region, std::span<const double> point, Witness& witness,
                              const Deadline& deadline) const = 0;
};

}  // namespace boundflow
