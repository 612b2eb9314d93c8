#pragma once
// The options of the library as keyword arguments: name, type, default and help come from its one table.

#include <nanobind/nanobind.h>

#include <string>
#include "boundflow/options.hpp"

namespace boundflow::python {

// Of the keywords that are left over. TypeError for names that are no option, and values of another type.
Options to_options(const nanobind::kwargs& keywords);

// ", timeout: float = ..., memory: int | str = ..." for signatures.
std::string option_parameters();

// A line of help per option, for docstrings.
std::string option_help();

}  // namespace boundflow::python
