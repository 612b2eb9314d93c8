// Broken ONNX models: each is refused with a message that names what is wrong, and none becomes a network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "base/random.hpp"
#include "support/onnx_model.hpp"

namespace boundflow {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct BrokenModel {
  std::string name;
  ExitCode code;
  std::string message;
  std::function<void(OnnxModel&)> damage;  // of gemm_relu_model
};

void PrintTo(const BrokenModel& model, std::ostream* out) {
  *out << model.name;
}

constexpr ExitCode kBad = ExitCode::BadInput;
constexpr ExitCode kUnsupported = ExitCode::Unsupported;

onnx::NodeProto* relu(OnnxModel& model) {
  return model.graph()->mutable_node(1);
}
onnx::TensorProto* weights(OnnxModel& model) {
  return model.graph()->mutable_initializer(0);
}
void reinput(OnnxModel& model, const std::vector<std::int64_t>& shape) {
  model.graph()->clear_input();
  model.input("x", shape);
}

const std::vector<BrokenModel> kBrokenModels{
    {"unknown_operator", kUnsupported, "node 'relu' (Frobnicate): the operator is not supported",
     [](OnnxModel& m) { relu(m)->set_op_type("Frobnicate"); }},
    {"unknown_attribute", kUnsupported, "node 'relu' (Relu): attribute 'slope' is not supported",
     [](OnnxModel& m) { OnnxModel::float_attribute(relu(m), "slope", 1); }},
    {"attribute_type", kBad, "node 'gemm' (Gemm): attribute 'alpha' must be a float",
     [](OnnxModel& m) { OnnxModel::int_attribute(m.graph()->mutable_node(0), "alpha", 1); }},
    {"attribute_twice", kBad, "node 'gemm' (Gemm): attribute 'alpha' is given twice",
     [](OnnxModel& m) {
       OnnxModel::float_attribute(m.graph()->mutable_node(0), "alpha", 1);
       OnnxModel::float_attribute(m.graph()->mutable_node(0), "alpha", 2);
     }},
    {"attribute_without_name", kBad, "node 'relu' (Relu): an attribute has no name",
     [](OnnxModel& m) { relu(m)->add_attribute(); }},
    {"attribute_of_strings", kUnsupported, "attribute 'names' has type number 8",
     [](OnnxModel& m) { OnnxModel::attribute(relu(m), "names", 8); }},
    {"subgraph", kUnsupported, "node 'relu' (Relu): attribute 'body' is a subgraph",
     [](OnnxModel& m) { OnnxModel::attribute(relu(m), "body", 5)->set_g("x"); }},
    {"function_reference", kUnsupported, "attribute 'slope' refers to a function's",
     [](OnnxModel& m) { OnnxModel::attribute(relu(m), "slope", 1)->set_ref_attr_name("s"); }},
    {"foreign_domain", kUnsupported, "node 'relu' (Relu): domain 'com.example' is not supported",
     [](OnnxModel& m) { relu(m)->set_domain("com.example"); }},
    {"function", kUnsupported, "node 'relu' (Relu): the model redefines the operator as a function",
     [](OnnxModel& m) { m.proto.add_functions()->set_name("Relu"); }},
    {"cycle", kBad, "depends on its own output: the graph has a cycle",
     [](OnnxModel& m) { m.graph()->mutable_node(0)->set_input(2, "y"); }},
    {"undefined_value", kBad, "node 'relu' (Relu) reads 'nowhere', which nothing defines",
     [](OnnxModel& m) { relu(m)->set_input(0, "nowhere"); }},
    {"undefined_output", kBad, "the graph's output list reads 'z', which nothing defines",
     [](OnnxModel& m) { m.graph()->mutable_output(0)->set_name("z"); }},
    {"value_defined_twice", kBad, "value 'h' is defined twice", [](OnnxModel& m) { relu(m)->set_output(0, "h"); }},
    {"initializer_twice", kBad, "value 'W' is defined twice", [](OnnxModel& m) { m.floats("W", {1}, {1}); }},
    {"node_writes_input", kBad, "value 'x' is defined twice", [](OnnxModel& m) { relu(m)->set_output(0, "x"); }},
    {"nan_weight", kBad, "constant 'W' (initializer): holds NaN or infinity",
     [](OnnxModel& m) { weights(m)->set_float_data(3, std::numeric_limits<float>::quiet_NaN()); }},
    {"infinite_weight", kBad, "constant 'W' (initializer): holds NaN or infinity",
     [](OnnxModel& m) { weights(m)->set_float_data(0, -std::numeric_limits<float>::infinity()); }},
    {"external_data", kBad, "constant 'W' (initializer): its external data has no location",
     [](OnnxModel& m) {
       weights(m)->clear_float_data();
       weights(m)->set_data_location(1);
     }},
    {"segments", kUnsupported, "a tensor in segments", [](OnnxModel& m) { weights(m)->set_segment("s"); }},
    {"float16", kUnsupported, "node 'W' (initializer): element type float16 is not supported",
     [](OnnxModel& m) { weights(m)->set_data_type(10); }},
    {"unknown_element_type", kUnsupported, "element type number 99 is not supported",
     [](OnnxModel& m) { weights(m)->set_data_type(99); }},
    {"too_few_elements", kBad, "constant 'W' (initializer): dimensions [2, 4] need 8 elements, found 6",
     [](OnnxModel& m) { weights(m)->set_dims(1, 4); }},
    {"raw_data_length", kBad, "dimensions [2, 3] need 24 bytes, found 5",
     [](OnnxModel& m) {
       weights(m)->clear_float_data();
       weights(m)->set_raw_data("12345");
     }},
    {"raw_and_listed", kBad, "has both raw data and listed elements",
     [](OnnxModel& m) { weights(m)->set_raw_data("1"); }},
    {"negative_dimension", kBad, "has a negative dimension", [](OnnxModel& m) { weights(m)->set_dims(0, -2); }},
    {"absurd_dimensions", kBad, "has too many elements",
     [](OnnxModel& m) { weights(m)->set_dims(0, std::int64_t{1} << 62); }},
    {"large_dimensions_without_data", kBad, "found 6",
     [](OnnxModel& m) { weights(m)->set_dims(0, std::int64_t{1} << 36); }},
    {"sparse_initializer", kUnsupported, "sparse data is not supported",
     [](OnnxModel& m) { m.graph()->add_sparse_initializer()->mutable_values()->set_name("s"); }},
    {"shapes_do_not_fit", kBad, "node 'gemm' (Gemm): A [1, 3] and B [2, 3] do not fit",
     [](OnnxModel& m) {
       reinput(m, {1, 3});
     }},
    {"too_few_inputs", kBad, "node 'gemm' (Gemm): 1 inputs, expected 2 to 3",
     [](OnnxModel& m) {
       m.graph()->mutable_node(0)->clear_input();
       m.graph()->mutable_node(0)->add_input("x");
     }},
    {"too_many_outputs", kUnsupported, "node 'relu' (Relu): 2 outputs are in use, 1 supported",
     [](OnnxModel& m) { relu(m)->add_output("extra"); }},
    {"symbolic_dimension", kUnsupported, "dimension 1 ('N') is symbolic; only the first one, the batch, may be",
     [](OnnxModel& m) {
       reinput(m, {1, -1});
     }},
    {"zero_dimension", kBad, "input 'x': dimension 0 is 0",
     [](OnnxModel& m) {
       reinput(m, {0, 2});
     }},
    {"absurd_input", kUnsupported, "too large: with it the network has 3.436e+10 elements",
     [](OnnxModel& m) {
       reinput(m, {1, std::int64_t{1} << 35});
     }},
    {"input_without_shape", kUnsupported, "its shape is not known",
     [](OnnxModel& m) { m.graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape(); }},
    {"input_without_type", kUnsupported, "only tensors are supported",
     [](OnnxModel& m) { m.graph()->mutable_input(0)->clear_type(); }},
    {"integer_input", kUnsupported, "node 'x' (graph input): an input of int64 is not supported",
     [](OnnxModel& m) { m.graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(7); }},
    {"two_inputs", kUnsupported, "the graph has 2 inputs ('x', 'z')", [](OnnxModel& m) { m.input("z", {1}); }},
    {"only_constants", kBad, "the graph has no input that is not an initializer",
     [](OnnxModel& m) {
       m.graph()->clear_input();
       m.floats("x", {1, 2}, {1, 2});
     }},
    {"two_outputs", kUnsupported, "the graph has 2 outputs ('y', 'h')",
     [](OnnxModel& m) {
       m.output("h", {1, 3});
     }},
    {"no_output", kBad, "the graph has no output", [](OnnxModel& m) { m.graph()->clear_output(); }},
    {"constant_output", kUnsupported, "the output does not depend on the input",
     [](OnnxModel& m) { m.graph()->mutable_output(0)->set_name("W"); }},
    {"declared_output_shape", kBad, "output 'y' is float32[1, 3], but declared as [1, 4]",
     [](OnnxModel& m) {
       m.graph()->clear_output();
       m.output("y", {1, 4});
     }},
    {"declared_output_rank", kBad, "but declared as [3]",
     [](OnnxModel& m) {
       m.graph()->clear_output();
       m.output("y", {3});
     }},
    {"declared_output_type", kBad, "declared with another element type",
     [](OnnxModel& m) {
       m.graph()->clear_output();
       m.output("y", {1, 3}, OnnxModel::kDouble);
     }},
    {"no_graph", kBad, "the ONNX model has no graph", [](OnnxModel& m) { m.proto.clear_graph(); }},
    {"no_ir_version", kBad, "no ir_version", [](OnnxModel& m) { m.proto.clear_ir_version(); }},
    {"old_ir_version", kUnsupported, "IR version 2 is not supported", [](OnnxModel& m) { m.proto.set_ir_version(2); }},
    {"no_opset", kBad, "imports no opset of the default domain", [](OnnxModel& m) { m.proto.clear_opset_import(); }},
    {"two_opsets", kBad, "imports two opsets", [](OnnxModel& m) { m.proto.add_opset_import()->set_version(14); }},
    {"old_opset", kUnsupported, "opset 5 is not supported",
     [](OnnxModel& m) { m.proto.mutable_opset_import(0)->set_version(5); }},
    {"future_opset", kUnsupported, "opset 99 is not supported",
     [](OnnxModel& m) { m.proto.mutable_opset_import(0)->set_version(99); }},
};

class OnnxError : public testing::TestWithParam<BrokenModel> {};

TEST_P(OnnxError, IsRefused) {
  OnnxModel model = gemm_relu_model();
  GetParam().damage(model);
  try {
    model.import();
    FAIL() << "imported";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), GetParam().code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
    if (error.code() == kBad) {
      EXPECT_THAT(error.what(), StartsWith("model.onnx: "));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, OnnxError, testing::ValuesIn(kBrokenModels),
                         [](const auto& info) { return info.param.name; });

// Import must end in a network or in one of the two errors of bad files, whatever the bytes.
void expect_handled(const std::string& bytes) {
  try {
    import_onnx(bytes, "model.onnx");
  } catch (const InputError&) {
  } catch (const UnsupportedError&) {
  }
}

TEST(OnnxErrorBytes, EmptyAndForeignFiles) {
  for (const std::string& bytes :
       {std::string(), std::string("\xff\xff\xff\xff"), std::string("(assert (<= X_0 1))\n"), std::string(1000, '\0'),
        std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")}) {
    EXPECT_THROW(import_onnx(bytes, "model.onnx"), InputError);
  }
}

TEST(OnnxErrorBytes, EveryTruncationIsRefused) {
  const std::string bytes = gemm_relu_model().bytes();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    SCOPED_TRACE(length);
    EXPECT_THROW(import_onnx(bytes.substr(0, length), "model.onnx"), InputError);
  }
}

TEST(OnnxErrorBytes, RandomDamageIsHandled) {
  const std::string bytes = gemm_relu_model().bytes();
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::string damaged = bytes;
    for (std::int64_t i = random.integer(1, 4); i > 0; --i) {
      damaged[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(bytes.size()) - 1))] =
          static_cast<char>(random.integer(-128, 127));
    }
    expect_handled(damaged);
  }
}

TEST(OnnxErrorBytes, MissingFileNamesIt) {
  try {
    read_onnx("/nowhere/net.onnx");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/net.onnx"));
  }
}

}  // namespace
}  // namespace boundflow
