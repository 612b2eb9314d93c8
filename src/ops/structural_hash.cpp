#include "ops/structural_hash.hpp"

#include <span>

#include "ir/content_hash.hpp"
#include "ops/folded.hpp"

namespace boundflow {

namespace {

class StructuralHash {
 public:
  StructuralHash(const Network& network, const OperatorTable& table, HashedConstants constants)
      : network_(network), table_(table), constants_(constants), numbers_(network.values().size(), kUnnumbered) {}

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
  static constexpr std::int64_t kShape = -2;  // instead of a number
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

  // Whether its shape is all that counts. It has no number then: which nodes share it depends on its content.
  bool only_shape(ValueId id) const {
    return constants_ == HashedConstants::Shapes && network_.is_constant(id) &&
           is_floating(network_.value(id).type.dtype);
  }

  void add_constant(ValueId id, const Value& value) {
    if (only_shape(id)) {
      numbers_[at(id)] = kShape;
      return;
    }
    number(id);
    hash_.text("constant");
    hash_.tensor(*value.constant);
  }

  void operand(ValueId id) {
    hash_.number(id == kNoValue ? kUnnumbered : numbers_[at(id)]);
    if (id != kNoValue && only_shape(id)) hash_.numbers(network_.value(id).type.shape);
  }

  void add_node(const Node& node) {
    const Operator& op = table_.at(node);
    const bool shapes = constants_ == HashedConstants::Shapes;
    const bool folded = shapes && op.merged_form == op.name;
    hash_.text(shapes && !op.merged_form.empty() ? op.merged_form : op.name);
    // The last constant of a folded node is part of its error model, and so are some attributes.
    const std::span<const ValueId> operands(node.inputs.data(), node.inputs.size() - (folded ? 1 : 0));
    hash_.number(std::ssize(operands));
    for (const ValueId id : operands) operand(id);
    Attributes attributes = node.attributes;
    if (folded) std::erase_if(attributes, [](const auto& attribute) { return is_error_model(attribute.first); });
    hash_.number(std::ssize(attributes));
    for (const auto& [name, value] : attributes) {
      hash_.text(name);
      if (const auto* constant = std::get_if<Tensor>(&value)) {
        hash_.tensor(*constant);
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

  const Network& network_;
  const OperatorTable& table_;
  const HashedConstants constants_;
  const Deadline never_;
  ContentHash hash_{never_};
  std::vector<std::int64_t> numbers_;  // by ValueId
  std::int64_t next_ = 0;
};

}  // namespace

Digest structural_hash(const Network& network, const OperatorTable& table, HashedConstants constants) {
  return StructuralHash(network, table, constants).finish();
}

}  // namespace boundflow
