#include "program/op_schema.hpp"

namespace boundflow {

namespace {

using enum BufferKind;

const std::vector<OpSchema>& table() {
  static const std::vector<OpSchema> schemas = {
      {TaskOpKind::InputBox, "input_box", {}, {Bounds}},
      {TaskOpKind::IntervalAffine, "interval_affine", {Bounds}, {Bounds, ErrorWeights}, true},
      {TaskOpKind::CopyBounds, "copy_bounds", {Bounds}, {Bounds}},
      {TaskOpKind::IntervalImage, "interval_image", {Bounds}, {Bounds}},
      {TaskOpKind::IntervalJoint, "interval_joint", {Bounds}, {Bounds}, true},
      {TaskOpKind::Relax, "relax", {Bounds}, {Lines}},
      {TaskOpKind::RelaxJoint, "relax_joint", {Bounds}, {Planes}, true},
      {TaskOpKind::GivenBounds, "given_bounds", {}, {Bounds}},
      {TaskOpKind::GivenErrors, "given_errors", {}, {ErrorWeights}},
      {TaskOpKind::ApplySlopes, "apply_slopes", {Lines, Bounds}, {Lines}, false, true},
      {TaskOpKind::OneHot, "one_hot", {}, {Rows}},
      {TaskOpKind::GatherRows, "gather_rows", {ErrorWeights}, {Rows}},
      {TaskOpKind::SpecRows, "spec_rows", {Bounds}, {Rows}},
      {TaskOpKind::SpecInputRows, "spec_input_rows", {Bounds}, {Rows}},
      {TaskOpKind::BiasAndError, "bias_and_error", {Rows, ErrorWeights}, {}},
      {TaskOpKind::Transpose, "transpose", {Rows}, {Rows}},
      {TaskOpKind::ApplyRelaxation, "apply_relaxation", {Rows, Lines}, {Rows}, false, true},
      {TaskOpKind::ApplyRelaxationAndBias,
       "apply_relaxation_and_bias",
       {Rows, Lines, ErrorWeights},
       {Rows},
       false,
       true},
      {TaskOpKind::ApplyPlanes, "apply_planes", {Rows, Planes}, {Rows}, false, false, true},
      {TaskOpKind::WindowToImage, "window_to_image", {Rows}, {Rows}},
      {TaskOpKind::Accumulate, "accumulate", {Rows, Rows, Bounds}, {Rows}, false, true},
      {TaskOpKind::ApplySplits, "apply_splits", {Rows, Bounds}, {Rows}, false, true},
      {TaskOpKind::Concretize, "concretize", {Rows, Bounds}, {}},
      {TaskOpKind::Probe, "probe", {Rows, Bounds}, {}},
      {TaskOpKind::Minimizer, "minimizer", {Rows, Bounds}, {Points}},
      {TaskOpKind::CutWindow, "cut_window", {Points}, {Points}},
      {TaskOpKind::LineValue, "line_value", {Points, Rows, Lines}, {Points}, false, true},
      {TaskOpKind::PlaneValue, "plane_value", {Points, Rows, Planes}, {Points}, true},
      {TaskOpKind::KeepRows, "keep_rows", {Rows}, {}},
      {TaskOpKind::KeepPoints, "keep_points", {Points}, {}},
      {TaskOpKind::LoadPoints, "load_points", {}, {Points}},
      {TaskOpKind::AffineForward, "affine_forward", {Points}, {Points}, true},
      {TaskOpKind::ScalarValue, "scalar_value", {Points}, {Points}},
      {TaskOpKind::JointValue, "joint_value", {Points}, {Points}, true},
      {TaskOpKind::StorePoints, "store_points", {Points}, {}},
      {TaskOpKind::LoadCotangents, "load_cotangents", {}, {Rows}},
      {TaskOpKind::ScaleByDerivative, "scale_by_derivative", {Rows, Points}, {Rows}, false, true},
      {TaskOpKind::JointGradient, "joint_gradient", {Points, Rows}, {Rows}, true, false, true},
      {TaskOpKind::AddRows, "add_rows", {Rows, Rows}, {Rows}, false, true},
      {TaskOpKind::StoreGradients, "store_gradients", {Rows}, {}},
  };
  return schemas;
}

}  // namespace

std::span<const OpSchema> op_schemas() {
  return table();
}

const OpSchema& op_schema(TaskOpKind kind) {
  return table().at(static_cast<std::size_t>(kind));
}

std::string_view to_string(TaskOpKind kind) {
  return op_schema(kind).name;
}

std::string_view to_string(BufferKind kind) {
  switch (kind) {
    case Bounds:
      return "bounds";
    case ErrorWeights:
      return "error_weights";
    case Lines:
      return "lines";
    case Planes:
      return "planes";
    case Rows:
      return "rows";
    case Points:
      return "points";
  }
  throw InternalError("buffer kind out of range");
}

}  // namespace boundflow
