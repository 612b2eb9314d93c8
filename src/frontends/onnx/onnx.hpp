#pragma once
// ONNX models -> Network. What comes out is the model's inference graph and nothing else: initialisers and Constant
// nodes are constants, nodes that read constants only are folded where that is exact, nodes that do not reach the
// output are dropped, a symbolic first dimension is 1. Anything whose meaning is not certain is refused by node and
// operator.

#include <string>
#include <string_view>

#include "base/deadline.hpp"
#include "ops/operator.hpp"

namespace boundflow {

// InputError (which names `file_name`) for malformed models, UnsupportedError for well-formed ones that need more than
// BoundFlow, or the table of operators, has, StoppedError when the deadline passes on the way.
Network import_onnx(std::string_view bytes, const std::string& file_name, const Deadline& deadline = Deadline(),
                    const OperatorTable& table = operator_table());

// The same from a file, which may be gzipped; data of its tensors may lie in other files of its folder.
Network read_onnx(const std::string& path, const Deadline& deadline = Deadline(),
                  const OperatorTable& table = operator_table());

}  // namespace boundflow
