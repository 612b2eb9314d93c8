#pragma once
// The one source of randomness: SplitMix64 (Steele, Lea, Flood 2014), seeded from --seed. The standard library's
// distributions differ between implementations; these do not. Instead of a seed it may be given the choices themselves,
// as bytes: a fuzzer steers a generator by them, and fewer or smaller bytes make what it generates simpler.

#include <cstdint>
#include <span>

namespace boundflow {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // Draws from `choices`, which must outlive it, no more bytes each time than the draw needs; zeros behind their end.
  explicit Random(std::span<const std::uint8_t> choices) : choices_(choices), given_(true) {}

  std::uint64_t next() { return draw(8); }
  // Uniform in [0, 1). Given choices have 32 bits.
  double uniform() {
    return given_ ? static_cast<double>(draw(4)) * 0x1p-32 : static_cast<double>(draw(8) >> 11) * 0x1p-53;
  }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // Uniform in {low, ..., high}.
  std::int64_t integer(std::int64_t low, std::int64_t high) {
    const std::uint64_t count = static_cast<std::uint64_t>(high - low) + 1;
    return low + static_cast<std::int64_t>(draw(count <= 0x100 ? 1 : count <= 0x10000 ? 2 : 8) % count);
  }
  bool coin() { return (draw(1) & 1) != 0; }

 private:
  // At least `bytes` random bytes, in the low end.
  std::uint64_t draw(int bytes) {
    if (given_) {
      std::uint64_t drawn = 0;
      for (int i = 0; i < bytes && !choices_.empty(); ++i, choices_ = choices_.subspan(1)) {
        drawn |= std::uint64_t{choices_.front()} << (8 * i);
      }
      return drawn;
    }
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  std::uint64_t state_ = 0;
  std::span<const std::uint8_t> choices_;
  bool given_ = false;
};

}  // namespace boundflow
