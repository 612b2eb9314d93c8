// Every VNN-LIB file of the shared benchmark instances parses, and into something plausible.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "frontends/vnnlib/vnnlib.hpp"
#include "io/gzip.hpp"
#include "support/shared_data.hpp"

namespace boundflow {
namespace {

std::int64_t count_occurrences(const std::string& text, const std::string& what) {
  std::int64_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

std::vector<std::filesystem::path> vnnlib_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".vnnlib") || name.ends_with(".vnnlib.gz")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class VnnlibInstances : public testing::Test {
 protected:
  void SetUp() override {
    const auto shared = shared_data();
    if (!shared || !std::filesystem::is_directory(*shared / "instances")) {
      GTEST_SKIP() << "no shared instances; set BOUNDFLOW_SHARED to their folder";
    }
    instances_ = *shared / "instances";
  }

  Property read(const std::string& relative, std::int64_t inputs, std::int64_t outputs) const {
    return read_vnnlib((instances_ / relative).string(), inputs, outputs);
  }

  std::filesystem::path instances_;
};

TEST_F(VnnlibInstances, AllParseIntoNonEmptyRegions) {
  const std::vector<std::filesystem::path> files = vnnlib_files(instances_);
  ASSERT_FALSE(files.empty());
  for (const std::filesystem::path& path : files) {
    SCOPED_TRACE(path.string());
    const std::string text = read_file(path.string());
    const std::int64_t inputs = count_occurrences(text, "(declare-const X_");
    const std::int64_t outputs = count_occurrences(text, "(declare-const Y_");
    const Property property = parse_vnnlib(text, path.string(), inputs, outputs);
    ASSERT_FALSE(property.regions.empty());
    for (const Region& region : property.regions) {
      ASSERT_EQ(region.box.lower.size(), static_cast<std::size_t>(inputs));
      ASSERT_EQ(region.box.upper.size(), static_cast<std::size_t>(inputs));
      const InputBox box = outward_box(region.box);
      for (std::size_t i = 0; i < box.lower.size(); ++i) {
        ASSERT_LE(region.box.lower[i], region.box.upper[i]);
        ASSERT_LE(box.lower[i], box.upper[i]);
      }
      ASSERT_FALSE(region.clauses.empty());
      for (const Clause& clause : region.clauses) {
        ASSERT_FALSE(clause.atoms.empty() && clause.choices.empty());
        for (const Atom& atom : clause.atoms) ASSERT_FALSE(atom.outputs.empty());
      }
    }
  }
}

TEST_F(VnnlibInstances, KnownFilesHaveTheirKnownStructure) {
  // Two boxes, and four ways to violate in each of them.
  const Property disjoint = read("acasxu/vnnlib/prop_6.vnnlib", 5, 5);
  ASSERT_EQ(disjoint.regions.size(), 2u);
  EXPECT_EQ(disjoint.regions[0].clauses.size(), 4u);
  EXPECT_EQ(disjoint.regions[1].clauses.size(), 4u);
  EXPECT_EQ(disjoint.regions[1].box.upper[1], parse_decimal("-0.11140846").value());

  const Property conjunction = read("cersyve/vnnlib/prop_lane_keep.vnnlib", 4, 2);
  ASSERT_EQ(conjunction.regions.size(), 1u);
  ASSERT_EQ(conjunction.regions[0].clauses.size(), 1u);
  EXPECT_EQ(conjunction.regions[0].clauses[0].atoms.size(), 2u);
}

}  // namespace
}  // namespace boundflow
