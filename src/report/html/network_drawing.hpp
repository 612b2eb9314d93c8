#pragma once
// The network of a page as a graph of its nodes.

#include "report/html/markup.hpp"
#include "report/html/page.hpp"

namespace boundflow {

void draw_network(Markup& page, const PageNetwork& network);

}  // namespace boundflow
