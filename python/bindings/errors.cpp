#include <string>
#include "boundflow/error.hpp"

#include "python/bindings/bindings.hpp"

namespace boundflow::python {

namespace nb = nanobind;

namespace {

// The classes of the module, borrowed from it: it stays for as long as the process.
struct ErrorClasses {
  PyObject* base = nullptr;
  PyObject* usage = nullptr;
  PyObject* input = nullptr;
  PyObject* unsupported = nullptr;
  PyObject* internal = nullptr;
  PyObject* stopped = nullptr;
};

PyObject* add_class(nb::module_& module, const char* name, const char* doc, nb::handle bases, ExitCode code) {
  const std::string full = std::string("boundflow.") + name;
  PyObject* made = PyErr_NewExceptionWithDoc(full.c_str(), doc, bases.ptr(), nullptr);
  if (made == nullptr) throw nb::python_error();
  const nb::object type = nb::steal(made);
  type.attr("code") = static_cast<int>(code);
  module.attr(name) = type;
  return made;
}

PyObject* class_of(const ErrorClasses& classes, ExitCode code) {
  switch (code) {
    case ExitCode::Usage:
      return classes.usage;
    case ExitCode::BadInput:
      return classes.input;
    case ExitCode::Unsupported:
      return classes.unsupported;
    default:
      return classes.internal;
  }
}

}  // namespace

void bind_errors(nb::module_& module) {
  static ErrorClasses classes;
  classes.base =
      add_class(module, "Error",
                "What BoundFlow raises. Its text says what is wrong, where, and what was expected; `code` is "
                "the exit code of the command.",
                nb::handle(PyExc_Exception), ExitCode::Internal);
  const nb::handle base(classes.base);
  const auto derived = [&](nb::handle standard) { return nb::make_tuple(base, standard); };
  classes.usage = add_class(module, "UsageError", "An argument is out of range, or arguments exclude each other.",
                            derived(PyExc_ValueError), ExitCode::Usage);
  classes.input =
      add_class(module, "InputError", "A file is missing or malformed, or an array does not fit the network.",
                derived(PyExc_ValueError), ExitCode::BadInput);
  classes.unsupported =
      add_class(module, "UnsupportedError", "The network or the property needs what BoundFlow does not have.",
                derived(PyExc_NotImplementedError), ExitCode::Unsupported);
  classes.internal = add_class(module, "InternalError", "A bug of BoundFlow: please report it.",
                               derived(PyExc_RuntimeError), ExitCode::Internal);
  classes.stopped = add_class(module, "StoppedError", "A time limit was reached before there was an answer.",
                              derived(PyExc_TimeoutError), ExitCode::Internal);
  nb::register_exception_translator([](const std::exception_ptr& thrown, void* /*unused*/) {
    try {
      std::rethrow_exception(thrown);
    } catch (const StoppedError& error) {
      PyErr_SetString(classes.stopped, error.what());
    } catch (const Error& error) {
      PyErr_SetString(class_of(classes, error.code()), error.what());
    }
  });
}

}  // namespace boundflow::python
