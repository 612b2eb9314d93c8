#pragma once
// SHA-256, of content that comes in pieces. Content with equal digests is taken for equal.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;

namespace boundflow {

using Digest = std::array<std::uint8_t, 32>;

std::string to_hex(const Digest& digest);  // 64 digits, lower case

class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  // Of everything so far; nothing may follow.
  Digest finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace boundflow
