// Golden tests of the passes: each file of tests/golden/passes is a network in text form, a line `=== after PASS`, and
// the text that the pass must make of it. A new case is a new file; lines that start with `#` say what it is about.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ir/network_parser.hpp"
#include "passes/passes.hpp"

namespace boundflow {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string before;
  std::string pass;
  std::string after;
};

Case read_case(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream whole;
  whole << file.rdbuf();
  const std::string text = whole.str(), marker = "\n=== after ";
  const std::size_t at = text.find(marker), name = at + marker.size(), end = text.find('\n', name);
  if (at == std::string::npos || end == std::string::npos) {
    throw InputError(SourceLocation{path.string()}, "expected a line '=== after PASS' between two networks");
  }
  return {text.substr(0, at + 1), text.substr(name, end - name), text.substr(end + 1)};
}

const Pass& find_pass(const std::string& name) {
  const auto found =
      std::find_if(pass_table().begin(), pass_table().end(), [&](const Pass& pass) { return pass.name == name; });
  if (found == pass_table().end()) throw InputError("there is no pass '" + name + "'");
  return *found;
}

// The types that the text claims are those of the operators' rules.
void expect_types(const Network& network) {
  for (const Node& node : network.nodes()) {
    std::vector<TensorType> types;
    for (const ValueId id : node.outputs) types.push_back(network.value(id).type);
    EXPECT_EQ(infer_node(network, operator_table(), node), types) << print(network, node);
  }
}

// The first line in which two texts differ; empty if they are equal.
std::string first_difference(const std::string& expected, const std::string& found) {
  std::istringstream left(expected), right(found);
  for (int line = 1;; ++line) {
    std::string a, b;
    const bool more_left = static_cast<bool>(std::getline(left, a)),
               more_right = static_cast<bool>(std::getline(right, b));
    if (!more_left && !more_right) return expected == found ? "" : "the line ends differ";
    if (more_left == more_right && a == b) continue;
    return "line " + std::to_string(line) + "\n  expected: " + (more_left ? a : "(no line)") +
           "\n  found:    " + (more_right ? b : "(no line)");
  }
}

TEST(PassesGolden, EveryFile) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(BOUNDFLOW_SOURCE_DIR) / "tests/golden/passes")) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty());
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.string());
    try {
      const Case golden = read_case(file);
      const Network before = parse_network(golden.before, file.string());
      expect_types(before);
      RewriteBudget budget;
      const Network after = find_pass(golden.pass).run(before, operator_table(), budget);
      verify_network(after);
      const std::string found = print(after, kAllElements), difference = first_difference(golden.after, found);
      if (!difference.empty()) {
        ADD_FAILURE() << "after " << golden.pass << ", " << difference << "\n--- expected\n"
                      << golden.after << "--- found\n"
                      << found;
      }
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

}  // namespace
}  // namespace boundflow
