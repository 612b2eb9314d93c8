// Layouts are reduced: graphs of permutes only, and networks with images stored channels last between convolutions, as
// exporters of TensorFlow write them. What each pass does is in tests/golden/passes.
#include <gtest/gtest.h>

#include <numeric>

#include "ops/sample_network.hpp"
#include "passes/rearrangement.hpp"
#include "support/pass_checks.hpp"

namespace boundflow {
namespace {

const std::vector<std::int64_t> kToLast{0, 2, 3, 1}, kToFirst{0, 3, 1, 2};

std::vector<std::int64_t> random_permutation(Random& random, std::size_t rank) {
  std::vector<std::int64_t> perm(rank);
  std::iota(perm.begin(), perm.end(), 0);
  for (std::size_t i = rank; i > 1; --i) {
    std::swap(perm[i - 1], perm[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(i) - 1))]);
  }
  return perm;
}

// The same shape with axes split, joined, or of extent 1.
Shape random_reshape(Random& random, const Shape& shape) {
  Shape result;
  for (const std::int64_t extent : shape) {
    if (random.integer(0, 3) == 0 && !result.empty()) {
      result.back() *= extent;
    } else if (random.integer(0, 2) == 0 && extent % 2 == 0) {
      result.push_back(2);
      result.push_back(extent / 2);
    } else {
      result.push_back(extent);
    }
    if (random.integer(0, 4) == 0) result.push_back(1);
  }
  if (result.size() > 6) return shape;
  return result;
}

std::vector<double> counting(std::int64_t size) {
  std::vector<double> values(static_cast<std::size_t>(size));
  std::iota(values.begin(), values.end(), 1);
  return values;
}

TEST(LayoutPasses, PermutesThatUndoEachOtherLeaveNothing) {
  Random random(3);
  for (int trial = 0; trial < 60; ++trial) {
    SampleNetwork sample(random);
    const ValueId x = sample.input(sample.shape(4));
    ValueId value = x;
    std::vector<std::vector<std::int64_t>> perms;
    for (std::int64_t i = random.integer(1, 4); i > 0; --i) {
      perms.push_back(random_permutation(random, 4));
      value = sample.node("Transpose", {value}, {{"perm", perms.back()}});
    }
    while (perms.size() > 1) {
      std::vector<std::int64_t> inverse(4);
      for (std::size_t d = 0; d < 4; ++d)
        inverse[static_cast<std::size_t>(perms.back()[d])] = static_cast<std::int64_t>(d);
      perms.pop_back();
      value = sample.node("Transpose", {value}, {{"perm", inverse}});
    }
    std::vector<std::int64_t> inverse(4);
    for (std::size_t d = 0; d < 4; ++d) inverse[static_cast<std::size_t>(perms[0][d])] = static_cast<std::int64_t>(d);
    const Network network = sample.finish("Transpose", {value}, {{"perm", inverse}});
    const Network after = run_passes(network, operator_table());
    EXPECT_TRUE(after.nodes().empty()) << print(network) << print(after);
    EXPECT_EQ(after.output(), after.input());
  }
}

TEST(LayoutPasses, PermutesOnlyBecomeOne) {
  Random random(4);
  int one = 0;
  for (int trial = 0; trial < 100; ++trial) {
    SampleNetwork sample(random);
    ValueId value = sample.input(sample.shape(4, 60));
    for (std::int64_t i = random.integer(1, 5); i > 0; --i) {
      value = sample.node("Transpose", {value}, {{"perm", random_permutation(random, 4)}});
    }
    const Network network = sample.finish("Transpose", {value}, {{"perm", random_permutation(random, 4)}});
    const Network after = run_passes(network, operator_table());
    ASSERT_LE(after.nodes().size(), 1U) << print(network) << print(after);
    one += static_cast<int>(after.nodes().size());
    const std::vector<double> x = counting(network.size_of(network.input()));
    EXPECT_EQ(output_of(network, x), output_of(after, x));
  }
  EXPECT_GT(one, 30);
}

TEST(LayoutPasses, ChainsOfReshapesAndPermutesTakeThreeNodesAtMost) {
  Random random(5);
  for (int trial = 0; trial < 200; ++trial) {
    SampleNetwork sample(random);
    ValueId value = sample.input({random.integer(1, 2), 4, random.integer(1, 3), 2});
    for (std::int64_t i = random.integer(2, 6); i > 0; --i) {
      if (random.coin()) {
        value = sample.node("Reshape", {value, sample.indices(random_reshape(random, sample.shape_of(value)))});
      } else {
        value =
            sample.node("Transpose", {value}, {{"perm", random_permutation(random, sample.shape_of(value).size())}});
      }
    }
    const Network network = sample.finish("Identity", {value});
    const Network after = run_passes(network, operator_table());
    const std::vector<double> x = counting(network.size_of(network.input()));
    ASSERT_EQ(output_of(network, x), output_of(after, x)) << print(network) << print(after);
    EXPECT_LE(after.nodes().size(), network.nodes().size());
    int transposes = static_cast<int>(count_op(after, "Transpose"));
    if (transposes <= 1) EXPECT_LE(after.nodes().size(), 3U) << print(network) << print(after);
  }
}

// Sources that are no transposition of any shape are left alone.
TEST(LayoutPasses, NotEveryPermutationHasSteps) {
  EXPECT_FALSE(layout_steps({4}, {4}, {0, 2, 3, 1}).has_value());
  EXPECT_FALSE(layout_steps({6}, {6}, {0, 1, 2, 4, 3, 5}).has_value());
  ASSERT_TRUE(layout_steps({6}, {3, 2}, {0, 3, 1, 4, 2, 5}).has_value());
  EXPECT_EQ(layout_steps({6}, {3, 2}, {0, 3, 1, 4, 2, 5})->size(), 2U);
}

// A convolutional network whose values are channels last, with a transpose before and behind each convolution and
// pooling, a residual sum, a Concat, and a dense layer that reads the flattened image.
class ChannelsLast {
 public:
  ChannelsLast(Random& random, bool channels_first_input) : random_(random), sample_(random) {
    if (channels_first_input) {
      value_ = transposed(sample_.input({1, 2, 4, 4}), kToLast);
    } else {
      value_ = sample_.input({1, 4, 4, 2});
    }
  }

  Network build() {
    convolution(3);
    const ValueId shortcut = value_;
    convolution(3);
    value_ = sample_.node("Add", {value_, shortcut});
    relu();
    value_ = transposed(
        sample_.node("MaxPool", {transposed(value_, kToFirst)},
                     {{"kernel_shape", std::vector<std::int64_t>{2, 2}}, {"strides", std::vector<std::int64_t>{2, 2}}}),
        kToLast);
    const ValueId left = value_;
    convolution(2);
    value_ = sample_.node("Concat", {left, value_}, {{"axis", std::int64_t{3}}});
    convolution(2);
    const std::int64_t columns = 8;
    value_ = sample_.node("Reshape", {value_, sample_.indices({1, columns})});
    value_ = sample_.node("MatMul", {value_, constant({columns, 5})});
    value_ = sample_.node("Add", {value_, constant({5})});
    relu();
    return sample_.finish("MatMul", {value_, constant({5, 2})});
  }

 private:
  ValueId transposed(ValueId value, const std::vector<std::int64_t>& perm) {
    return sample_.node("Transpose", {value}, {{"perm", perm}});
  }
  ValueId constant(const Shape& shape) { return sample_.nonzero_constant(shape); }
  void relu() { value_ = sample_.node("Relu", {value_}); }
  void convolution(std::int64_t channels) {
    const ValueId image = transposed(value_, kToFirst);
    const std::int64_t in = sample_.shape_of(image)[1];
    const ValueId convolved = sample_.node("Conv", {image, constant({channels, in, 3, 3})},
                                           {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}});
    value_ = sample_.node("Add", {transposed(convolved, kToLast), constant({channels})});
    relu();
  }

  Random& random_;
  SampleNetwork sample_;
  ValueId value_ = kNoValue;
};

TEST(LayoutPasses, AConvolutionalNetworkLosesItsShuffles) {
  for (int seed = 0; seed < 6; ++seed) {
    for (const bool channels_first : {true, false}) {
      Random random(static_cast<std::uint64_t>(seed));
      const Network network = ChannelsLast(random, channels_first).build();
      EXPECT_GE(count_op(network, "Transpose"), 10);
      const Network after = run_passes(network, operator_table());
      // What turns an image stored channels last into one that a Conv reads stands at the input, and nowhere else.
      EXPECT_EQ(count_op(after, "Transpose"), channels_first ? 0 : 1) << print(after);
      EXPECT_EQ(count_op(after, "Reshape"), 1) << print(after);  // before the matrix
      EXPECT_EQ(count_op(after, "Conv") + count_op(after, "FoldedConv"), 4);
      EXPECT_EQ(count_op(after, "Add"), 1);  // the residual sum
      EXPECT_GT(expect_pass_keeps(network, after, random), 0);
    }
  }
}

// A network that ends as its input: nothing is computed, and bounds are those of the box.
TEST(LayoutPasses, AnEmptyNetworkHasBounds) {
  Random random(1);
  SampleNetwork sample(random);
  const ValueId t = sample.node("Transpose", {sample.input({2, 3})});
  const Network network = sample.finish("Transpose", {t});
  const Network after = run_passes(network, operator_table());
  ASSERT_TRUE(after.nodes().empty());
  EXPECT_GT(expect_pass_keeps(network, after, random), 0);
}

}  // namespace
}  // namespace boundflow
