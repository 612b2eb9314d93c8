#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "python/bindings/arrays.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/call.hpp"
#include "python/bindings/options.hpp"

namespace boundflow::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

Model load_path(const std::string& path, const Options& options) {
  std::optional<Model> model;
  run_interruptibly([&](const VerifyHooks& hooks) { model = Model::load(path, options, hooks); });
  return *model;
}

Model load(nb::handle source, const nb::kwargs& keywords) {
  const Options options = to_options(keywords);
  if (!nb::isinstance<nb::bytes>(source)) return load_path(to_path(source, "source"), options);
  const nb::bytes content = nb::borrow<nb::bytes>(source);
  std::optional<Model> model;
  run_interruptibly([&](const VerifyHooks& hooks) {
    model = Model::parse(std::string_view(content.c_str(), content.size()), "<bytes>", options, hooks);
  });
  return *model;
}

nb::object evaluate(const Model& model, nb::handle points, const nb::kwargs& keywords) {
  const Options options = to_options(keywords);
  const Array given(points, "points");
  std::vector<double> outputs;
  run_interruptibly([&](const VerifyHooks& hooks) { outputs = model.evaluate(given.numbers(), options, hooks); });
  const auto size = static_cast<std::size_t>(model.output().size);
  const std::size_t count = outputs.size() / size;
  return to_numpy(std::move(outputs), {count, size});
}

nb::tuple gradient(const Model& model, nb::handle points, nb::handle cotangents, const nb::kwargs& keywords) {
  const Options options = to_options(keywords);
  const Array given(points, "points");
  const Array weights(cotangents, "cotangents");
  GradientResult result;
  run_interruptibly(
      [&](const VerifyHooks& hooks) { result = model.gradient(given.numbers(), weights.numbers(), options, hooks); });
  const auto inputs = static_cast<std::size_t>(model.input().size);
  const auto outputs = static_cast<std::size_t>(model.output().size);
  const std::size_t count = result.gradients.size() / inputs;
  return nb::make_tuple(to_numpy(std::move(result.outputs), {count, outputs}),
                        to_numpy(std::move(result.gradients), {count, inputs}));
}

nb::dict plan(const Model& model, const nb::kwargs& keywords) {
  const Options options = to_options(keywords);
  CompileResult result;
  run_interruptibly([&](const VerifyHooks& hooks) { result = compile(model, "plan", options, hooks); });
  return nb::cast<nb::dict>(from_json(result.json));
}

std::string describe(const TensorInfo& info) {
  std::string shape;
  for (const std::int64_t extent : info.shape) shape += (shape.empty() ? "" : ", ") + std::to_string(extent);
  return info.name + " " + info.dtype + "[" + shape + "]";
}

}  // namespace

Model to_model(nb::handle network, const Options& options) {
  if (const Model* model = nullptr; nb::try_cast(network, model) && model != nullptr) return *model;
  return load_path(to_path(network, "network"), options);
}

void bind_network(nb::module_& module) {
  nb::class_<TensorInfo>(module, "TensorInfo", "The input or the output of a network.")
      .def_ro("name", &TensorInfo::name, "As the file has it.")
      .def_ro("dtype", &TensorInfo::dtype, "'float32' or 'float64'.")
      .def_prop_ro(
          "shape", [](const TensorInfo& info) { return nb::tuple(nb::cast(info.shape)); },
          nb::sig("def shape(self) -> tuple[int, ...]"), "Extents; a symbolic batch has become 1.")
      .def_ro("size", &TensorInfo::size, "The number of elements.")
      .def("__repr__", &describe);

  static const std::string options = option_parameters();
  static const std::string evaluate_signature = "def evaluate(self, points: ArrayLike, *" + options + ") -> NDArray";
  static const std::string gradient_signature =
      "def gradient(self, points: ArrayLike, cotangents: ArrayLike, *" + options + ") -> tuple[NDArray, NDArray]";
  static const std::string plan_signature = "def plan(self, *" + options + ") -> dict[str, Any]";
  nb::class_<Model>(
      module, "Network",
      "A network in memory, with one input and one output. It never changes, any number of threads may ask "
      "it at the\nsame time, and what is compiled for a question is kept for the next ones.")
      .def_prop_ro("name", &Model::name, "The path that it was loaded from, '<bytes>' or '<torch>'.")
      .def_prop_ro("input", &Model::input, "Name, element type and shape of its input.")
      .def_prop_ro("output", &Model::output, "Name, element type and shape of its output.")
      .def_prop_ro("parameters", &Model::parameters, "How many floating-point numbers its constants have.")
      .def("inspect", &Model::inspect,
           "What `boundflow inspect` prints: input, output, counts, which operators have which bounds, and all nodes.")
      .def("text", &Model::text, nb::kw_only(), "normal"_a = false,
           "One line per value or node; of the normal form that is compiled, or of the network as it was read.")
      .def("structural_hash", &Model::structural_hash,
           "64 hexadecimal digits of the normal form's operators, attributes, topology, shapes and element types. "
           "Names, the\n"
           "order of nodes and weights do not count: the same for one architecture, from whichever exporter.")
      .def("content_hash", &Model::content_hash, "The same with the weights, bit for bit.")
      .def("evaluate", &evaluate, "points"_a, "options"_a, nb::sig(evaluate_signature.c_str()),
           "Run the network as it was read, operator by operator, in the element type of its input.\n\n"
           "points: [B, ...], a multiple of the network's number of inputs; rounded to the element type first.\n"
           "Returns the outputs, float64 [B, outputs]. Raises InputError where the number of elements does not fit.")
      .def("gradient", &gradient, "points"_a, "cotangents"_a, "options"_a, nb::sig(gradient_signature.c_str()),
           "Outputs at points, and gradients of cotangents . outputs there: compiled, float32, not rigorous. For "
           "attacks.\n\n"
           "points: [B, ...]; cotangents: [B, outputs]. Returns outputs [B, outputs] and gradients [B, inputs], "
           "float64.")
      .def("plan", &plan, "options"_a, nb::sig(plan_signature.c_str()),
           "What bounds by CROWN are compiled to: tasks with their ops, and where their buffers lie in memory, in "
           "bytes per\n"
           "subproblem and per row (docs/architecture.md lists the keys).")
      .def("__repr__", [](const Model& model) {
        return "<boundflow.Network " + model.name() + ": " + describe(model.input()) + " -> " +
               describe(model.output()) + ", " + std::to_string(model.parameters()) + " parameters>";
      });

  static const std::string load_signature =
      "def load(source: str | os.PathLike[str] | bytes, *" + options + ") -> Network";
  static const std::string load_doc =
      "Read an ONNX network.\n\n"
      "source: a path (.onnx, .onnx.gz), or the content of a file as bytes.\n"
      "Raises InputError for what is missing or malformed, UnsupportedError for operators that BoundFlow does not "
      "have,\n"
      "StoppedError at a time limit.\n\nOptions:\n" +
      option_help();
  module.def("load", &load, "source"_a, "options"_a, nb::sig(load_signature.c_str()), load_doc.c_str());
}

}  // namespace boundflow::python
