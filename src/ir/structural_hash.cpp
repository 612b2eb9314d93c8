#include "ir/structural_hash.hpp"

#include "ir/content_hash.hpp"

namespace boundflow {

namespace {

class StructuralHash {
 public:
  StructuralHash(const Network& network, HashedConstants constants)
      : network_(network), constants_(constants), numbers_(network.values().size(), kUnnumbered) {}

  Digest finish() {
    for (const ValueId input : network_.inputs()) {
      number(input);
      hash_.type(network_.value(input).type);
    }
    for (const ValueId output : network_.outputs()) {
      add(output);
      hash_.number(numbers_[at(output)]);
    }
    return hash_.finish();
  }

 private:
  static constexpr std::int64_t kUnnumbered = -1;
  static std::size_t at(std::int32_t id) { return static_cast<std::size_t>(id); }

  void number(ValueId id) { numbers_[at(id)] = next_++; }

  // What a value depends on first, in the order of the operands: an order that follows from the graph alone. With a
  // stack of its own, since networks may be deeper than the thread's.
  void add(ValueId root) {
    std::vector<ValueId> stack{root};
    while (!stack.empty()) {
      const ValueId id = stack.back();
      if (id == kNoValue || numbers_[at(id)] != kUnnumbered) {
        stack.pop_back();
        continue;
      }
      const Value& value = network_.value(id);
      if (value.producer == kNoNode) {
        add_constant(id, value);
        stack.pop_back();
        continue;
      }
      const Node& node = network_.node(value.producer);
      const std::size_t before = stack.size();
      for (auto operand = node.inputs.rbegin(); operand != node.inputs.rend(); ++operand) {
        if (*operand != kNoValue && numbers_[at(*operand)] == kUnnumbered) stack.push_back(*operand);
      }
      if (stack.size() != before) continue;
      add_node(node);
      stack.pop_back();
    }
  }

  void add_constant(ValueId id, const Value& value) {
    number(id);
    hash_.text("constant");
    tensor(*value.constant);
  }

  void add_node(const Node& node) {
    hash_.text(node.op);
    hash_.number(std::ssize(node.inputs));
    for (const ValueId operand : node.inputs) hash_.number(operand == kNoValue ? kUnnumbered : numbers_[at(operand)]);
    hash_.number(std::ssize(node.attributes));
    for (const auto& [name, value] : node.attributes) {
      hash_.text(name);
      if (const auto* constant = std::get_if<Tensor>(&value)) {
        tensor(*constant);
      } else {
        hash_.attribute(value);
      }
    }
    hash_.number(std::ssize(node.outputs));
    for (const ValueId output : node.outputs) {
      number(output);
      hash_.type(network_.value(output).type);
    }
  }

  void tensor(const Tensor& constant) {
    if (constants_ == HashedConstants::Shapes && is_floating(constant.dtype())) {
      hash_.type(constant.type());
    } else {
      hash_.tensor(constant);
    }
  }

  const Network& network_;
  const HashedConstants constants_;
  const Deadline never_;
  ContentHash hash_{never_};
  std::vector<std::int64_t> numbers_;  // by ValueId
  std::int64_t next_ = 0;
};

}  // namespace

Digest structural_hash(const Network& network, HashedConstants constants) {
  return StructuralHash(network, constants).finish();
}

}  // namespace boundflow
