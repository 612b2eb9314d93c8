#include "ops/sample_network.hpp"

#include <algorithm>
#include <cmath>

namespace boundflow {

Shape SampleNetwork::shape(int rank, std::int64_t max_elements) {
  Shape dimensions;
  std::int64_t left = max_elements;
  for (int i = 0; i < rank; ++i) {
    dimensions.push_back(random_->integer(1, std::min<std::int64_t>(left, 6)));
    left /= dimensions.back();
  }
  return dimensions;
}

ValueId SampleNetwork::input(Shape shape) {
  return network_.add_input(fresh_name("x"), {DType::Float32, std::move(shape)});
}

std::vector<float> SampleNetwork::values(const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (float& value : values) {
    const std::int64_t kind = random_->integer(0, 9);
    const double scale = kind == 0   ? 0.0
                         : kind == 1 ? std::ldexp(1.0, static_cast<int>(random_->integer(-30, 20)))
                                     : 1.0;
    value = static_cast<float>(scale * random_->uniform(-2, 2));
  }
  return values;
}

ValueId SampleNetwork::constant(Shape shape) {
  std::vector<float> data = values(shape);
  return network_.add_constant(fresh_name("c"), Tensor(std::move(shape), std::move(data)));
}

ValueId SampleNetwork::magnitudes(Shape shape) {
  std::vector<float> data = values(shape);
  for (float& value : data) value = std::fabs(value);
  return network_.add_constant(fresh_name("c"), Tensor(std::move(shape), std::move(data)));
}

ValueId SampleNetwork::condition(Shape shape) {
  std::vector<bool> holds(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t i = 0; i < holds.size(); ++i) holds[i] = random_->coin();
  return network_.add_constant(fresh_name("b"), Tensor(std::move(shape), std::move(holds)));
}

ValueId SampleNetwork::nonzero_constant(Shape shape) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (float& value : values) {
    const int exponent = static_cast<int>(random_->integer(0, 5) == 0 ? random_->integer(-19, 19) : 0);
    const double mantissa = random_->coin() ? 1.0 : random_->uniform(0.5, 2);
    value = static_cast<float>(std::ldexp(random_->coin() ? mantissa : -mantissa, exponent));
  }
  return network_.add_constant(fresh_name("c"), Tensor(std::move(shape), std::move(values)));
}

ValueId SampleNetwork::double_constant(Shape shape) {
  std::vector<double> values(static_cast<std::size_t>(element_count(shape)));
  for (double& value : values) value = random_->integer(0, 9) == 0 ? 0.0 : random_->uniform(-2, 2);
  return network_.add_constant(fresh_name("c"), Tensor(std::move(shape), std::move(values)));
}

ValueId SampleNetwork::doubles(std::vector<double> values) {
  return network_.add_constant(fresh_name("c"), Tensor({static_cast<std::int64_t>(values.size())}, values));
}

ValueId SampleNetwork::scalar(float value) {
  return network_.add_constant(fresh_name("c"), Tensor({}, std::vector<float>{value}));
}

ValueId SampleNetwork::indices(std::vector<std::int64_t> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return indices({count}, std::move(values));
}

ValueId SampleNetwork::indices(Shape shape, std::vector<std::int64_t> values) {
  return network_.add_constant(fresh_name("i"), Tensor(std::move(shape), std::move(values)));
}

NodeId SampleNetwork::append(std::string op, std::vector<ValueId> inputs, Attributes attributes, std::size_t outputs) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < outputs; ++i) names.push_back(fresh_name("y"));
  return append_node(network_, *table_, std::move(op), fresh_name("node"), std::move(inputs), std::move(names),
                     std::move(attributes));
}

ValueId SampleNetwork::node(std::string op, std::vector<ValueId> inputs, Attributes attributes) {
  return network_.node(append(std::move(op), std::move(inputs), std::move(attributes), 1)).outputs.front();
}

Network SampleNetwork::finish(std::string op, std::vector<ValueId> inputs, Attributes attributes, std::size_t outputs) {
  const Node& node = network_.node(append(std::move(op), std::move(inputs), std::move(attributes), outputs));
  const std::int64_t last = static_cast<std::int64_t>(outputs) - 1;
  network_.set_outputs({node.outputs[static_cast<std::size_t>(last == 0 ? 0 : random_->integer(0, last))]});
  return std::move(network_);
}

}  // namespace boundflow
