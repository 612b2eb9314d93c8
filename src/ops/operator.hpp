#pragma once
// Operator: all that BoundFlow knows about one operator, in one file of ops/ each. The table of ops/table.cpp lists
// them; nothing outside ops/ compares operator names.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "ir/facet.hpp"
#include "ir/network.hpp"
#include "ops/spelling.hpp"

namespace boundflow {

// What a node takes beyond the elements of its operands and results.
struct Cost {
  double products = 0;  // and comparisons, in one evaluation
  double stored = 0;    // numbers that its facet writes out: weights that are repeated or spread, terms of windows
};

struct Operator {
  std::string_view name;
  int min_inputs = 1;
  int max_inputs = 1;  // -1: any number
  // Only moves data: never computes a new number.
  bool layout_only = false;
  // Each element of its output is one function of the elements of its inputs that broadcasting aligns with it:
  // permuting the axes of all inputs permutes those of the output.
  bool pointwise = false;
  // Joins its inputs along the axis that its attribute `axis` names.
  bool concatenates = false;
  // The operator of nodes that a pass has merged a scale or a shift into; empty: none are.
  std::string_view merged_form = {};
  // Only passes make its nodes: files do not have them.
  bool internal = false;
  // What it computes never rounds, so that a node of constants always folds to what `evaluate` gives.
  bool exact = false;
  // Reads only the shapes of its inputs, which are static: it folds although the inputs are variables, and `fold_node`
  // hands `evaluate` none of them.
  bool reads_shapes_only = false;
  // Attributes that the operator reads; an attribute that is not listed is refused by name at import, so that none is
  // ignored silently.
  std::vector<std::string_view> attributes = {};

  // Output types from input types, constants and attributes. InputError / UnsupportedError that name the node.
  std::vector<TensorType> (*infer)(const NodeView& node) = nullptr;

  // For operators that may take far more than the elements of their operands and results; else nullptr. Asked before
  // anything is allocated for the node, on types that `infer` has accepted.
  Cost (*cost)(const NodeView& node) = nullptr;

  // Reference evaluation on full tensors, one per input (nullptr where absent), in the dtype of the inputs with
  // ascending order of terms: one of the executions that the deployed semantics admits.
  std::vector<Tensor> (*evaluate)(const NodeView& node, std::span<const Tensor* const> inputs) = nullptr;

  // The outputs of a node of constants only, if every execution in the dtype of the inputs gives exactly these, in any
  // summation order; empty where rounding may occur. nullptr: never folded, unless layout_only or exact (there
  // `evaluate` is the answer).
  std::optional<std::vector<Tensor>> (*fold)(const NodeView& node, std::span<const Tensor* const> inputs) = nullptr;

  // The facet of output `node.output_index()` of a node with at least one non-constant input. UnsupportedError if this
  // use of the operator has none.
  Facet (*lower)(const NodeView& node) = nullptr;

  // For operators that can say one thing in several ways, or say what another operator says: the way that stands in the
  // normal form, for each output one node with one output. Values and admitted executions are the node's; spelling it
  // again changes nothing. Only asked of nodes that `infer` has accepted and that read a variable.
  std::vector<Spelling> (*spell)(const NodeView& node) = nullptr;

  // A random small network around one node of this operator, for the generated tests: variables, constants, shapes and
  // attributes vary with the seed. Its input is one float32 tensor, its output the node's. nullptr for operators of
  // constants only, which no network keeps.
  Network (*sample)(Random& random) = nullptr;
};

class OperatorTable {
 public:
  explicit OperatorTable(std::vector<Operator> operators);
  // nullptr if there is none of that name.
  const Operator* find(std::string_view name) const;
  // UnsupportedError that names the node and lists nothing else, if there is none.
  const Operator& at(const Node& node) const;
  std::span<const Operator> all() const { return operators_; }
  // This table and further operators. InternalError if a name occurs twice.
  OperatorTable with(std::vector<Operator> further) const;

 private:
  std::vector<Operator> operators_;
};

// The built-in operators, in alphabetical order. Whoever has a larger table passes it to import_onnx, run_passes,
// QueryEngine and WitnessReplayer alike (docs/extending.md).
const OperatorTable& operator_table();

// The output types of a node that need not be part of the network yet: checks the operator, the number of inputs, the
// attributes and the sizes, too.
std::vector<TensorType> infer_node(const Network& network, const OperatorTable& table, const Node& node);

// True if all present inputs are constants.
bool reads_constants_only(const Network& network, const Node& node);

// The outputs of a checked node that reads constants only, or empty if computing them would round.
std::optional<std::vector<Tensor>> fold_node(const Network& network, const OperatorTable& table, const Node& node);

// Appends a node with the output types of infer_node.
NodeId append_node(Network& network, const OperatorTable& table, std::string op, std::string name,
                   std::vector<ValueId> inputs, std::vector<std::string> output_names, Attributes attributes = {});

// Evaluates the whole network on one input by the operators' reference evaluation; a tensor per value.
std::vector<Tensor> evaluate_network(const Network& network, const Tensor& input,
                                     const OperatorTable& table = operator_table());

}  // namespace boundflow
