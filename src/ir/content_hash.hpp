#pragma once
// Digests of networks' parts, field by field.

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "base/deadline.hpp"
#include "base/digest.hpp"
#include "ir/network.hpp"

namespace boundflow {

// Hashes fields one behind the other. Those of variable length begin with it, so that no two contents look alike.
class ContentHash {
 public:
  explicit ContentHash(const Deadline& deadline) : deadline_(deadline) {}

  void number(std::int64_t value) { bytes(std::as_bytes(std::span(&value, 1))); }
  void text(std::string_view value) {
    number(std::ssize(value));
    bytes(std::as_bytes(std::span(value)));
  }
  template <class T>
  void numbers(const std::vector<T>& values) {
    number(std::ssize(values));
    bytes(std::as_bytes(std::span(values)));
  }
  void numbers(const std::vector<bool>& values) { numbers(std::vector<std::uint8_t>(values.begin(), values.end())); }
  void type(const TensorType& type) {
    number(static_cast<std::int64_t>(type.dtype));
    numbers(type.shape);
  }
  void tensor(const Tensor& tensor) {
    type(tensor.type());
    std::visit([&](const auto& elements) { numbers(elements); }, tensor.data());
  }
  void attribute(const Attribute& attribute) {
    number(static_cast<std::int64_t>(attribute.index()));
    std::visit([&](const auto& value) { field(value); }, attribute);
  }
  Digest finish() { return hash_.finish(); }

 private:
  void field(std::int64_t value) { number(value); }
  void field(double value) { bytes(std::as_bytes(std::span(&value, 1))); }
  void field(const std::string& value) { text(value); }
  template <class T>
  void field(const std::vector<T>& values) {
    numbers(values);
  }
  void field(const Tensor& value) { tensor(value); }

  // In pieces of a few milliseconds.
  void bytes(std::span<const std::byte> all) {
    constexpr std::size_t kPiece = std::size_t{1} << 22;
    while (!all.empty()) {
      deadline_.check();
      const std::span<const std::byte> piece = all.first(std::min(kPiece, all.size()));
      hash_.update(piece);
      all = all.subspan(piece.size());
    }
  }

  const Deadline& deadline_;
  Sha256 hash_;
};

}  // namespace boundflow
