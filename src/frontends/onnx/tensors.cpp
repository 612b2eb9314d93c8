#include "frontends/onnx/tensors.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <string_view>

namespace boundflow {

namespace {

static_assert(std::endian::native == std::endian::little, "raw tensor data is little endian");

// The names of the element types, in the order of their numbers in the format.
constexpr std::array<std::string_view, 24> kElementTypes{
    "undefined", "float32",      "uint8",          "int8",       "uint16",         "int16",  "int32",     "int64",
    "string",    "bool",         "float16",        "float64",    "uint32",         "uint64", "complex64", "complex128",
    "bfloat16",  "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4",  "int4",      "float4e2m1"};

constexpr int kFloat = 1;
constexpr int kInt64 = 7;
constexpr int kBool = 9;
constexpr int kDouble = 11;

class TensorReader {
 public:
  TensorReader(const onnx::TensorProto& proto, const std::string& owner, const std::string& op,
               const ExternalData& external)
      : proto_(proto), owner_(owner), op_(op), external_(external) {}

  Tensor read() {
    if (proto_.has_segment()) throw UnsupportedError(owner_, op_, "a tensor in segments is not supported");
    const DType dtype = import_dtype(proto_.data_type(), owner_, op_);
    shape_.assign(proto_.dims().begin(), proto_.dims().end());
    try {
      count_ = element_count(shape_);
    } catch (const InputError& error) {
      malformed(error.what());
    }
    Tensor tensor = read_as(dtype);
    if (!tensor.is_finite()) malformed("holds NaN or infinity; finite constants are expected");
    return tensor;
  }

 private:
  [[noreturn]] void malformed(const std::string& what) const {
    throw InputError(fmt::format("constant '{}' ({}): {}", owner_, op_, what));
  }

  Tensor read_as(DType dtype) const {
    switch (dtype) {
      case DType::Float32:
        return Tensor(shape_, read_elements<float>(proto_.float_data()));
      case DType::Float64:
        return Tensor(shape_, read_elements<double>(proto_.double_data()));
      case DType::Int64:
        return Tensor(shape_, read_elements<std::int64_t>(proto_.int64_data()));
      case DType::Bool:
        return Tensor(shape_, read_bools());
    }
    throw InternalError("unknown dtype");
  }

  void check_length(std::size_t found, std::size_t element_size, std::string_view unit) const {
    const std::size_t expected = static_cast<std::size_t>(count_) * element_size;
    if (found != expected) {
      malformed(fmt::format("dimensions {} need {} {}, found {}", to_string(shape_), expected, unit, found));
    }
  }

  bool is_raw() const { return proto_.has_raw_data() || is_external(proto_); }

  // The tensor's bytes: the model's own, or those that `from_file` now holds.
  std::string_view raw(std::size_t element_size, int listed, std::string& from_file) const {
    if (listed > 0) malformed("has both raw data and listed elements");
    if (!is_external(proto_)) {
      check_length(proto_.raw_data().size(), element_size, "bytes");
      return proto_.raw_data();
    }
    if (proto_.has_raw_data()) malformed("has both raw and external data");
    try {
      from_file = external_.read(proto_, static_cast<std::size_t>(count_) * element_size);
    } catch (const InputError& error) {
      malformed(error.what());
    }
    return from_file;
  }

  template <class T, class List>
  std::vector<T> read_elements(const List& list) const {
    if (!is_raw()) {
      check_length(static_cast<std::size_t>(list.size()), 1, "elements");
      return std::vector<T>(list.begin(), list.end());
    }
    std::string from_file;
    const std::string_view bytes = raw(sizeof(T), list.size(), from_file);
    std::vector<T> elements(static_cast<std::size_t>(count_));
    if (!bytes.empty()) std::memcpy(elements.data(), bytes.data(), bytes.size());
    return elements;
  }

  std::vector<bool> read_bools() const {
    std::vector<bool> elements;
    if (is_raw()) {
      std::string from_file;
      for (const char byte : raw(1, proto_.int32_data_size(), from_file)) elements.push_back(byte != 0);
    } else {
      check_length(static_cast<std::size_t>(proto_.int32_data_size()), 1, "elements");
      for (const std::int32_t value : proto_.int32_data()) elements.push_back(value != 0);
    }
    return elements;
  }

  const onnx::TensorProto& proto_;
  const std::string& owner_;
  const std::string& op_;
  const ExternalData& external_;
  Shape shape_;
  std::int64_t count_ = 0;
};

}  // namespace

DType import_dtype(int element_type, const std::string& owner, const std::string& op) {
  switch (element_type) {
    case kFloat:
      return DType::Float32;
    case kDouble:
      return DType::Float64;
    case kInt64:
      return DType::Int64;
    case kBool:
      return DType::Bool;
    default:
      break;
  }
  const bool known = element_type >= 0 && static_cast<std::size_t>(element_type) < kElementTypes.size();
  throw UnsupportedError(owner, op,
                         fmt::format("element type {} is not supported (float32, float64, int64 and bool are)",
                                     known ? std::string(kElementTypes[static_cast<std::size_t>(element_type)])
                                           : fmt::format("number {}", element_type)));
}

Tensor import_tensor(const onnx::TensorProto& proto, const std::string& owner, const std::string& op,
                     const ExternalData& external) {
  return TensorReader(proto, owner, op, external).read();
}

}  // namespace boundflow
