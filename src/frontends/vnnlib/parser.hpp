#pragma once
// VNN-LIB 1.0 text -> formula. Recursive descent with a limit on nesting.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "frontends/vnnlib/formula.hpp"

namespace boundflow::vnnlib {

struct ParsedFile {
  Formula formula;
  NodeId violation = 0;  // the conjunction of all assertions
  std::string file;
  std::size_t bytes = 0;                           // of the text
  std::vector<SourceLocation> input_declarations;  // of X_i
};

ParsedFile parse(std::string_view text, const std::string& file, std::int64_t inputs, std::int64_t outputs,
                 const Deadline& deadline);

}  // namespace boundflow::vnnlib
