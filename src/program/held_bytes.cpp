#include "program/held_bytes.hpp"

namespace boundflow {

void HeldBytes::add(const BoundProgram& program) {
  add(program.buffers);
  for (const Buffer& buffer : program.buffers) add_shared(buffer.order);
  add(program.tasks);
  for (const Task& task : program.tasks) {
    add(task.functions);
    add(task.joints);
    add(task.after);
    add(task.ops);
    for (const TaskOp& op : task.ops) add(op);
  }
}

void HeldBytes::add(const TaskOp& op) {
  add(op.inputs);
  add(op.outputs);
  add_shared(op.ball);
  if (first(op.affine.get())) {
    add(op.affine->bias);
    add(op.affine->bias_magnitude);
    for (const auto& map : op.affine->maps) {
      if (first(map.get())) add(*map);
    }
  }
  if (first(op.joint.get())) {
    add(op.joint->starts);
    add(op.joint->terms);
  }
}

void HeldBytes::add(const LinearMap& map) {
  if (const DenseMap* dense = map.dense()) add(dense->weights);
  if (const IndexMap* index = map.index()) add(index->source);
  if (const ScaleMap* scale = map.scale()) {
    add(scale->source);
    add(scale->factors);
  }
  if (const SparseMap* sparse = map.sparse()) {
    add(sparse->starts);
    add(sparse->columns);
    add(sparse->weights);
  }
  if (const ConvMap* conv = map.conv()) add(conv->weights);
}

void HeldBytes::add(const StoragePlan& plan) {
  add(plan.placements);
  add(plan.missed);
}

}  // namespace boundflow
