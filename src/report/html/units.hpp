#pragma once
// Numbers as people read them, with their units.

#include <cstdint>
#include <string>

namespace boundflow {

std::string count_text(std::int64_t count);  // 1 234 567, with narrow spaces
std::string bytes_text(std::int64_t bytes);  // 640 B, 1.50 KiB, 12.3 MiB
std::string seconds_text(double seconds);    // 4.20 µs, 13.7 ms, 2.51 s
std::string share_text(double share);        // 12.5 %
std::string number_text(double value);       // six digits; −∞ and ∞
std::string coordinate(double pixels);       // for SVG: two digits behind the point, at most

}  // namespace boundflow
