#include "base/digest.hpp"

#include <openssl/evp.h>

#include <new>

#include "base/error.hpp"

namespace boundflow {

std::string to_hex(const Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_) throw std::bad_alloc();
  ensure(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "libcrypto has no SHA-256");
}

void Sha256::update(std::span<const std::byte> bytes) {
  ensure(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "libcrypto could not update a digest");
}

Digest Sha256::finish() {
  Digest digest;
  ensure(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1, "libcrypto could not finish a digest");
  context_.reset();
  return digest;
}

}  // namespace boundflow
