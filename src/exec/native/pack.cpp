#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "exec/native/kernels.hpp"
#include "exec/native/panel.hpp"

namespace boundflow::native {

// Packing costs one pass over the weights at compile time, so it is plain code for every instruction set. The padding
// of the last panel is zero: the micro kernel computes those columns and never stores them.
template <class T>
PackedMatrix<T>::PackedMatrix(std::span<const double> weights, std::int64_t k, std::int64_t n, bool transposed,
                              bool absolute)
    : k_(k), n_(n) {
  assert(k >= 0 && n >= 0 && std::ssize(weights) >= k * n);
  constexpr std::int64_t width = kPanelWidth<T>;
  constexpr std::int64_t alignment = kPanelBytes / static_cast<std::int64_t>(sizeof(T));
  const std::int64_t panel_count = (n + width - 1) / width;
  data_.assign(static_cast<std::size_t>(panel_count * k * width + alignment - 1), T(0));
  const auto misalignment = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(data_.data()) % kPanelBytes);
  offset_ = misalignment == 0 ? 0 : (kPanelBytes - misalignment) / static_cast<std::int64_t>(sizeof(T));

  const auto convert = [absolute](double w) { return static_cast<T>(absolute ? std::abs(w) : w); };
  T* out = data_.data() + offset_;
  for (std::int64_t panel = 0; panel < panel_count; ++panel, out += k * width) {
    const std::int64_t first = panel * width;
    const std::int64_t columns = std::min(width, n - first);
    if (transposed) {
      for (std::int64_t j = 0; j < columns; ++j) {
        const double* row = weights.data() + (first + j) * k;
        for (std::int64_t p = 0; p < k; ++p) out[p * width + j] = convert(row[p]);
      }
    } else {
      for (std::int64_t p = 0; p < k; ++p) {
        const double* row = weights.data() + p * n + first;
        for (std::int64_t j = 0; j < columns; ++j) out[p * width + j] = convert(row[j]);
      }
    }
  }
}

template class PackedMatrix<float>;
template class PackedMatrix<double>;

}  // namespace boundflow::native
