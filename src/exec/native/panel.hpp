#pragma once
// The layout that packing and multiplication share: columns in panels of one cache line per row of B, panel after
// panel, [panel][k][width]. One cache line is two AVX2 or one AVX-512 vector, so one layout serves every instruction
// set and a packed matrix stays valid whichever is dispatched.

#include <cstdint>

namespace boundflow::native {

inline constexpr std::int64_t kPanelBytes = 64;

template <class T>
inline constexpr std::int64_t kPanelWidth = kPanelBytes / static_cast<std::int64_t>(sizeof(T));

}  // namespace boundflow::native
