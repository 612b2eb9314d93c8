// Every network of the shared instances either imports, evaluates as onnxruntime does and lowers, or is refused by node
// and operator.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <optional>

#include "frontends/onnx/onnx.hpp"
#include "io/npz.hpp"
#include "ops/operator.hpp"
#include "support/onnxruntime.hpp"
#include "support/shared_data.hpp"
#include "support/temp_folder.hpp"

namespace boundflow {
namespace {

namespace fs = std::filesystem;

bool is_model(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.ends_with(".onnx") || name.ends_with(".onnx.gz");
}

std::vector<fs::path> models(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && is_model(entry.path())) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> all_models(const fs::path& shared) {
  std::vector<fs::path> all = models(shared / "instances");
  for (const fs::path& path : models(shared / "golden" / "small")) all.push_back(path);
  return all;
}

// Imports and lowers every output of every node; empty where that is refused, by name.
std::optional<Network> imported(const fs::path& path) {
  try {
    Network network = read_onnx(path.string());
    for (const Node& node : network.nodes()) {
      for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        operator_table().at(node).lower(NodeView(network, node, i));
      }
    }
    return network;
  } catch (const UnsupportedError& error) {
    EXPECT_FALSE(error.node().empty());
    EXPECT_FALSE(error.op().empty());
    std::cout << "refused " << path.filename().string() << ": " << error.what() << "\n";
    return std::nullopt;
  }
}

TEST(ImportOracle, EveryModelImportsOrIsRefusedByName) {
  const auto shared = shared_data();
  if (!shared) GTEST_SKIP() << "no shared instances";
  const std::vector<fs::path> all = all_models(*shared);
  ASSERT_FALSE(all.empty());
  for (const fs::path& path : all) {
    SCOPED_TRACE(path.string());
    imported(path);
  }
}

TEST(ImportOracle, AffineCategoriesImport) {
  const auto shared = shared_data();
  if (!shared) GTEST_SKIP() << "no shared instances";
  std::vector<fs::path> required;
  for (const char* category :
       {"acasxu", "cersyve", "cifar10_resnet", "collins_rul", "cora", "marabou_cifar10", "metaroom", "mnist_fc",
        "oval21", "rl", "safenlp", "sat_relu", "sri_resnet_a", "tllverify"}) {
    for (const fs::path& path : models(*shared / "instances" / category)) required.push_back(path);
  }
  for (const char* name : {"mlp_relu", "mlp_relu_deep", "subtract", "concat", "cnn_avgpool", "cnn_batchnorm",
                           "cnn_group_dilate", "cnn_stride_pad", "convtranspose", "permute_hwc", "residual"}) {
    required.push_back(*shared / "golden" / "small" / (std::string(name) + ".onnx"));
  }
  for (const fs::path& path : required) {
    SCOPED_TRACE(path.string());
    EXPECT_TRUE(imported(path));
  }
}

// Answers for all models into OUT0.npz, OUT1.npz, ... Empty, or why there are none.
std::string ask_for_outputs(const std::vector<fs::path>& all, const TempFolder& folder) {
  std::vector<std::string> arguments;
  for (std::size_t i = 0; i < all.size(); ++i) {
    arguments.push_back(folder.path(std::to_string(i) + ".npz"));
    arguments.push_back(all[i].string());
  }
  return ask_onnxruntime(arguments);
}

using Arrays = std::map<std::string, Array>;

void compare_outputs(const Network& network, const Arrays& oracle) {
  const TensorType& type = network.value(network.input()).type;
  const auto inputs = static_cast<std::size_t>(element_count(type.shape));
  const Array &x = oracle.at("x"), &y = oracle.at("y");
  ASSERT_EQ(x.values.size() % inputs, 0U);
  const std::size_t points = x.values.size() / inputs, outputs = y.values.size() / points;
  for (std::size_t k = 0; k < points; ++k) {
    const auto begin = x.values.begin() + static_cast<std::ptrdiff_t>(k * inputs);
    const auto end = begin + static_cast<std::ptrdiff_t>(inputs);
    const Tensor input = type.dtype == DType::Float32 ? Tensor(type.shape, std::vector<float>(begin, end))
                                                      : Tensor(type.shape, std::vector<double>(begin, end));
    const Tensor own = evaluate_network(network, input)[static_cast<std::size_t>(network.output())];
    ASSERT_EQ(static_cast<std::size_t>(own.size()), outputs);
    // Sums in another order: a few hundred roundings of float32 relative to the largest output.
    double largest = 0;
    for (std::size_t j = 0; j < outputs; ++j) largest = std::max(largest, std::fabs(y.values[k * outputs + j]));
    for (std::size_t j = 0; j < outputs; ++j) {
      EXPECT_NEAR(own.at(static_cast<std::int64_t>(j)), y.values[k * outputs + j], 2e-5 * largest + 1e-6)
          << "output " << j << " at point " << k;
    }
  }
}

// Shapes of the values that both sides name; how many these are.
std::size_t compare_shapes(const Network& network, const Arrays& oracle) {
  std::map<std::string, Shape> shapes;
  std::size_t next = 0;
  for (std::size_t i = 0; i < oracle.at("names").texts.size(); ++i) {
    Shape& shape = shapes[oracle.at("names").texts[i]];
    for (auto rank = static_cast<std::int64_t>(oracle.at("ranks").values[i]); rank > 0; --rank) {
      shape.push_back(static_cast<std::int64_t>(oracle.at("dims").values.at(next++)));
    }
  }
  std::size_t compared = 0;
  for (const Value& value : network.values()) {
    const auto found = shapes.find(value.name);
    if (found == shapes.end()) continue;
    EXPECT_EQ(value.type.shape, found->second) << value.name;
    ++compared;
  }
  return compared;
}

TEST(ImportOracle, OutputsAndShapesAgreeWithOnnxruntime) {
  const auto shared = shared_data();
  if (!shared) GTEST_SKIP() << "no shared instances";
  const std::vector<fs::path> all = all_models(*shared);
  const TempFolder folder;
  if (const std::string reason = ask_for_outputs(all, folder); !reason.empty()) GTEST_SKIP() << reason;
  std::size_t compared = 0, refused = 0, shapes = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(all[i].string());
    const std::optional<Network> network = imported(all[i]);
    if (!network) {
      ++refused;
      continue;
    }
    const Arrays oracle = read_npz(folder.path(std::to_string(i) + ".npz"));
    if (const auto error = oracle.find("error"); error != oracle.end()) {
      ADD_FAILURE() << "no reference: " << error->second.texts.at(0);
      continue;
    }
    compare_outputs(*network, oracle);
    shapes += compare_shapes(*network, oracle);
    ++compared;
  }
  std::cout << compared << " networks compared, with " << shapes << " shapes; " << refused << " refused\n";
  EXPECT_GT(compared, 0U);
  EXPECT_GT(shapes, 2 * compared);
}

}  // namespace
}  // namespace boundflow
