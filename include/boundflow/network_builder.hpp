#pragma once
/// @file
/// Networks from other sources than files, node by node.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "boundflow/export.hpp"
#include "boundflow/hooks.hpp"
#include "boundflow/model.hpp"
#include "boundflow/options.hpp"

namespace boundflow {

/// Builds a Model out of BoundFlow's operators, which are ONNX's of opset 18 (`boundflow inspect` lists them): their
/// names, inputs and attributes. A node is checked when it is added.
class BOUNDFLOW_API NetworkBuilder {
 public:
  /// A value of the network: its input, a constant, or the output of a node.
  using ValueId = std::int32_t;
  /// An optional input of a node that is left out.
  static constexpr ValueId kAbsent = -1;

  /// The elements of a constant, row-major in the caller's memory, copied by the call. Bytes are bools, zero or not.
  using Elements = std::variant<std::span<const float>, std::span<const double>, std::span<const std::int64_t>,
                                std::span<const std::uint8_t>>;
  /// An attribute of a node.
  using AttributeValue =
      std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>>;

  /// What is known of a value.
  struct ValueType {
    std::string dtype;                ///< "float32", "float64", "int64" or "bool".
    std::vector<std::int64_t> shape;  ///< Its extents.
  };

  /// An empty network.
  /// @param name  what messages and reports call it
  explicit NetworkBuilder(std::string name);
  /// Its end.
  ~NetworkBuilder();
  NetworkBuilder(NetworkBuilder&&) noexcept;  ///< Leaves nothing to build with.
  /// Leaves nothing to build with.
  /// @return this one
  NetworkBuilder& operator=(NetworkBuilder&&) noexcept;

  /// Adds the network's input.
  /// @param name   its name
  /// @param dtype  "float32" or "float64"
  /// @param shape  its extents, all positive
  /// @return the value
  /// @throws Error Unsupported for a second input and for other element types, BadInput for a shape that no tensor has
  ValueId add_input(const std::string& name, const std::string& dtype, const std::vector<std::int64_t>& shape);

  /// Adds a constant.
  /// @param name      its name
  /// @param shape     its extents
  /// @param elements  as many as the product of the extents
  /// @return the value
  /// @throws Error BadInput for another number of elements and for NaN or infinity
  ValueId add_constant(const std::string& name, const std::vector<std::int64_t>& shape, const Elements& elements);

  /// Adds a node.
  /// @param op            an operator's name
  /// @param name          what messages call the node; another one may get a number behind it
  /// @param inputs        values, in the operator's order
  /// @param output_names  a name for each output
  /// @param attributes    by name
  /// @return the outputs
  /// @throws Error Unsupported for operators, attributes and uses that BoundFlow does not have, BadInput for what does
  ///   not fit together; the message names the node
  std::vector<ValueId> add_node(const std::string& op, const std::string& name, const std::vector<ValueId>& inputs,
                                const std::vector<std::string>& output_names,
                                const std::map<std::string, AttributeValue>& attributes = {});

  /// @param value  of this builder
  /// @return its element type and shape
  /// @throws Error Usage for what is no value of this builder
  ValueType type_of(ValueId value) const;

  /// Ends the building; nothing may be added afterwards.
  /// @param output   the network's output
  /// @param options  passes over networks, limits
  /// @param hooks    interrupt
  /// @return the network
  /// @throws Error Unsupported for an output that does not depend on the input; another exception when a limit or an
  ///   interrupt stops it
  Model build(ValueId output, const Options& options = {}, const VerifyHooks& hooks = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace boundflow
