// Constant: a tensor among the attributes. Opsets 1 to 23, without sparse tensors and strings. Import turns it into a
// constant value of the network; as a node it lowers to a bias.
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

Tensor as_tensor(std::int64_t value) {
  return Tensor({}, std::vector<std::int64_t>{value});
}
Tensor as_tensor(double value) {
  return Tensor({}, std::vector<float>{static_cast<float>(value)});
}
Tensor as_tensor(const std::vector<std::int64_t>& values) {
  return Tensor({static_cast<std::int64_t>(values.size())}, values);
}
Tensor as_tensor(const std::vector<double>& values) {
  return Tensor({static_cast<std::int64_t>(values.size())}, std::vector<float>(values.begin(), values.end()));
}
Tensor as_tensor(const Tensor& tensor) {
  return tensor;
}

Tensor read(const NodeView& node) {
  const Attributes& attributes = node.node().attributes;
  if (attributes.size() != 1) node.malformed("exactly one value attribute is expected");
  const auto& [name, attribute] = *attributes.begin();
  // The alternative of the variant that each name stands for.
  const std::size_t expected = name == "value"         ? 5
                               : name == "value_int"   ? 0
                               : name == "value_float" ? 1
                               : name == "value_ints"  ? 3
                                                       : 4;
  if (attribute.index() != expected) node.malformed("attribute '" + name + "' has another type");
  return std::visit(
      [&](const auto& value) -> Tensor {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
          node.unsupported("strings are not supported");
        } else {
          return as_tensor(value);
        }
      },
      attribute);
}

std::vector<TensorType> infer(const NodeView& node) {
  return {read(node).type()};
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const>) {
  return {read(node)};
}

Facet lower(const NodeView& node) {
  const Tensor tensor = read(node);
  if (!is_floating(tensor.dtype())) node.unsupported("only float32 and float64 constants have bounds");
  return Affine{.bias = tensor.to_doubles()};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(1));
  Attributes attributes;
  if (random.coin()) {
    attributes["value_float"] = static_cast<double>(static_cast<float>(random.uniform(-2, 2)));
  } else {
    attributes["value_floats"] = std::vector<double>(static_cast<std::size_t>(sample.shape_of(x)[0]), 0.5);
  }
  // The node itself has no input; a sum makes a network of it.
  return sample.finish("Add", {x, sample.node("Constant", {}, std::move(attributes))});
}

}  // namespace

Operator constant_operator() {
  return {.name = "Constant",
          .min_inputs = 0,
          .max_inputs = 0,
          .layout_only = true,
          .attributes = {"value", "value_float", "value_floats", "value_int", "value_ints"},
          .infer = infer,
          .evaluate = evaluate,
          .lower = lower,
          .sample = sample};
}

}  // namespace boundflow
