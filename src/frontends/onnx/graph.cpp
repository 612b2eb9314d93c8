#include "frontends/onnx/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/limits.hpp"
#include "frontends/onnx/attributes.hpp"
#include "frontends/onnx/node_order.hpp"
#include "frontends/onnx/opset_forms.hpp"
#include "frontends/onnx/size_budget.hpp"
#include "frontends/onnx/tensors.hpp"

namespace boundflow {

namespace {

bool is_default_domain(const std::string& domain) {
  return domain.empty() || domain == "ai.onnx";
}

std::string list_names(const std::vector<const onnx::ValueInfoProto*>& values) {
  std::string names;
  for (const auto* value : values) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", value->name());
  return names;
}

class GraphImporter final : GraphValues {
 public:
  GraphImporter(const onnx::ModelProto& model, std::int64_t opset, std::size_t file_bytes, const ExternalData& external,
                const OperatorTable& table)
      : model_(model),
        graph_(model.graph()),
        opset_(opset),
        external_(external),
        budget_(file_bytes + external.file_bytes()),
        table_(table) {}

  Network run(const Deadline& deadline) {
    for (const auto& initializer : graph_.initializer()) initializers_[initializer.name()] = &initializer;
    if (graph_.sparse_initializer_size() > 0) {
      throw UnsupportedError(graph_.sparse_initializer(0).values().name(), "initializer",
                             "sparse data is not supported");
    }
    const onnx::ValueInfoProto& output = only_output();
    const std::vector<int> order = needed_nodes(graph_);
    collect_reads(order);
    import_input();
    for (const int i : order) {
      deadline.check();
      import_node(graph_.node(i));
    }
    import_output(output);
    return std::move(network_);
  }

 private:
  // GraphValues, for the opset forms.
  const Tensor* constant(const std::string& value) const override {
    return const_cast<GraphImporter*>(this)->find(value);
  }
  Shape shape(const std::string& value) const override {
    if (const Tensor* tensor = constant(value)) return tensor->shape();
    return network_.value(ids_.at(value)).type.shape;
  }
  DType dtype(const std::string& value) const override {
    if (const Tensor* tensor = constant(value)) return tensor->dtype();
    return network_.value(ids_.at(value)).type.dtype;
  }
  bool is_read(const std::string& value) const override { return reads_.contains(value); }
  std::string add_constant(const std::string& prefix, Tensor tensor) override {
    std::string name = prefix;
    for (int i = 2; is_taken(name); ++i) name = fmt::format("{}#{}", prefix, i);
    constants_.emplace(name, std::move(tensor));
    return name;
  }

  bool is_taken(const std::string& value) const {
    return value_names_.contains(value) || constants_.contains(value) || ids_.contains(value);
  }

  // The constant of that name: folded, already in the network, or an initialiser that is read only now, since an
  // initialiser that nobody needs may be of any type.
  const Tensor* find(const std::string& value) {
    if (const auto found = ids_.find(value); found != ids_.end()) return network_.value(found->second).constant.get();
    if (const auto found = constants_.find(value); found != constants_.end()) return &found->second;
    const auto initializer = initializers_.find(value);
    if (initializer == initializers_.end()) return nullptr;
    return &constants_.emplace(value, import_tensor(*initializer->second, value, "initializer", external_))
                .first->second;
  }

  // The id of a value in the network; constants enter it when the first node that stays reads them.
  ValueId id_of(const std::string& value) {
    if (value.empty()) return kNoValue;
    if (find(value) != nullptr) {
      if (auto constant = constants_.extract(value)) {
        ids_[value] = network_.add_constant(value, std::move(constant.mapped()));
      }
    }
    return ids_.at(value);
  }

  void collect_reads(const std::vector<int>& order) {
    for (const int i : order) {
      for (const std::string& input : graph_.node(i).input()) reads_.insert(input);
      for (const std::string& output : graph_.node(i).output()) value_names_.insert(output);
    }
    for (const auto& output : graph_.output()) reads_.insert(output.name());
    for (const auto& initializer : graph_.initializer()) value_names_.insert(initializer.name());
    for (const auto& input : graph_.input()) value_names_.insert(input.name());
  }

  void import_input() {
    std::vector<const onnx::ValueInfoProto*> inputs;
    for (const auto& input : graph_.input()) {
      if (!initializers_.contains(input.name())) inputs.push_back(&input);
    }
    if (inputs.empty()) throw InputError("the graph has no input that is not an initializer; one is expected");
    if (inputs.size() > 1) {
      throw UnsupportedError(
          inputs[0]->name(), "graph input",
          fmt::format("the graph has {} inputs ({}), one is supported", inputs.size(), list_names(inputs)));
    }
    const onnx::ValueInfoProto& input = *inputs[0];
    TensorType type = input_type(input);
    try {
      budget_.charge(input.name(), "graph input", type);
    } catch (const ShapeError& error) {
      throw InputError(fmt::format("input '{}': {}", input.name(), error.what()));
    }
    ids_[input.name()] = network_.add_input(input.name(), std::move(type));
  }

  static TensorType input_type(const onnx::ValueInfoProto& input) {
    const std::string& name = input.name();
    if (!input.type().has_tensor_type()) throw UnsupportedError(name, "graph input", "only tensors are supported");
    const auto& proto = input.type().tensor_type();
    TensorType type{import_dtype(proto.elem_type(), name, "graph input"), {}};
    if (!is_floating(type.dtype)) {
      throw UnsupportedError(name, "graph input",
                             fmt::format("an input of {} is not supported", to_string(type.dtype)));
    }
    if (!proto.has_shape())
      throw UnsupportedError(name, "graph input", "its shape is not known; a static one is expected");
    for (const auto& dimension : proto.shape().dim()) {
      const std::size_t i = type.shape.size();
      if (dimension.has_dim_value()) {
        if (dimension.dim_value() < 1) {
          throw InputError(fmt::format("input '{}': dimension {} is {}; a positive or a symbolic one is expected", name,
                                       i, dimension.dim_value()));
        }
        type.shape.push_back(dimension.dim_value());
      } else if (i == 0) {
        type.shape.push_back(1);  // the batch
      } else {
        throw UnsupportedError(name, "graph input",
                               fmt::format("dimension {} ('{}') is symbolic; only the first one, the batch, may be", i,
                                           dimension.dim_param()));
      }
    }
    if (type.shape.size() > kMaxRank) {
      throw UnsupportedError(name, "graph input",
                             fmt::format("{} dimensions; at most {} are supported", type.shape.size(), kMaxRank));
    }
    return type;
  }

  const onnx::ValueInfoProto& only_output() const {
    if (graph_.output_size() == 0) throw InputError("the graph has no output; one is expected");
    if (graph_.output_size() == 1) return graph_.output(0);
    std::vector<const onnx::ValueInfoProto*> outputs;
    for (const auto& output : graph_.output()) outputs.push_back(&output);
    throw UnsupportedError(
        outputs[0]->name(), "graph output",
        fmt::format("the graph has {} outputs ({}), one is supported", outputs.size(), list_names(outputs)));
  }

  // The declared type is a promise of the file; if it is not kept, one of the two has been misread.
  void import_output(const onnx::ValueInfoProto& output) {
    if (find(output.name()) != nullptr) {
      throw UnsupportedError(output.name(), "graph output", "the output does not depend on the input");
    }
    const ValueId id = ids_.at(output.name());
    network_.set_outputs({id});
    const TensorType& inferred = network_.value(id).type;
    const auto& declared = output.type().tensor_type();
    if (declared.elem_type() != 0 &&
        import_dtype(declared.elem_type(), output.name(), "graph output") != inferred.dtype) {
      throw InputError(
          fmt::format("output '{}' is {}, but declared with another element type", output.name(), to_string(inferred)));
    }
    if (!declared.has_shape()) return;
    bool fits = declared.shape().dim_size() == static_cast<int>(inferred.shape.size());
    Shape shape;
    for (const auto& dimension : declared.shape().dim()) {
      const std::int64_t extent = dimension.has_dim_value() ? dimension.dim_value() : -1;
      fits = fits && (extent == -1 || extent == inferred.shape[shape.size()]);
      shape.push_back(extent);
    }
    if (!fits) {
      throw InputError(fmt::format("output '{}' is {}, but declared as {} (-1: symbolic)", output.name(),
                                   to_string(inferred), to_string(shape)));
    }
  }

  // From the file, or else from the first output; unique.
  std::string node_name(const onnx::NodeProto& proto) {
    std::string base = proto.name();
    if (base.empty() && proto.output_size() > 0) base = proto.output(0);
    if (base.empty()) base = proto.op_type();
    std::string name = base;
    // Counted on from the last one: many nodes may have the same name, or none.
    for (int& last = last_suffix_[base]; !node_names_.insert(name).second;) {
      last = std::max(last, 1) + 1;
      name = fmt::format("{}#{}", base, last);
    }
    return name;
  }

  void check_operator(const onnx::NodeProto& proto, const std::string& name) const {
    if (!is_default_domain(proto.domain())) {
      throw UnsupportedError(name, proto.op_type(), fmt::format("domain '{}' is not supported", proto.domain()));
    }
    for (const auto& function : model_.functions()) {
      if (is_default_domain(function.domain()) && function.name() == proto.op_type()) {
        throw UnsupportedError(name, proto.op_type(), "the model redefines the operator as a function");
      }
    }
    const Operator* op = table_.find(proto.op_type());
    if ((op == nullptr || op->internal) && !has_normal_form(proto.op_type())) {
      throw UnsupportedError(name, proto.op_type(), "the operator is not supported");
    }
  }

  void import_node(const onnx::NodeProto& proto) {
    const std::string name = node_name(proto);
    check_operator(proto, name);
    OnnxNode node{proto.op_type(),
                  name,
                  {proto.input().begin(), proto.input().end()},
                  {proto.output().begin(), proto.output().end()},
                  import_attributes(proto, name, external_)};
    // Absent optional values at the end may be left out or empty; inside they are empty.
    while (!node.inputs.empty() && node.inputs.back().empty()) node.inputs.pop_back();
    to_normal_form(node, opset_, *this);
    while (!node.outputs.empty() && node.outputs.back().empty()) node.outputs.pop_back();
    if (table_.find(node.op)->reads_shapes_only || reads_constants_only(node)) {
      fold(node);
    } else {
      append(node);
    }
  }

  bool reads_constants_only(const OnnxNode& node) {
    for (const std::string& input : node.inputs) {
      if (!input.empty() && find(input) == nullptr) return false;
    }
    return true;
  }

  void append(const OnnxNode& node) {
    std::vector<ValueId> inputs;
    for (const std::string& input : node.inputs) inputs.push_back(id_of(input));
    const NodeId id =
        append_node(network_, table_, node.op, node.name, std::move(inputs), node.outputs, node.attributes);
    std::vector<TensorType> types;
    for (const ValueId output : network_.node(id).outputs) types.push_back(network_.value(output).type);
    budget_.charge(NodeView(network_, network_.node(id)), types, table_);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) ids_[node.outputs[i]] = network_.node(id).outputs[i];
  }

  // A node of constants, or of shapes, becomes constants, in a network of its own, so that what goes in does not stay.
  void fold(const OnnxNode& node) {
    Network scratch;
    Node folded{node.op, node.name, {}, {}, node.attributes};
    for (const std::string& input : node.inputs) {
      folded.inputs.push_back(input.empty() ? kNoValue : add_copy(scratch, input));
    }
    const std::vector<TensorType> types = infer_node(scratch, table_, folded);
    if (node.outputs.size() != types.size()) {
      node.unsupported(fmt::format("{} outputs are in use, {} supported", node.outputs.size(), types.size()));
    }
    budget_.charge(NodeView(scratch, folded), types, table_);
    std::optional<std::vector<Tensor>> outputs = fold_node(scratch, table_, folded);
    if (!outputs) {
      node.unsupported("arithmetic on constants only, with a result that depends on rounding, is not supported");
    }
    for (std::size_t i = 0; i < outputs->size(); ++i) {
      Tensor& output = (*outputs)[i];
      if (!output.is_finite()) node.malformed("its constant holds NaN or infinity; finite constants are expected");
      constants_.emplace(node.outputs[i], std::move(output));
    }
  }

  ValueId add_copy(Network& network, const std::string& value) {
    if (const Tensor* constant = find(value)) return network.add_constant(value, *constant);
    return network.add_input(value, network_.value(ids_.at(value)).type);
  }

  const onnx::ModelProto& model_;
  const onnx::GraphProto& graph_;
  const std::int64_t opset_;
  const ExternalData& external_;
  SizeBudget budget_;
  const OperatorTable& table_;
  Network network_;
  std::map<std::string, const onnx::TensorProto*> initializers_;
  std::map<std::string, Tensor> constants_;  // not in the network yet
  std::map<std::string, ValueId> ids_;       // in the network
  std::set<std::string> reads_;              // by needed nodes or the graph's output
  std::set<std::string> value_names_;        // of the whole file
  std::set<std::string> node_names_;
  std::map<std::string, int> last_suffix_;  // of nodes of one name
};

}  // namespace

Network import_graph(const onnx::ModelProto& model, std::int64_t opset, std::size_t file_bytes,
                     const ExternalData& external, const Deadline& deadline, const OperatorTable& table) {
  return GraphImporter(model, opset, file_bytes, external, table).run(deadline);
}

}  // namespace boundflow
