#pragma once
// The parts of the module, one file each, and what they share.

#include <nanobind/nanobind.h>

#include <string>
#include "boundflow/boundflow.hpp"

namespace boundflow::python {

void bind_errors(nanobind::module_& module);
void bind_network(nanobind::module_& module);
void bind_network_builder(nanobind::module_& module);
void bind_bounds(nanobind::module_& module);
void bind_verify(nanobind::module_& module);

// A Network as it is; a path (str or os.PathLike) is loaded.
Model to_model(nanobind::handle network, const Options& options);

// The path of a str or os.PathLike. TypeError that names the argument for anything else.
std::string to_path(nanobind::handle path, const char* name);

// A JSON text as dictionaries, lists and numbers.
nanobind::object from_json(const std::string& text);

}  // namespace boundflow::python
