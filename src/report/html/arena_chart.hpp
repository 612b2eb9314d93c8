#pragma once
// An arena over time: ops from left to right, bytes from the bottom up, a rectangle per buffer from its first op to its
// last.

#include "report/html/markup.hpp"
#include "report/html/page.hpp"

namespace boundflow {

void draw_arena(Markup& page, const PageArena& arena, const std::vector<PageTask>& tasks);

}  // namespace boundflow
