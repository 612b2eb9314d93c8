#include "fuzz/mutators.hpp"

#include <array>
#include <limits>

#include "onnx_schema.pb.h"
#include "ops/operator.hpp"

namespace boundflow {

namespace {

class ModelMutator {
 public:
  ModelMutator(onnx::GraphProto& graph, Random& random) : graph_(graph), random_(random) {}

  bool mutate() {
    switch (random_.integer(0, 6)) {
      case 0:
        return change_list(*graph_.mutable_node());
      case 1:
        return rename_operator();
      case 2:
      case 3:
        return move_edge();
      case 4:
        return change_attribute();
      case 5:
        return change_tensor();
      default:
        return change_type();
    }
  }

 private:
  template <class List>
  auto& some(List& list) {
    return *list.Mutable(static_cast<int>(random_.integer(0, list.size() - 1)));
  }

  // Sizes, axes and counts on which rules turn, and extremes.
  std::int64_t integer() {
    constexpr std::array<std::int64_t, 14> kValues{0,
                                                   1,
                                                   -1,
                                                   2,
                                                   3,
                                                   -2,
                                                   4,
                                                   7,
                                                   255,
                                                   -255,
                                                   std::numeric_limits<std::int32_t>::max(),
                                                   std::int64_t{1} << 40,
                                                   std::numeric_limits<std::int64_t>::max(),
                                                   std::numeric_limits<std::int64_t>::min()};
    return kValues[static_cast<std::size_t>(random_.integer(0, kValues.size() - 1))];
  }
  float number() {
    constexpr std::array<float, 10> kValues{0,
                                            -0.0F,
                                            1,
                                            -1,
                                            0.5F,
                                            3e38F,
                                            -3e38F,
                                            1e-40F,
                                            std::numeric_limits<float>::infinity(),
                                            std::numeric_limits<float>::quiet_NaN()};
    return kValues[static_cast<std::size_t>(random_.integer(0, kValues.size() - 1))];
  }

  // Drops, repeats or swaps.
  template <class List>
  bool change_list(List& list) {
    if (list.empty()) return false;
    const int at = static_cast<int>(random_.integer(0, list.size() - 1));
    switch (random_.integer(0, 2)) {
      case 0:
        list.DeleteSubrange(at, 1);
        break;
      case 1: {
        const auto copy = list.Get(at);
        *list.Add() = copy;
        break;
      }
      default:
        list.SwapElements(at, static_cast<int>(random_.integer(0, list.size() - 1)));
    }
    return true;
  }

  template <class List>
  bool change_integers(List& list) {
    if (list.empty() || random_.integer(0, 3) == 0) {
      list.Add(integer());
    } else if (random_.integer(0, 3) == 0) {
      list.RemoveLast();
    } else {
      list.Set(static_cast<int>(random_.integer(0, list.size() - 1)), integer());
    }
    return true;
  }

  bool rename_operator() {
    if (graph_.node().empty()) return false;
    const auto all = operator_table().all();
    some(*graph_.mutable_node())
        .set_op_type(std::string(
            all[static_cast<std::size_t>(random_.integer(0, static_cast<std::int64_t>(all.size()) - 1))].name));
    return true;
  }

  std::string some_value() {
    std::vector<std::string> names{""};
    for (const auto& node : graph_.node()) names.insert(names.end(), node.output().begin(), node.output().end());
    for (const auto& tensor : graph_.initializer()) names.push_back(tensor.name());
    for (const auto& input : graph_.input()) names.push_back(input.name());
    return names[static_cast<std::size_t>(random_.integer(0, static_cast<std::int64_t>(names.size()) - 1))];
  }

  bool move_edge() {
    if (graph_.node().empty()) return false;
    onnx::NodeProto& node = some(*graph_.mutable_node());
    auto& list = random_.integer(0, 4) == 0 ? *node.mutable_output() : *node.mutable_input();
    if (list.empty() || random_.integer(0, 4) == 0) {
      *list.Add() = some_value();
    } else if (random_.integer(0, 4) == 0) {
      return change_list(list);
    } else {
      some(list) = some_value();
    }
    return true;
  }

  bool change_attribute() {
    if (graph_.node().empty()) return false;
    auto& list = *some(*graph_.mutable_node()).mutable_attribute();
    if (list.empty()) {
      // One that some operator has.
      const auto all = operator_table().all();
      const auto& names =
          all[static_cast<std::size_t>(random_.integer(0, static_cast<std::int64_t>(all.size()) - 1))].attributes;
      if (names.empty()) return false;
      onnx::AttributeProto& added = *list.Add();
      added.set_name(std::string(names.front()));
      added.set_i(integer());
      added.set_type(2);
      return true;
    }
    onnx::AttributeProto& attribute = some(list);
    if (attribute.has_i()) {
      attribute.set_i(integer());
    } else if (attribute.has_f()) {
      attribute.set_f(number());
    } else if (attribute.has_t()) {
      return change_data(*attribute.mutable_t());
    } else if (attribute.ints_size() > 0) {
      return change_integers(*attribute.mutable_ints());
    } else {
      return change_list(list);
    }
    return true;
  }

  bool change_tensor() { return !graph_.initializer().empty() && change_data(some(*graph_.mutable_initializer())); }

  bool change_data(onnx::TensorProto& tensor) {
    const auto place = [&](const auto& list) { return static_cast<int>(random_.integer(0, list.size() - 1)); };
    switch (random_.integer(0, 2)) {
      case 0:
        return change_integers(*tensor.mutable_dims());
      case 1:
        tensor.set_data_type(static_cast<std::int32_t>(random_.integer(0, 12)));
        return true;
      default:
        break;
    }
    if (tensor.int64_data_size() > 0) return change_integers(*tensor.mutable_int64_data());
    if (tensor.float_data_size() > 0) {
      tensor.set_float_data(place(tensor.float_data()), number());
      return true;
    }
    return false;
  }

  bool change_type() {
    auto& list = random_.coin() ? *graph_.mutable_input() : *graph_.mutable_output();
    if (list.empty()) return false;
    auto& type = *some(list).mutable_type()->mutable_tensor_type();
    auto& dims = *type.mutable_shape()->mutable_dim();
    switch (random_.integer(0, 2)) {
      case 0:
        type.set_elem_type(static_cast<std::int32_t>(random_.integer(0, 12)));
        return true;
      case 1:
        if (!dims.empty()) {
          some(dims).set_dim_value(integer());
          return true;
        }
        [[fallthrough]];
      default:
        return change_list(dims);
    }
  }

  onnx::GraphProto& graph_;
  Random& random_;
};

}  // namespace

std::optional<std::string> mutate_model(std::string_view bytes, Random& random) {
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph()) return std::nullopt;
  if (random.integer(0, 15) == 0 && model.opset_import_size() > 0) {
    model.mutable_opset_import(0)->set_version(random.integer(5, 24));
  } else if (!ModelMutator(*model.mutable_graph(), random).mutate()) {
    return std::nullopt;
  }
  return model.SerializePartialAsString();
}

std::string fresh_choices(std::size_t max_size, Random& random) {
  std::string bytes(static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(max_size))), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.integer(0, 255));
  return bytes;
}

}  // namespace boundflow
