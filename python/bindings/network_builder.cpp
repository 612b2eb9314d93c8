#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "boundflow/network_builder.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/call.hpp"
#include "python/bindings/options.hpp"

namespace boundflow::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// A numpy array of one of the element types that networks have, in C order.
template <class Element>
using Elements = nb::ndarray<const Element, nb::numpy, nb::c_contig, nb::device::cpu>;

template <class Element>
bool add_if(NetworkBuilder& builder, const std::string& name, nb::handle array, std::int32_t& value) {
  Elements<Element> elements;
  if (!nb::try_cast(array, elements, false)) return false;
  const std::vector<std::int64_t> shape(elements.shape_ptr(), elements.shape_ptr() + elements.ndim());
  if constexpr (std::is_same_v<Element, bool>) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(elements.data());
    value = builder.add_constant(name, shape, std::span(bytes, elements.size()));
  } else {
    value = builder.add_constant(name, shape, std::span<const Element>(elements.data(), elements.size()));
  }
  return true;
}

std::int32_t add_constant(NetworkBuilder& builder, const std::string& name, nb::handle array) {
  std::int32_t value = NetworkBuilder::kAbsent;
  if (add_if<float>(builder, name, array, value) || add_if<double>(builder, name, array, value) ||
      add_if<std::int64_t>(builder, name, array, value) || add_if<bool>(builder, name, array, value)) {
    return value;
  }
  throw nb::type_error(
      ("constant '" + name + "': a contiguous numpy array of float32, float64, int64 or bool is " + "expected")
          .c_str());
}

Model build(NetworkBuilder& builder, std::int32_t output, const nb::kwargs& keywords) {
  const Options options = to_options(keywords);
  std::optional<Model> model;
  run_interruptibly([&](const VerifyHooks& hooks) { model = builder.build(output, options, hooks); });
  return *model;
}

}  // namespace

void bind_network_builder(nb::module_& module) {
  static const std::string build_signature = "def build(self, output: int" + option_parameters() + ") -> Network";
  nb::class_<NetworkBuilder>(
      module, "NetworkBuilder",
      "Builds a Network out of BoundFlow's operators, which are ONNX's of opset 18 with their names, inputs and\n"
      "attributes. A node is checked when it is added. Values are numbers; -1 is an optional input that is absent.")
      .def(nb::init<std::string>(), "name"_a, "name: what messages and reports call the network.")
      .def("add_input", &NetworkBuilder::add_input, "name"_a, "dtype"_a, "shape"_a,
           "Add the input, of 'float32' or 'float64'. Returns the value.")
      .def("add_constant", &add_constant, "name"_a, "array"_a,
           nb::sig("def add_constant(self, name: str, array: NDArray) -> int"),
           "Add a constant: a contiguous array of float32, float64, int64 or bool, which is copied. Returns the value.")
      .def("add_node", &NetworkBuilder::add_node, "op"_a, "name"_a, "inputs"_a, "output_names"_a,
           "attributes"_a = std::map<std::string, NetworkBuilder::AttributeValue>(),
           nb::sig("def add_node(self, op: str, name: str, inputs: list[int], output_names: list[str], "
                   "attributes: dict[str, int | float | str | list[int] | list[float]] = {}) -> list[int]"),
           "Add a node; messages call it `name`. Returns its outputs.")
      .def(
          "type_of",
          [](const NetworkBuilder& builder, std::int32_t value) {
            const NetworkBuilder::ValueType type = builder.type_of(value);
            return nb::make_tuple(type.dtype, nb::tuple(nb::cast(type.shape)));
          },
          "value"_a, nb::sig("def type_of(self, value: int) -> tuple[str, tuple[int, ...]]"),
          "Element type and shape of a value.")
      .def("build", &build, "output"_a, "options"_a, nb::sig(build_signature.c_str()),
           "The network with that output. Nothing may be added afterwards.");
}

}  // namespace boundflow::python
