#pragma once
// A program of a page: its tasks as a graph, its storage, its times, and its ops.

#include <string>

#include "report/html/markup.hpp"
#include "report/html/page.hpp"

namespace boundflow {

// `id`: begins the ids of what can be linked to; unique within the page.
void write_program(Markup& page, const PageProgram& program, const std::string& id);

}  // namespace boundflow
