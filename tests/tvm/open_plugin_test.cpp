// Which libraries are taken for the plugin.
#include "exec/tvm/open_plugin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/with_tvm.hpp"

namespace boundflow::generated {
namespace {

std::string refusal(const std::string& library) {
  try {
    open_plugin_library(library);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(OpenPlugin, RefusesOtherVersionsOfBoundFlow) {
  const std::string versions =
      "interface " + std::to_string(kInterfaceVersion + 40) + ", not " + std::to_string(kInterfaceVersion);
  EXPECT_THAT(refusal(BOUNDFLOW_PLUGIN_OF_ANOTHER_INTERFACE),
              testing::AllOf(testing::HasSubstr("another version of BoundFlow"), testing::HasSubstr(versions)));
  EXPECT_THAT(refusal(BOUNDFLOW_PLUGIN_OF_NO_VERSION),
              testing::HasSubstr("is not BoundFlow's, or of an older version"));
}

TEST(OpenPlugin, SaysHowToGetWhatIsNotThere) {
  EXPECT_THAT(refusal("libboundflow_no_such_plugin.so"), testing::HasSubstr("scripts/setup.sh --tvm"));
}

TEST(OpenPlugin, TakesItsOwn) {
  BOUNDFLOW_SKIP_WITHOUT_TVM();
  EXPECT_EQ(&open_plugin(), &open_plugin());
  EXPECT_FALSE(open_plugin().versions().empty());
}

}  // namespace
}  // namespace boundflow::generated
