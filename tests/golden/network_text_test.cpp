// The text form of imported networks: the golden networks read back bit for bit, before and after the passes.
#include <gtest/gtest.h>

#include <filesystem>

#include "frontends/onnx/onnx.hpp"
#include "passes/passes.hpp"
#include "support/network_identity.hpp"
#include "support/shared_data.hpp"

namespace boundflow {
namespace {

TEST(NetworkText, IdentityOnTheSmallNetworks) {
  const auto shared = shared_data();
  if (!shared || !std::filesystem::is_directory(*shared / "golden" / "small")) GTEST_SKIP() << "no shared golden data";
  int networks = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*shared / "golden" / "small")) {
    if (entry.path().extension() != ".onnx") continue;
    SCOPED_TRACE(entry.path().string());
    const Network network = read_onnx(entry.path().string());
    expect_identity(network);
    expect_identity(run_passes(network, operator_table()));
    ++networks;
  }
  EXPECT_GT(networks, 0);
}

}  // namespace
}  // namespace boundflow
