#include "python/bindings/arrays.hpp"

#include <memory>
#include <string>
#include "boundflow/error.hpp"

namespace boundflow::python {

namespace nb = nanobind;

namespace {

// What has no float32 or float64 memory to share: lists, other element types, other orders, tensors with gradients.
nb::object by_numpy(nb::handle object, const char* name) {
  try {
    const nb::object plain =
        nb::hasattr(object, "detach") ? object.attr("detach")() : nb::borrow(object);  // torch's, from its graph
    const nb::object array = nb::module_::import_("numpy").attr("asarray")(plain);
    return array.attr("astype")("float64", nb::arg("order") = "C", nb::arg("casting") = "same_kind",
                                nb::arg("copy") = false);
  } catch (nb::python_error& error) {
    throw Error(ExitCode::BadInput,
                std::string(name) + ": an array of numbers is expected; numpy says: " + nb::str(error.value()).c_str());
  }
}

}  // namespace

Array::Array(nb::handle object, const char* name) {
  if (object.is_none()) return;
  const auto share = [&](nb::handle shared) {
    if (View<double> view; nb::try_cast(shared, view, false)) {
      view_ = std::move(view);
    } else if (View<float> floats; nb::try_cast(shared, floats, false)) {
      view_ = std::move(floats);
    }
    return view_.index() != 0;
  };
  if (share(object) || share(by_numpy(object, name))) return;
  throw Error(ExitCode::BadInput, std::string(name) + ": an array of numbers is expected");
}

Numbers Array::numbers() const {
  if (const auto* doubles = std::get_if<View<double>>(&view_)) {
    return Numbers::view(std::span<const double>(doubles->data(), doubles->size()));
  }
  if (const auto* floats = std::get_if<View<float>>(&view_)) {
    return Numbers::view(std::span<const float>(floats->data(), floats->size()));
  }
  return {};
}

NumericArray Array::array() const {
  NumericArray result{{}, numbers().copy()};
  std::visit(
      [&](const auto& view) {
        if constexpr (requires { view.ndim(); }) {
          for (std::size_t k = 0; k < view.ndim(); ++k) {
            result.shape.push_back(static_cast<std::int64_t>(view.shape(k)));
          }
        }
      },
      view_);
  return result;
}

nb::object to_numpy(std::vector<double>&& values, std::vector<std::size_t> shape) {
  auto kept = std::make_unique<std::vector<double>>(std::move(values));
  double* data = kept->data();
  const nb::capsule owner(kept.release(),
                          [](void* numbers) noexcept { delete static_cast<std::vector<double>*>(numbers); });
  return nb::cast(nb::ndarray<nb::numpy, double>(data, shape.size(), shape.data(), owner));
}

}  // namespace boundflow::python
