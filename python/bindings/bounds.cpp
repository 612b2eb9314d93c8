#include <nanobind/stl/string.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "python/bindings/arrays.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/call.hpp"
#include "python/bindings/options.hpp"

namespace boundflow::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// inf, 2 and 1 as text or as numbers.
std::string norm_text(nb::handle norm) {
  if (nb::isinstance<nb::str>(norm)) return nb::cast<std::string>(norm);
  const auto number = nb::cast<double>(norm);
  if (std::isinf(number) && number > 0) return "inf";
  return number == 2 ? "2" : number == 1 ? "1" : nb::cast<std::string>(nb::str(norm));
}

// The arrays of a question, alive until it is answered.
struct Question {
  Array center;
  Array lower;
  Array upper;
  BoundsRequest request;

  Question(nb::handle given_center, nb::handle eps, nb::handle norm, nb::handle given_lower, nb::handle given_upper,
           nb::handle specification, const std::string& method)
      : center(given_center, "center"), lower(given_lower, "lower"), upper(given_upper, "upper") {
    if (given_center.is_none() != eps.is_none()) throw Error(ExitCode::Usage, "center and eps: one needs the other");
    request.center = center.numbers();
    request.lower = lower.numbers();
    request.upper = upper.numbers();
    if (!eps.is_none()) request.eps = nb::cast<double>(eps);
    request.norm = norm_text(norm);
    request.specification = Array(specification, "C").array();
    request.method = method;
  }
};

// The result as arrays; the numbers move, and are not copied.
class Bounds {
 public:
  explicit Bounds(BoundsResult result) : result_(std::move(result)) {
    const auto queries = static_cast<std::size_t>(result_.queries);
    const auto rows = static_cast<std::size_t>(result_.rows);
    const auto inputs = static_cast<std::size_t>(result_.inputs);
    const auto array = [&](std::vector<double>& numbers) { return to_numpy(std::move(numbers), {queries, rows}); };
    const auto form = [&](std::vector<double>& numbers) {
      return numbers.empty() ? nb::none() : to_numpy(std::move(numbers), {queries, rows, inputs});
    };
    const bool forms = !result_.lower_form.empty();
    lower = array(result_.lower);
    upper = array(result_.upper);
    lower_error = array(result_.lower_error);
    upper_error = array(result_.upper_error);
    lower_form = form(result_.lower_form);
    upper_form = form(result_.upper_form);
    lower_form_constant = forms ? array(result_.lower_form_constant) : nb::none();
    upper_form_constant = forms ? array(result_.upper_form_constant) : nb::none();
  }

  nb::object lower, upper, lower_error, upper_error;
  nb::object lower_form, upper_form, lower_form_constant, upper_form_constant;
  const BoundsResult& rest() const { return result_; }
  nb::dict statistics() const {
    auto all = nb::cast<nb::dict>(from_json(result_.json));
    for (const char* shown : {"lower", "upper", "lower_error", "upper_error"}) all.attr("pop")(shown, nb::none());
    return all;
  }

 private:
  BoundsResult result_;
};

// On this thread, if calls of the kind are short; else so that it can be interrupted.
BoundsResult answer(const Model& model, const BoundsRequest& request, const Options& options) {
  static CallTimes& times = *new CallTimes;  // lives as long as the process
  const std::string kind =
      request.method + " " + request.norm + " " + std::to_string(request.center.size() + request.lower.size());
  const auto begin = std::chrono::steady_clock::now();
  BoundsResult result;
  bool answered = false;
  if (times.are_short(&model.state(), kind)) {
    Options quick = options;
    quick.timeout = std::min(options.timeout, CallTimes::kPatience_s);
    const nb::gil_scoped_release without_gil;
    result = boundflow::bounds(model, request, quick);
    answered = result.reason != "timeout" || quick.timeout == options.timeout;
  }
  if (!answered) {
    run_interruptibly([&](const VerifyHooks& hooks) { result = boundflow::bounds(model, request, options, hooks); });
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  times.note(&model.state(), kind, elapsed.count());
  return result;
}

nb::object bounds(nb::handle network, nb::handle center, nb::handle eps, nb::handle norm, const std::string& method,
                  nb::handle specification, nb::handle lower, nb::handle upper, int steps,
                  const std::string& intermediate, bool linear_form, bool details, const nb::kwargs& keywords) {
  const Options options = to_options(keywords);
  Question question(center, eps, norm, lower, upper, specification, method);
  BoundsRequest& request = question.request;
  request.steps = steps;
  request.intermediate = intermediate;
  request.linear_form = linear_form;
  request.json = details;
  if (linear_form && !details) throw Error(ExitCode::Usage, "linear_form: give details=True, which has room for it");
  const Model model = to_model(network, options);
  BoundsResult result = answer(model, request, options);
  if (details) return nb::cast(Bounds(std::move(result)));
  const auto queries = static_cast<std::size_t>(result.queries);
  const auto rows = static_cast<std::size_t>(result.rows);
  return nb::make_tuple(to_numpy(std::move(result.lower), {queries, rows}),
                        to_numpy(std::move(result.upper), {queries, rows}));
}

nb::list layer_bounds(nb::handle network, nb::handle center, nb::handle eps, nb::handle norm, const std::string& method,
                      nb::handle lower, nb::handle upper, const std::string& intermediate, const nb::kwargs& keywords) {
  const Options options = to_options(keywords);
  Question question(center, eps, norm, lower, upper, nb::none(), method);
  question.request.intermediate = intermediate;
  const Model model = to_model(network, options);
  std::vector<LayerBounds> layers;
  run_interruptibly(
      [&](const VerifyHooks& hooks) { layers = boundflow::layer_bounds(model, question.request, options, hooks); });
  nb::list result;
  for (LayerBounds& layer : layers) {
    std::size_t size = 1;
    for (const std::int64_t extent : layer.shape) size *= static_cast<std::size_t>(extent);
    const std::size_t count = layer.lower.size() / size;
    result.append(nb::make_tuple(layer.name, to_numpy(std::move(layer.lower), {count, size}),
                                 to_numpy(std::move(layer.upper), {count, size})));
  }
  return result;
}

const char* const kBoundsDoc = R"(Bound the rows C y of a network's outputs y over input sets.

network: a Network, or the path of an ONNX file. B is the number of input sets.
center, eps: balls of radius eps around center [B, ...], in the units of the input.
norm: of the radius, inf (default), 2 or 1.
lower, upper: boxes [B, ...], instead of center and eps.
method: 'ibp' (intervals), 'crown-ibp' (linear bounds over intervals of the hidden neurons), 'crown' (linear bounds
    throughout) or 'alpha-crown' (with optimised slopes, `steps` of them: for boxes).
C: [S, outputs] for all input sets, or [B, S, outputs]; None: the outputs themselves.
intermediate: of 'crown', which hidden neurons get linear bounds: 'adaptive', or 'auto-lirpa' (as that library does).
details: return a Bounds with error terms and statistics; linear_form: with linear bounds in the input, too.

Arrays are anything that numpy or DLPack understands; float32 and float64 on the CPU in C order are not copied.
Returns (lower, upper), float64 [B, S], on whose memory torch.from_dlpack works as well. They are sound under
`semantics`; where a limit was reached first they are -inf and inf. Raises UsageError for arguments that exclude each
other, InputError for arrays that do not fit the network.

Options:
)";

}  // namespace

void bind_bounds(nb::module_& module) {
  nb::class_<Bounds>(
      module, "Bounds",
      "Bounds of the rows C y, per input set and row: float64 arrays, S rows. `lower` and `upper` contain the "
      "error terms.")
      .def_ro("lower", &Bounds::lower, "[B, S]; -inf where nothing is known.", nb::sig("def lower(self) -> NDArray"))
      .def_ro("upper", &Bounds::upper, "[B, S]; inf where nothing is known.", nb::sig("def upper(self) -> NDArray"))
      .def_ro("lower_error", &Bounds::lower_error,
              "[B, S]: what `lower` has less than the nominal bound, for rounding.",
              nb::sig("def lower_error(self) -> NDArray"))
      .def_ro("upper_error", &Bounds::upper_error, "[B, S]: what `upper` has more than the nominal bound.",
              nb::sig("def upper_error(self) -> NDArray"))
      .def_ro("lower_form", &Bounds::lower_form,
              "[B, S, inputs], on request: C y >= lower_form . x + lower_form_constant for all x of the input set.",
              nb::sig("def lower_form(self) -> NDArray | None"))
      .def_ro("lower_form_constant", &Bounds::lower_form_constant, "[B, S]",
              nb::sig("def lower_form_constant(self) -> NDArray | None"))
      .def_ro("upper_form", &Bounds::upper_form, "[B, S, inputs]: the same from above.",
              nb::sig("def upper_form(self) -> NDArray | None"))
      .def_ro("upper_form_constant", &Bounds::upper_form_constant, "[B, S]",
              nb::sig("def upper_form_constant(self) -> NDArray | None"))
      .def_prop_ro(
          "complete", [](const Bounds& bounds) { return bounds.rest().complete; },
          "How many input sets were bounded; nothing is known of the rest.")
      .def_prop_ro(
          "reason", [](const Bounds& bounds) { return bounds.rest().reason; },
          "Why that is not all of them: 'timeout' or 'memory'; else empty.")
      .def_prop_ro(
          "statistics", &Bounds::statistics,
          "Times in seconds, counts, and what was asked: the JSON report of the command (docs/architecture.md).");

  static const std::string sets =
      "network: Network | str | os.PathLike[str], *, center: ArrayLike | None = None, eps: float | None = None, "
      "norm: float | str = 'inf', method: str = 'crown', ";
  static const std::string boxes = "lower: ArrayLike | None = None, upper: ArrayLike | None = None, ";
  static const std::string options = option_parameters();
  static const std::string bounds_parameters = sets + "C: ArrayLike | None = None, " + boxes +
                                               "steps: int = 20, intermediate: str = 'adaptive', "
                                               "linear_form: bool = False, details: ";
  static const std::string signature = "@overload\ndef bounds(" + bounds_parameters + "Literal[False] = False" +
                                       options + ") -> tuple[NDArray, NDArray]: ...\n@overload\ndef bounds(" +
                                       bounds_parameters + "Literal[True]" + options + ") -> Bounds";
  static const std::string doc = kBoundsDoc + option_help();
  module.def("bounds", &bounds, "network"_a, nb::kw_only(), "center"_a = nb::none(), "eps"_a = nb::none(),
             "norm"_a = "inf", "method"_a = "crown", "C"_a = nb::none(), "lower"_a = nb::none(), "upper"_a = nb::none(),
             "steps"_a = 20, "intermediate"_a = "adaptive", "linear_form"_a = false, "details"_a = false, "options"_a,
             nb::sig(signature.c_str()), doc.c_str());

  static const std::string layer_signature = "def layer_bounds(" + sets + boxes + "intermediate: str = 'adaptive'" +
                                             options + ") -> list[tuple[str, NDArray, NDArray]]";
  static const std::string layer_doc =
      "Bounds of what each activation reads, as bounds() finds them on its way; arguments as there, without "
      "'alpha-crown'.\n\nReturns (name, lower, upper) per activation, the arrays float64 [B, elements].\n\nOptions:\n" +
      option_help();
  module.def("layer_bounds", &layer_bounds, "network"_a, nb::kw_only(), "center"_a = nb::none(), "eps"_a = nb::none(),
             "norm"_a = "inf", "method"_a = "crown", "lower"_a = nb::none(), "upper"_a = nb::none(),
             "intermediate"_a = "adaptive", "options"_a, nb::sig(layer_signature.c_str()), layer_doc.c_str());
}

}  // namespace boundflow::python
