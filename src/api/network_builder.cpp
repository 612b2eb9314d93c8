#include "boundflow/network_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/model_state.hpp"

namespace boundflow {

struct NetworkBuilder::State {
  std::string name;
  Network network;
  std::set<std::string> node_names;
};

namespace {

struct ToTensor {
  Shape shape;
  Tensor operator()(std::span<const float> values) const { return copied<float>(values); }
  Tensor operator()(std::span<const double> values) const { return copied<double>(values); }
  Tensor operator()(std::span<const std::int64_t> values) const { return copied<std::int64_t>(values); }
  Tensor operator()(std::span<const std::uint8_t> values) const { return copied<bool>(values); }

 private:
  template <class T, class Span>
  Tensor copied(Span values) const {
    return Tensor(shape, std::vector<T>(values.begin(), values.end()));
  }
};

Attribute to_attribute(const NetworkBuilder::AttributeValue& value) {
  return std::visit([](const auto& v) -> Attribute { return v; }, value);
}

std::size_t count_of(const NetworkBuilder::Elements& elements) {
  return std::visit([](const auto& span) { return span.size(); }, elements);
}

}  // namespace

NetworkBuilder::NetworkBuilder(std::string name)
    : state_(std::make_unique<State>(State{std::move(name), Network(), {}})) {}
NetworkBuilder::~NetworkBuilder() = default;
NetworkBuilder::NetworkBuilder(NetworkBuilder&&) noexcept = default;
NetworkBuilder& NetworkBuilder::operator=(NetworkBuilder&&) noexcept = default;

NetworkBuilder::ValueId NetworkBuilder::add_input(const std::string& name, const std::string& dtype,
                                                  const std::vector<std::int64_t>& shape) {
  if (!state_->network.inputs().empty()) {
    throw UnsupportedError(name, "input", "the network has an input already, one is supported");
  }
  for (const std::int64_t extent : shape) {
    if (extent < 1) throw InputError(fmt::format("input '{}': {} has an extent below 1", name, to_string(shape)));
  }
  element_count(shape);  // not too large
  for (const DType floating : {DType::Float32, DType::Float64}) {
    if (to_string(floating) == dtype) return state_->network.add_input(name, {floating, shape});
  }
  throw UnsupportedError(name, "input", fmt::format("an input of {} is not supported", dtype));
}

NetworkBuilder::ValueId NetworkBuilder::add_constant(const std::string& name, const std::vector<std::int64_t>& shape,
                                                     const Elements& elements) {
  if (static_cast<std::size_t>(element_count(shape)) != count_of(elements)) {
    throw InputError(
        fmt::format("constant '{}': {} elements do not fill {}", name, count_of(elements), to_string(shape)));
  }
  Tensor tensor = std::visit(ToTensor{shape}, elements);
  if (!tensor.is_finite()) {
    throw InputError(fmt::format("constant '{}' holds NaN or infinity; finite constants are expected", name));
  }
  return state_->network.add_constant(name, std::move(tensor));
}

std::vector<NetworkBuilder::ValueId> NetworkBuilder::add_node(const std::string& op, const std::string& name,
                                                              const std::vector<ValueId>& inputs,
                                                              const std::vector<std::string>& output_names,
                                                              const std::map<std::string, AttributeValue>& attributes) {
  std::string unique = name;
  for (int i = 2; state_->node_names.contains(unique); ++i) unique = fmt::format("{}#{}", name, i);
  Node node{op, unique, inputs, {}, {}};
  const Operator& known = operator_table().at(node);
  if (known.internal) throw UnsupportedError(unique, op, "the operator is not supported");
  for (const ValueId input : inputs) {
    if (input != kAbsent) type_of(input);
  }
  if (known.reads_shapes_only || reads_constants_only(state_->network, node)) {
    throw UnsupportedError(unique, op, "its result does not depend on the network's input; add it as a constant");
  }
  Attributes own;
  for (const auto& [key, value] : attributes) own.emplace(key, to_attribute(value));
  const NodeId id = append_node(state_->network, operator_table(), op, unique, inputs, output_names, std::move(own));
  state_->node_names.insert(unique);
  return state_->network.node(id).outputs;
}

NetworkBuilder::ValueType NetworkBuilder::type_of(ValueId value) const {
  if (value < 0 || value >= std::ssize(state_->network.values())) {
    throw UsageError(fmt::format("{} is no value of the network that is being built", value));
  }
  const TensorType& type = state_->network.value(value).type;
  return {std::string(to_string(type.dtype)), type.shape};
}

Model NetworkBuilder::build(ValueId output, const Options& options, const VerifyHooks& hooks) {
  type_of(output);
  const Value& value = state_->network.value(output);
  if (value.constant) throw UnsupportedError(value.name, "output", "the output does not depend on the input");
  const Request request = validate(options, Workload::None);
  const Deadline deadline(options.timeout, Clock::now(), hooks.interrupt);
  state_->network.set_outputs({output});
  auto source = std::make_shared<const Network>(without_unneeded(state_->network));
  verify_network(*source);
  auto normal = std::make_shared<const Network>(
      run_passes(*source, operator_table(), pass_table(), request.network_passes, deadline));
  Model model(std::make_shared<const ModelState>(state_->name, ImportedNetwork{std::move(source), std::move(normal)},
                                                 operator_table()));
  state_ = nullptr;
  return model;
}

}  // namespace boundflow
