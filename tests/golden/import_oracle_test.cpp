// Every network of the shared instances either imports, evaluates and lowers, or is refused by node and operator.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "frontends/onnx/onnx.hpp"
#include "ops/operator.hpp"
#include "support/shared_data.hpp"

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

TEST(ImportOracle, EveryModelImportsOrIsRefusedByName) {
  const auto shared = shared_data();
  if (!shared) GTEST_SKIP() << "no shared instances";
  std::vector<fs::path> all = models(*shared / "instances");
  for (const fs::path& path : models(*shared / "golden" / "small")) all.push_back(path);
  ASSERT_FALSE(all.empty());
  for (const fs::path& path : all) {
    SCOPED_TRACE(path.string());
    try {
      const Network network = read_onnx(path.string());
      for (const Node& node : network.nodes()) operator_table().at(node).lower(NodeView(network, node));
    } catch (const UnsupportedError& error) {
      EXPECT_FALSE(error.node().empty());
      EXPECT_FALSE(error.op().empty());
      std::cout << "refused " << path.filename().string() << ": " << error.what() << "\n";
    }
  }
}

TEST(ImportOracle, FullyConnectedCategoriesImport) {
  const auto shared = shared_data();
  if (!shared) GTEST_SKIP() << "no shared instances";
  std::vector<fs::path> required;
  for (const char* category : {"acasxu", "cersyve", "rl", "tllverify", "safenlp", "cora", "sat_relu", "mnist_fc"}) {
    for (const fs::path& path : models(*shared / "instances" / category)) required.push_back(path);
  }
  for (const char* name : {"mlp_relu", "mlp_relu_deep", "subtract", "concat"}) {
    required.push_back(*shared / "golden" / "small" / (std::string(name) + ".onnx"));
  }
  for (const fs::path& path : required) {
    SCOPED_TRACE(path.string());
    const Network network = read_onnx(path.string());
    const TensorType& type = network.value(network.input()).type;
    const Tensor x(type.shape, std::vector<float>(static_cast<std::size_t>(element_count(type.shape)), 0.25F));
    EXPECT_TRUE(evaluate_network(network, x)[static_cast<std::size_t>(network.output())].is_finite());
  }
}

}  // namespace
}  // namespace boundflow
