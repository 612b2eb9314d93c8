// The module _boundflow: the public headers for Python. The package boundflow, which imports it, is what users see.

#include "python/bindings/bindings.hpp"

#include <nanobind/stl/string.h>

namespace boundflow::python {

namespace nb = nanobind;

std::string to_path(nb::handle path, const char* name) {
  if (nb::isinstance<nb::str>(path)) return nb::cast<std::string>(path);
  if (!nb::hasattr(path, "__fspath__")) {
    throw nb::type_error((std::string(name) + ": a path is expected, str or os.PathLike").c_str());
  }
  return nb::cast<std::string>(path.attr("__fspath__")());
}

nb::object from_json(const std::string& text) {
  return nb::module_::import_("json").attr("loads")(text);
}

}  // namespace boundflow::python

NB_MODULE(_boundflow, module) {
  using namespace boundflow::python;
  module.doc() = "BoundFlow's compiled part. Use the package boundflow.";
  module.attr("__version__") = boundflow::version();
  bind_errors(module);
  bind_network(module);
  bind_network_builder(module);
  bind_bounds(module);
  bind_verify(module);
}
