#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "python/bindings/arrays.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/call.hpp"
#include "python/bindings/options.hpp"

namespace boundflow::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// Numbers of its own, for as long as the property lives.
VerifyRequest property(nb::handle vnnlib, nb::handle text, nb::handle center, nb::handle eps, nb::handle lower,
                       nb::handle upper, nb::handle specification, nb::handle offset) {
  const auto own = [](nb::handle object, const char* name) { return Numbers(Array(object, name).numbers().copy()); };
  VerifyRequest request;
  if (!vnnlib.is_none()) request.property_path = to_path(vnnlib, "vnnlib");
  if (!text.is_none()) request.property_text = nb::cast<std::string>(text);
  if (center.is_none() != eps.is_none()) throw Error(ExitCode::Usage, "center and eps: one needs the other");
  request.center = own(center, "center");
  if (!eps.is_none()) request.eps = nb::cast<double>(eps);
  request.lower = own(lower, "lower");
  request.upper = own(upper, "upper");
  request.specification = Array(specification, "C").array();
  request.offset = own(offset, "offset");
  const int forms = int{!vnnlib.is_none()} + int{!text.is_none()} + int{!center.is_none()} +
                    int{!lower.is_none() || !upper.is_none()};
  if (forms != 1) {
    throw Error(ExitCode::Usage,
                "a property: expected one of a VNN-LIB file, its text, center and eps, or lower and upper");
  }
  if (!center.is_none() || !lower.is_none()) {
    if (specification.is_none()) throw Error(ExitCode::Usage, "a property over a box needs C");
  } else if (!specification.is_none() || !offset.is_none()) {
    throw Error(ExitCode::Usage, "C and offset: VNN-LIB has atoms of its own");
  }
  return request;
}

nb::object numbers_of(const std::vector<std::string>& decimals) {
  if (decimals.empty()) return nb::none();
  std::vector<double> numbers;
  for (const std::string& decimal : decimals) numbers.push_back(nb::cast<double>(nb::float_(nb::str(decimal.c_str()))));
  const std::size_t size = numbers.size();
  return to_numpy(std::move(numbers), {size});
}

VerifyResult verify(nb::handle network, nb::handle property_or_path, nb::handle progress, const nb::kwargs& keywords) {
  const Options options = to_options(keywords);
  VerifyRequest from_path;
  const VerifyRequest* request = nullptr;
  if (!nb::try_cast(property_or_path, request) || request == nullptr) {
    from_path.property_path = to_path(property_or_path, "property");
    request = &from_path;
  }
  const Model model = to_model(network, options);
  std::function<void(const Progress&)> report;
  if (!progress.is_none()) report = [&](const Progress& p) { progress(p); };
  VerifyResult result;
  run_interruptibly([&](const VerifyHooks& hooks) { result = boundflow::verify(model, *request, options, hooks); },
                    report);
  return result;
}

const char* const kVerifyDoc = R"(Decide a property of a network: is there an input in its region that violates it?

network: a Network, or the path of an ONNX file. property: a Property, or the path of a VNN-LIB 1.0 file.
progress: called about ten times a second with a Progress, on the calling thread. What it raises ends the search.
Ctrl-C does, too.

Returns a VerifyResult whose verdict is 'unsat' (proved: no input violates it), 'sat' (with a witness), 'unknown' or
'timeout'. 'unsat' is sound in floating point under `semantics`. Raises UsageError for options out of range, InputError
for missing or malformed files and arrays that do not fit, UnsupportedError for operators that BoundFlow does not have.

Options:
)";

}  // namespace

void bind_verify(nb::module_& module) {
  nb::class_<Progress>(module, "Progress", "How far a search has come.")
      .def_ro("elapsed_s", &Progress::elapsed_s, "Seconds since the call.")
      .def_ro("open", &Progress::open, "Subproblems that are not decided yet.")
      .def_ro("closed", &Progress::closed, "Subproblems that are proved.")
      .def_ro("worst_bound", &Progress::worst_bound,
              "The smallest lower bound over open subproblems; -inf where one has none yet, inf where none is open.")
      .def_ro("depth", &Progress::depth, "Splits above the deepest subproblem.")
      .def_ro("subproblems_per_s", &Progress::subproblems_per_s, "Bounded per second since the search began.")
      .def_ro("phase", &Progress::phase, "'boxes', 'refinement', 'roots' or 'halves'; empty at the end.")
      .def("__repr__", [](const Progress& p) {
        return "<boundflow.Progress " + std::to_string(p.elapsed_s) + " s, open " + std::to_string(p.open) +
               ", closed " + std::to_string(p.closed) + ", worst bound " + std::to_string(p.worst_bound) + ">";
      });

  nb::class_<VerifyRequest>(module, "Property", R"(What has to hold of a network, in one of three forms:

Property('p.vnnlib'): a VNN-LIB 1.0 file, which describes the violation; Property(text=...): its content.
Property(center=, eps=, C=, offset=None) or Property(lower=, upper=, C=, offset=None): C y + offset > 0 in every row,
for all x of the box, whose ends are exact. center, lower, upper: [inputs]; C: [S, outputs]; offset: [S].)")
      .def(
          "__init__",
          [](VerifyRequest* self, nb::handle vnnlib, nb::handle text, nb::handle center, nb::handle eps,
             nb::handle lower, nb::handle upper, nb::handle specification, nb::handle offset) {
            new (self) VerifyRequest(property(vnnlib, text, center, eps, lower, upper, specification, offset));
          },
          "vnnlib"_a = nb::none(), nb::kw_only(), "text"_a = nb::none(), "center"_a = nb::none(), "eps"_a = nb::none(),
          "lower"_a = nb::none(), "upper"_a = nb::none(), "C"_a = nb::none(), "offset"_a = nb::none(),
          nb::sig(
              "def __init__(self, vnnlib: str | os.PathLike[str] | None = None, *, text: str | None = None, center: "
              "ArrayLike | None = None, eps: float | None = None, lower: ArrayLike | None = None, upper: ArrayLike | "
              "None = None, C: ArrayLike | None = None, offset: ArrayLike | None = None) -> None"));

  nb::class_<VerifyResult>(module, "VerifyResult", "The answer of verify().")
      .def_ro("verdict", &VerifyResult::verdict, "'unsat' (proved), 'sat', 'unknown' or 'timeout'.")
      .def_ro("reason", &VerifyResult::reason, "Why it is unknown; else empty.")
      .def_ro("time_s", &VerifyResult::time_s, "Seconds.")
      .def_ro("progress", &VerifyResult::progress, "How far the search has come when it ended.")
      .def_prop_ro(
          "witness", [](const VerifyResult& result) { return numbers_of(result.counterexample.input); },
          nb::sig("def witness(self) -> NDArray | None"),
          "Of 'sat': the input, float64 [inputs], row-major; else None. `witness_decimals` is exact.")
      .def_prop_ro(
          "witness_output", [](const VerifyResult& result) { return numbers_of(result.counterexample.output); },
          nb::sig("def witness_output(self) -> NDArray | None"),
          "Of 'sat': the outputs of one float32 execution of that input, float64 [outputs]; else None.")
      .def_prop_ro(
          "witness_decimals", [](const VerifyResult& result) { return result.counterexample.input; },
          "Of 'sat': the input as exact decimals; else empty.")
      .def_prop_ro(
          "statistics", [](const VerifyResult& result) { return nb::cast<nb::dict>(from_json(result.json)); },
          "Times in seconds, counts, the search's tree and its bounds over time: the JSON report of the command "
          "(docs/architecture.md).")
      .def("__repr__", [](const VerifyResult& result) {
        return "<boundflow.VerifyResult " + result.verdict + (result.reason.empty() ? "" : " (" + result.reason + ")") +
               " after " + std::to_string(result.time_s) + " s>";
      });

  static const std::string signature =
      "def verify(network: Network | str | os.PathLike[str], property: Property | str | os.PathLike[str], *, progress: "
      "Callable[[Progress], object] | None = None" +
      option_parameters() + ") -> VerifyResult";
  static const std::string doc = kVerifyDoc + option_help();
  module.def("verify", &verify, "network"_a, "property"_a, nb::kw_only(), "progress"_a = nb::none(), "options"_a,
             nb::sig(signature.c_str()), doc.c_str());
}

}  // namespace boundflow::python
