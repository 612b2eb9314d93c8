#pragma once
// Mutations that know more than bytes do.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.hpp"

namespace boundflow {

// Changes one thing of an ONNX model: a node, an edge, an attribute, a shape, a tensor, a version. Empty if the bytes
// are no model or nothing was there to change.
std::optional<std::string> mutate_model(std::string_view bytes, Random& random);

// Fresh choices for a generator, at most `max_size`.
std::string fresh_choices(std::size_t max_size, Random& random);

}  // namespace boundflow
