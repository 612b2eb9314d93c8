#include "ir/tensor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/limits.hpp"

namespace boundflow {

namespace {

std::size_t length(const Tensor::Data& data) {
  return std::visit([](const auto& elements) { return elements.size(); }, data);
}

}  // namespace

std::string_view to_string(DType dtype) {
  switch (dtype) {
    case DType::Float32:
      return "float32";
    case DType::Float64:
      return "float64";
    case DType::Int64:
      return "int64";
    case DType::Bool:
      return "bool";
  }
  throw InternalError("unknown dtype");
}

std::string to_string(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::int64_t element_count(const Shape& shape) {
  // Zero dimensions count as one against the limit: strides are products of the others.
  std::int64_t limited = 1;
  bool empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) throw ShapeError("shape " + to_string(shape) + " has a negative dimension");
    empty = empty || dimension == 0;
    const std::int64_t factor = std::max<std::int64_t>(dimension, 1);
    if (factor > kMaxElements / limited) throw ShapeError("shape " + to_string(shape) + " has too many elements");
    limited *= factor;
  }
  return empty ? 0 : limited;
}

std::vector<std::int64_t> row_major_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

std::string to_string(const TensorType& type) {
  return std::string(to_string(type.dtype)) + to_string(type.shape);
}

Tensor::Tensor(Shape shape, Data data) : Tensor(std::move(shape), std::make_shared<const Data>(std::move(data))) {}

Tensor::Tensor(Shape shape, std::shared_ptr<const Data> data) : shape_(std::move(shape)), data_(std::move(data)) {
  ensure(static_cast<std::size_t>(element_count(shape_)) == length(*data_), "tensor: data does not fill the shape");
}

std::int64_t Tensor::size() const {
  return static_cast<std::int64_t>(length(*data_));
}

double Tensor::at(std::int64_t i) const {
  ensure(i >= 0 && i < size(), "tensor: element out of range");
  return std::visit([i](const auto& elements) { return static_cast<double>(elements[static_cast<std::size_t>(i)]); },
                    *data_);
}

bool Tensor::is_finite() const {
  return std::visit(
      [](const auto& elements) {
        if constexpr (std::is_floating_point_v<typename std::decay_t<decltype(elements)>::value_type>) {
          return std::all_of(elements.begin(), elements.end(), [](auto x) { return std::isfinite(x); });
        } else {
          return true;
        }
      },
      *data_);
}

std::vector<double> Tensor::to_doubles() const {
  return std::visit([](const auto& elements) { return std::vector<double>(elements.begin(), elements.end()); }, *data_);
}

const std::vector<std::int64_t>& Tensor::int64s() const {
  const auto* elements = std::get_if<std::vector<std::int64_t>>(data_.get());
  ensure(elements != nullptr, "tensor: int64 data expected");
  return *elements;
}

Tensor Tensor::reshaped(Shape shape) const {
  return Tensor(std::move(shape), data_);
}

Tensor Tensor::gathered(Shape shape, const std::vector<std::int64_t>& source) const {
  const std::int64_t available = size();
  for (const std::int64_t i : source) ensure(i >= 0 && i < available, "tensor: gather out of range");
  return std::visit(
      [&](const auto& elements) {
        std::decay_t<decltype(elements)> picked;
        picked.reserve(source.size());
        for (const std::int64_t i : source) picked.push_back(elements[static_cast<std::size_t>(i)]);
        return Tensor(std::move(shape), std::move(picked));
      },
      *data_);
}

}  // namespace boundflow
