// FoldedConv: a convolution with float64 constants (see folded.hpp).
#include "ops/folded.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"

namespace boundflow {

namespace {

Network sample(Random& random) {
  SampleNetwork sample(random);
  const std::int64_t groups = random.integer(1, 2), in_group = random.integer(1, 3 - groups),
                     kernel = random.integer(1, 3);
  const std::int64_t channels = groups * random.integer(1, 2);
  const ValueId x = sample.input({1, groups * in_group, 3, random.integer(3, 4)});
  const std::int64_t pad = random.integer(0, 1);
  Attributes attributes{{"group", groups}, {"pads", std::vector<std::int64_t>(4, pad)}};
  if (random.coin()) attributes["strides"] = std::vector<std::int64_t>{random.integer(1, 2), random.integer(1, 2)};
  return finish_folded_sample(sample, random, "FoldedConv", x, {channels, in_group, kernel, kernel}, channels,
                              in_group * kernel * kernel, std::move(attributes));
}

}  // namespace

Operator folded_conv_operator() {
  return {
      .name = "FoldedConv",
      .min_inputs = 4,
      .max_inputs = 4,
      .merged_form = "FoldedConv",
      .internal = true,
      .attributes = folded_attributes(conv_operator().attributes),
      .infer = [](const NodeView& node) { return infer_folded(node, conv_operator()); },
      .cost = [](const NodeView& node) { return folded_cost(node, conv_operator()); },
      .evaluate = [](const NodeView& node,
                     std::span<const Tensor* const> inputs) { return evaluate_folded(node, inputs, conv_operator()); },
      .lower = [](const NodeView& node) { return lower_folded(node, conv_operator()); },
      .sample = sample};
}

}  // namespace boundflow
