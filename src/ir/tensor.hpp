#pragma once
// Constant tensors: row-major data with a dtype and a static shape.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace boundflow {

enum class DType { Float32, Float64, Int64, Bool };

std::string_view to_string(DType dtype);  // "float32", "float64", "int64", "bool"

using Shape = std::vector<std::int64_t>;

std::string to_string(const Shape& shape);  // "[1, 5]"

// A shape that no tensor has. Thrown where it is not known yet which node asks for it.
class ShapeError : public InputError {
 public:
  using InputError::InputError;
};

// Product of the dimensions, 1 for []. ShapeError if a dimension is negative or the product exceeds kMaxElements.
std::int64_t element_count(const Shape& shape);
// Row-major strides in elements.
std::vector<std::int64_t> row_major_strides(const Shape& shape);

struct TensorType {
  DType dtype = DType::Float32;
  Shape shape;
  bool operator==(const TensorType&) const = default;
};

std::string to_string(const TensorType& type);  // "float32[1, 5]"

// Copies share the elements, which never change. (Data itself is only moved: a copy that throws is undefined behaviour
// in libstdc++ 12, see Attribute in network.hpp.)
class Tensor {
 public:
  using Data = std::variant<std::vector<float>, std::vector<double>, std::vector<std::int64_t>, std::vector<bool>>;

  Tensor() : Tensor({0}, std::vector<float>()) {}
  // The data's alternative fixes the dtype. InternalError if its length is not the shape's element count.
  Tensor(Shape shape, Data data);

  DType dtype() const { return static_cast<DType>(data_->index()); }
  const Shape& shape() const { return shape_; }
  TensorType type() const { return {dtype(), shape_}; }
  std::int64_t size() const;
  const Data& data() const { return *data_; }
  // Element i as a double: exact for float32, float64 and bool, and for |int64| <= 2^53.
  double at(std::int64_t i) const;
  // False if a floating element is NaN or infinite.
  bool is_finite() const;
  // All elements as doubles.
  std::vector<double> to_doubles() const;
  // All elements of an int64 tensor. InternalError for other dtypes.
  const std::vector<std::int64_t>& int64s() const;
  // The same data under another shape of equal element count.
  Tensor reshaped(Shape shape) const;
  // The elements picked by row-major `source` indices, under `shape`. Exact for every dtype.
  Tensor gathered(Shape shape, const std::vector<std::int64_t>& source) const;

 private:
  Tensor(Shape shape, std::shared_ptr<const Data> data);

  Shape shape_;
  std::shared_ptr<const Data> data_;
};

// True for float32 and float64.
inline bool is_floating(DType dtype) {
  return dtype == DType::Float32 || dtype == DType::Float64;
}

}  // namespace boundflow
