#pragma once
// SHA-256, of content that comes in pieces. Content with equal digests is taken for equal.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

struct sha256_ctx;  // nettle's

namespace boundflow {

using Digest = std::array<std::uint8_t, 32>;

std::string to_hex(const Digest& digest);  // 64 digits, lower case

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::span<const std::byte> bytes);
  // Of everything so far; nothing may follow.
  Digest finish();

 private:
  std::unique_ptr<sha256_ctx> context_;
};

}  // namespace boundflow
