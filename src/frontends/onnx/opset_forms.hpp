#pragma once
// Operators changed over the opsets. Each opset's form is brought to one normal form here, so that ops/ knows only
// that.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/network.hpp"

namespace boundflow {

// A node on its way into the network: its values still have names. An empty name is an absent optional value.
struct OnnxNode {
  std::string op;
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  Attributes attributes;

  [[noreturn]] void malformed(const std::string& message) const;    // InputError
  [[noreturn]] void unsupported(const std::string& message) const;  // UnsupportedError
};

// What a form may ask of the graph around its node.
class GraphValues {
 public:
  virtual ~GraphValues() = default;
  // The constant of that name, or nullptr for a variable.
  virtual const Tensor* constant(const std::string& value) const = 0;
  virtual Shape shape(const std::string& value) const = 0;
  virtual DType dtype(const std::string& value) const = 0;
  // True if a node or the graph's output reads the value.
  virtual bool is_read(const std::string& value) const = 0;
  // A new constant; returns its name, which begins with `prefix`.
  virtual std::string add_constant(const std::string& prefix, Tensor tensor) = 0;
};

// The opsets of the default domain whose forms are known.
inline constexpr std::int64_t kMinOpset = 6;
inline constexpr std::int64_t kMaxOpset = 23;

// True for operators that `to_normal_form` rewrites, some of them into another one.
bool has_normal_form(std::string_view op);

// Rewrites a node of the given opset in place.
void to_normal_form(OnnxNode& node, std::int64_t opset, GraphValues& values);

}  // namespace boundflow
