// Loads and stores of whole and partial vectors, compiled once per instruction set: no plain include guard.
#if defined(BOUNDFLOW_EXEC_NATIVE_ACCESS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BOUNDFLOW_EXEC_NATIVE_ACCESS_INL
#undef BOUNDFLOW_EXEC_NATIVE_ACCESS_INL
#else
#define BOUNDFLOW_EXEC_NATIVE_ACCESS_INL
#endif

#include <cstddef>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace boundflow::native {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Whether masked loads and stores leave the other lanes' memory alone. Highway's emulation of them elsewhere touches
// whole vectors, which may lie beyond the end of an array.
#undef BOUNDFLOW_MASKED_ACCESS
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
#define BOUNDFLOW_MASKED_ACCESS 1
#else
#define BOUNDFLOW_MASKED_ACCESS 0
#endif

// The first `count` <= Lanes(d) elements at p, zeros behind them.
template <class D>
HWY_INLINE hn::Vec<D> load_first(D d, const hn::TFromD<D>* p, std::size_t count) {
#if BOUNDFLOW_MASKED_ACCESS
  return hn::MaskedLoad(hn::FirstN(d, count), d, p);
#else
  HWY_ALIGN hn::TFromD<D> lanes[hn::MaxLanes(D())] = {};
  for (std::size_t i = 0; i < count; ++i) lanes[i] = p[i];
  return hn::Load(d, lanes);
#endif
}

// The first `count` < Lanes(d) lanes to p.
template <class D>
HWY_INLINE void store_first(hn::Vec<D> v, D d, hn::TFromD<D>* p, std::size_t count) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  hn::BlendedStore(v, hn::FirstN(d, count), d, p);
#elif HWY_TARGET == HWY_SCALAR
  (void)v, (void)d, (void)p, (void)count;  // count is 0: a single lane has no proper part
#else
  // Halves of halves: AVX2's masked store is microcode on some processors, and the branches go the same way row by row.
  if constexpr (hn::MaxLanes(D()) > 1) {
    const hn::Half<D> half;
    const std::size_t lanes = hn::Lanes(half);
    if (count >= lanes) {
      hn::StoreU(hn::LowerHalf(half, v), half, p);
      if (count > lanes) store_first(hn::UpperHalf(half, v), half, p + lanes, count - lanes);
    } else if (count > 0) {
      store_first(hn::LowerHalf(half, v), half, p, count);
    }
  }
#endif
}

// A block of columns as the row kernels see it: load(d, p, skip) reads lanes [skip, skip + Lanes(d)) of the block that
// starts at p. Whole blocks lie inside the row, the last one may hold only `count` columns and reads as zeros beyond;
// parts that do not reach column `skip` need not be read at all.
struct Whole {
  HWY_INLINE bool reaches(std::size_t) const { return true; }

  template <class D>
  HWY_INLINE hn::Vec<D> load(D d, const hn::TFromD<D>* p, std::size_t skip) const {
    return hn::LoadU(d, p + skip);
  }
  template <class D>
  HWY_INLINE void store(hn::Vec<D> v, D d, hn::TFromD<D>* p) const {
    hn::StoreU(v, d, p);
  }
};

struct Partial {
  std::size_t count;

  HWY_INLINE bool reaches(std::size_t skip) const { return count > skip; }

  template <class D>
  HWY_INLINE hn::Vec<D> load(D d, const hn::TFromD<D>* p, std::size_t skip) const {
    constexpr std::size_t lanes = hn::MaxLanes(D());
    const std::size_t left = count > skip ? count - skip : 0;
    return load_first(d, p + skip, left < lanes ? left : lanes);
  }
  template <class D>
  HWY_INLINE void store(hn::Vec<D> v, D d, hn::TFromD<D>* p) const {
    store_first(v, d, p, count);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace boundflow::native
HWY_AFTER_NAMESPACE();

#endif
