#pragma once
// Level 2, the Task IR: a bound query as a program of tensor tasks. Domains emit it, the planner places its buffers,
// executors run it. Dimensions are symbolic: B subproblems, N rows (backward walk) or points (forward values), bound
// when a task starts.
//
// Rows are one flat dimension with an owner index row -> subproblem. Beside its coefficients Lambda every row carries
// two accumulators that ops add to: `constant` (double) and `error`, an upper bound on what rounding and the deployed
// executions may have changed (docs/soundness.md).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/facet.hpp"
#include "ir/linear_map.hpp"
#include "ir/network.hpp"
#include "ir/scalar_function.hpp"

namespace boundflow {

enum class BufferKind {
  Bounds,        // [B, n] lower and [B, n] upper, double, rounded outward
  ErrorWeights,  // [B, n + 1] float: a row of Lambda at this value pays sum_i |Lambda_i| w_i + w_n
  Lines,         // [B, n] relaxation: slopes and intercepts in kernel precision, ErrorWeights of its own
  Planes,        // [B, n] relaxation of a joint function: slopes per term, intercepts, ErrorWeights of its own
  Rows,          // [N, n] Lambda in kernel precision
  Points,        // [N, n] values in kernel precision
};

using BufferId = std::int32_t;

// The coordinates of a value may be stored in another order than the network's: position p holds coordinate
// (*order)[p]. Empty: the network's order.
using Order = std::shared_ptr<const std::vector<std::int64_t>>;

// Rows that start at one pixel of an image are non-zero in a window only, which grows as they walk through convolutions
// and whose place follows the start pixel. The row of coordinate i starts at pixel p = i / start_channels of an image
// of width start_width, channels last; its window's first pixel is p * step + origin (per axis) of `image`. Entries of
// the window outside the image are zero.
struct Window {
  using Extent = ConvMap::Extent;
  std::int64_t start_channels = 1;
  std::int64_t start_width = 1;
  std::int64_t channels = 1;
  Extent image{1, 1};
  Extent size{1, 1};
  Extent step{1, 1};
  Extent origin{0, 0};

  std::int64_t columns() const { return size[0] * size[1] * channels; }
  std::int64_t image_columns() const { return image[0] * image[1] * channels; }
  // The first pixel (per axis) of the window of start coordinate i.
  Extent first_pixel(std::int64_t i) const {
    const std::int64_t p = i / start_channels;
    return {p / start_width * step[0] + origin[0], p % start_width * step[1] + origin[1]};
  }
  bool operator==(const Window&) const = default;
};

struct Buffer {
  BufferKind kind = BufferKind::Bounds;
  ValueId value = kNoValue;                     // the network's value whose coordinates these are
  std::int64_t columns = 0;                     // n, as stored
  Order order = nullptr;                        // of the value's coordinates
  std::int64_t terms = 0;                       // Planes: terms of the joint function, all components together
  std::optional<Window> window = std::nullopt;  // Rows, Points: only these coordinates are stored

  // Coordinates of the value, whether all are stored or not.
  std::int64_t value_columns() const { return window ? window->image_columns() : columns; }
};

// True for buffers that have an entry per row or point, false for those with an entry per subproblem.
inline bool is_per_row(BufferKind kind) {
  return kind == BufferKind::Rows || kind == BufferKind::Points;
}

// An affine node as executors see it: y = sum_t M_t x_t + bias, in the order of the op's operands.
struct AffineData {
  std::string name;  // of the node, for messages and printing
  std::vector<std::shared_ptr<const LinearMap>> maps;
  std::vector<double> bias;             // [n] or empty
  std::vector<double> bias_magnitude;   // [n] or empty for |bias|, as in facet.hpp
  std::int64_t deployed_roundings = 0;  // these five as in facet.hpp
  std::int64_t deployed_products = 0;
  double deployed_growth = 1;
  bool deployed_shifts_terms = false;
  double deployed_operand_range = std::numeric_limits<double>::infinity();
  double deployed_unit_roundoff = 0;  // of the node's dtype
  double deployed_smallest_normal = 0;
  double deployed_largest = 0;  // finite number
};

// A node y_j = f(x_...) of several coordinates as executors see it; operands in the order of the op's.
struct JointData {
  std::string name;
  std::size_t operands = 0;
  std::vector<std::int64_t> starts;  // [n + 1]
  std::vector<Joint::Term> terms;
  std::int64_t max_uses = 1;  // of one coordinate: additions where rows walk back
  std::shared_ptr<const JointFunction> function;
};

enum class TaskOpKind {
  // Per subproblem:
  InputBox,        //                          -> Bounds          the query's boxes
  IntervalAffine,  // Bounds x_t...            -> Bounds y, ErrorWeights y
  CopyBounds,      // Bounds x                 -> Bounds x        to tighten one of them and keep the other
  IntervalImage,   // Bounds x                 -> Bounds y        elementwise image
  IntervalJoint,   // Bounds x_t...            -> Bounds y        image of a joint function
  Relax,           // Bounds x                 -> Lines x         lines around f, [l, u] of every neuron
  RelaxJoint,      // Bounds x_t...            -> Planes y        planes around a joint function
  GivenBounds,     //                          -> Bounds x        what the query says of x, and its splits
  GivenErrors,     //                          -> ErrorWeights y  the same of what a row pays at y
  ApplySlopes,     // Lines x, Bounds x        -> Lines x         lines where the query may choose them
  // Per row:
  OneHot,           //                         -> Rows y          +-e_i for the task's selected neurons
  GatherRows,       // ErrorWeights y          -> Rows x          one-hot start carried through y = W x + b: +-W[i, :]
  SpecRows,         // Bounds y                -> Rows y          output coefficients C of the query's rows
  SpecInputRows,    // Bounds x                -> Rows x          input coefficients A of the query's rows
  BiasAndError,     // Rows y, ErrorWeights y  ->                 constant += Lambda b, error += |Lambda| w
  Transpose,        // Rows y                  -> Rows x          Lambda M
  ApplyRelaxation,  // Rows y, Lines x         -> Rows x          Lambda through the lines of y = f(x)
  ApplyRelaxationAndBias,  // Rows y, Lines x, ErrorWeights x -> Rows x, and BiasAndError of the affine node x
  ApplyPlanes,             // Rows y, Planes y        -> Rows x_t...     Lambda through the planes of a joint function
  WindowToImage,           // Rows x (window)         -> Rows x          all coordinates
  Accumulate,              // Rows x, Rows x, Bounds x -> Rows x         fan-out: the sum of both
  ApplySplits,             // Rows x, Bounds x        -> Rows x          multipliers of the query's splits at x
  Concretize,              // Rows x, Bounds x        ->                 the row's bound over the box (or ball) of x
  Probe,                   // Rows x, Bounds x        ->                 the same on the way, for rows that may end here
  // Per row, from the input towards it: values of the linear functions that the walk has made of the network.
  Minimizer,   // Rows x, Bounds x             -> Points x        where Lambda x is least over the box
  CutWindow,   // Points x                     -> Points x (smaller window)
  LineValue,   // Points x, Rows y, Lines x    -> Points y        through the lines that Lambda chose
  PlaneValue,  // Points x_t..., Rows y, Planes y -> Points y     likewise through planes
  KeepRows,    // Rows y                       ->                 Lambda for the query
  KeepPoints,  // Points x                     ->                 the values for the query
  // Per point:
  LoadPoints,         //                       -> Points x        the query's points
  AffineForward,      // Points x_t...         -> Points y
  ScalarValue,        // Points x              -> Points y
  JointValue,         // Points x_t...         -> Points y
  StorePoints,        // Points y              ->                 the query's outputs
  LoadCotangents,     //                       -> Rows y          the query's cotangents
  ScaleByDerivative,  // Rows y, Points x      -> Rows x          Lambda f'(x)
  JointGradient,      // Points x_t..., Rows y -> Rows x_t...     Lambda times the gradient of a joint function
  AddRows,            // Rows x, Rows x        -> Rows x          fan-out without error accounting
  StoreGradients,     // Rows x                ->                 the query's gradients
};

std::string_view to_string(TaskOpKind kind);
std::string_view to_string(BufferKind kind);

struct TaskOp {
  TaskOpKind kind = TaskOpKind::InputBox;
  std::vector<BufferId> inputs;
  std::vector<BufferId> outputs;
  std::shared_ptr<const AffineData> affine;        // of ops with a map or a bias
  std::shared_ptr<const JointData> joint;          // IntervalJoint, RelaxJoint, ApplyPlanes, PlaneValue, ...
  std::size_t term = 0;                            // Transpose: which map of `affine`
  std::int64_t offset = 0;                         // ApplySlopes, KeepRows, KeepPoints: of x's neurons among all
  std::shared_ptr<const ScalarFunction> function;  // IntervalImage, Relax, ApplySlopes, ScalarValue, ...
  double unit_roundoff = 0;                        // of the node's dtype (deployed model): images and relaxations
  // IntervalAffine, where input sets may be balls and the operand is the input set itself, up to order, signs and a
  // shift: which of its coordinates are the ball's (padding is not), so that the dual norm applies.
  std::shared_ptr<const std::vector<bool>> ball;
  bool at_input = false;  // Concretize: the operand is the query's input
  // Concretize, Probe: one op for each value where the row is now, `first` to `last`.
  bool first = true;
  bool last = true;
  std::int32_t number = -1;  // position in the whole program, given by ProgramBuilder::finish
};

enum class TaskKind {
  Batch,    // once per query, over subproblems
  Neurons,  // rows +-e_i for the unstable neurons of `target`; the result tightens its Bounds
  Spec,     // the query's rows; the result is the answer
  Points,   // over points
};

// What the task's ops run over, in words.
std::string_view to_string(TaskKind kind);

// One unit of planning: what gives the bounds of a value, the specification, or values at points.
struct Task {
  std::string name;
  TaskKind kind = TaskKind::Batch;
  BufferId target = -1;  // Neurons: the Bounds to tighten
  // Neurons: rows for the coordinates on which one of these is unstable (joint functions: a component that reads the
  // coordinate), or for all coordinates.
  std::vector<std::shared_ptr<const ScalarFunction>> functions;
  struct JointUse {
    std::shared_ptr<const JointData> joint;
    std::vector<BufferId> bounds;  // of its operands
  };
  std::vector<JointUse> joints;
  bool all_neurons = false;
  // Neurons: false replaces the bounds of unstable coordinates by those of the rows, true keeps the tighter ones.
  bool intersect = true;
  std::vector<TaskOp> ops;
  // The task graph, made by ProgramBuilder::finish: which tasks this one waits for, and the length of the longest way
  // to it from a task that waits for none. Tasks of one level are independent.
  std::vector<std::size_t> after;
  std::int64_t level = 0;
};

struct BoundProgram {
  std::vector<Buffer> buffers;
  std::vector<Task> tasks;  // by level
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  std::int64_t max_columns = 0;  // over all buffers
};

// Drops tasks without ops, orders the others by what they wait for, numbers the ops, computes max_columns and verifies.
void finish_program(BoundProgram& program);

// The schema of an op: operand kinds and results. Checked by `verify_program` and printed.
void verify_program(const BoundProgram& program);  // InternalError that names task, op and label of the rule

std::string print(const BoundProgram& program);
// One op as in there, without the newline.
std::string print(const BoundProgram& program, const TaskOp& op);

// Builds a program op by op; used by the domains' rules.
class ProgramBuilder {
 public:
  BufferId add_buffer(Buffer buffer);
  void begin_task(Task task) { program_.tasks.push_back(std::move(task)); }
  void emit(TaskOp op) { program_.tasks.back().ops.push_back(std::move(op)); }
  const Buffer& buffer(BufferId id) const { return program_.buffers.at(static_cast<std::size_t>(id)); }
  BoundProgram finish(std::int64_t inputs, std::int64_t outputs);

 private:
  BoundProgram program_;
};

}  // namespace boundflow
