#pragma once
// Sanitizers slow a search down by about this factor: time limits of tests that need an answer are stretched by it.

namespace boundflow {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr double kSanitizedTime = 10;
#else
inline constexpr double kSanitizedTime = 1;
#endif

}  // namespace boundflow
