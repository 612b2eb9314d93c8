#pragma once
// How the page looks: light and dark, on a screen and on paper.

#include <string_view>

namespace boundflow {

// CSS without characters that XML would take for markup.
std::string_view style_sheet();

}  // namespace boundflow
