// Conv and ConvTranspose: the map against a plain loop over the definition, its adjoint, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "support/one_node.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<double> integers(Random& random, std::int64_t count) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>(random.integer(-4, 4)));
  return values;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// <M x, v> = <x, M^T v> with small whole numbers, and M^T as the transpose of M's rows.
void check_adjoint(const LinearMap& map, Random& random) {
  const std::vector<double> x = integers(random, map.in_size()), v = integers(random, map.out_size());
  std::vector<double> y(v.size(), 0.0), z(x.size(), 0.0);
  map.apply(x, y);
  map.apply_transpose(v, z);
  const double scale = map.max_abs_weight() * static_cast<double>(map.in_size() * map.out_size());
  EXPECT_NEAR(dot(y, v), dot(x, z), 1e-12 * (1 + scale)) << map.print();
}

TEST(Convolution, MapsOfSamplesHaveTheirAdjoints) {
  for (const char* op : {"Conv", "ConvTranspose", "AveragePool"}) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      SCOPED_TRACE(std::string(op) + " seed " + std::to_string(seed));
      Random random(seed);
      const Network network = operator_table().find(op)->sample(random);
      const Facet facet = operator_table().find(op)->lower(NodeView(network, network.nodes()[0]));
      check_adjoint(*std::get<Affine>(facet).terms.at(0).map, random);
    }
  }
}

Tensor whole(Random& random, const Shape& shape) {
  const std::vector<double> values = integers(random, element_count(shape));
  return floats(shape, {values.begin(), values.end()});
}

// One case of two spatial axes, by the definition: for each pair of an input and an output pixel, is there a tap?
struct Plain {
  std::int64_t groups, in_group, out_group;
  std::array<std::int64_t, 2> image, kernel, stride, dilation, before, after;

  Shape x() const { return {1, groups * in_group, image[0], image[1]}; }
  std::array<std::int64_t, 2> convolved() const {
    std::array<std::int64_t, 2> extent{};
    for (std::size_t d = 0; d < 2; ++d) {
      const std::int64_t room = image[d] + before[d] + after[d] - (kernel[d] - 1) * dilation[d] - 1;
      extent[d] = room < 0 ? 0 : room / stride[d] + 1;
    }
    return extent;
  }
  std::array<std::int64_t, 2> transposed() const {
    std::array<std::int64_t, 2> extent{};
    for (std::size_t d = 0; d < 2; ++d) {
      extent[d] = (image[d] - 1) * stride[d] + (kernel[d] - 1) * dilation[d] + 1 - before[d] - after[d];
    }
    return extent;
  }
  Attributes attributes() const {
    return {{"group", groups},
            {"strides", Ints{stride[0], stride[1]}},
            {"dilations", Ints{dilation[0], dilation[1]}},
            {"pads", Ints{before[0], before[1], after[0], after[1]}}};
  }
};

Plain random_case(Random& random) {
  Plain plain{random.integer(1, 2), random.integer(1, 2), random.integer(1, 2), {}, {}, {}, {}, {}, {}};
  for (std::size_t d = 0; d < 2; ++d) {
    plain.image[d] = random.integer(3, 5);
    plain.kernel[d] = random.integer(1, 3);
    plain.stride[d] = random.integer(1, 3);
    plain.dilation[d] = random.integer(1, 2);
    plain.before[d] = random.integer(0, 1);
    plain.after[d] = random.integer(1, 2);
  }
  // Room for a window at least.
  const auto narrowest = [](const std::array<std::int64_t, 2>& extent) { return std::min(extent[0], extent[1]); };
  const bool fits = narrowest(plain.convolved()) > 0 && narrowest(plain.transposed()) > 0;
  return fits ? plain : random_case(random);
}

// sum over taps of w x, by gathering for a convolution and by scattering for its adjoint, from nested loops of their
// own.
std::vector<double> plain_loop(const Plain& p, const Tensor& x, const Tensor& w, bool transposed) {
  const auto out = transposed ? p.transposed() : p.convolved();
  const auto& large = transposed ? out : p.image;  // the padded side
  const auto& small = transposed ? p.image : out;  // one pixel per window
  std::vector<double> y(static_cast<std::size_t>(p.groups * p.out_group * out[0] * out[1]), 0.0);
  for (std::int64_t g = 0; g < p.groups; ++g) {
    for (std::int64_t i = g * p.in_group; i < (g + 1) * p.in_group; ++i) {
      for (std::int64_t o = g * p.out_group; o < (g + 1) * p.out_group; ++o) {
        for (std::int64_t sy = 0; sy < small[0]; ++sy) {
          for (std::int64_t sx = 0; sx < small[1]; ++sx) {
            for (std::int64_t ky = 0; ky < p.kernel[0]; ++ky) {
              for (std::int64_t kx = 0; kx < p.kernel[1]; ++kx) {
                const std::int64_t ly = sy * p.stride[0] + ky * p.dilation[0] - p.before[0];
                const std::int64_t lx = sx * p.stride[1] + kx * p.dilation[1] - p.before[1];
                if (ly < 0 || ly >= large[0] || lx < 0 || lx >= large[1]) continue;
                const std::int64_t tap = ky * p.kernel[1] + kx, taps = p.kernel[0] * p.kernel[1];
                const std::int64_t weight = transposed ? (i * p.out_group + o % p.out_group) * taps + tap
                                                       : (o * p.in_group + i % p.in_group) * taps + tap;
                const std::int64_t from =
                    (i * p.image[0] + (transposed ? sy : ly)) * p.image[1] + (transposed ? sx : lx);
                const std::int64_t to = (o * out[0] + (transposed ? ly : sy)) * out[1] + (transposed ? lx : sx);
                y[static_cast<std::size_t>(to)] += w.at(weight) * x.at(from);
              }
            }
          }
        }
      }
    }
  }
  return y;
}

TEST(Convolution, EvaluationAndMapFollowTheDefinition) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const Plain plain = random_case(random);
    for (const bool transposed : {false, true}) {
      SCOPED_TRACE((transposed ? "transposed, seed " : "seed ") + std::to_string(seed));
      const Tensor x = whole(random, plain.x());
      const Tensor w = whole(
          random, transposed ? Shape{plain.groups * plain.in_group, plain.out_group, plain.kernel[0], plain.kernel[1]}
                             : Shape{plain.groups * plain.out_group, plain.in_group, plain.kernel[0], plain.kernel[1]});
      const OneNode node(transposed ? "ConvTranspose" : "Conv", {x, w}, plain.attributes());
      const std::vector<double> expected = plain_loop(plain, x, w, transposed);
      EXPECT_EQ(node.value().to_doubles(), expected);
      const Affine affine = std::get<Affine>(node.facet());
      ASSERT_NE(affine.terms.at(0).map->conv(), nullptr);
      EXPECT_EQ(affine.terms.at(0).map->conv()->adjoint, transposed);
      std::vector<double> y(expected.size(), 0.0);
      affine.terms.at(0).map->apply(x.to_doubles(), y);
      EXPECT_EQ(y, expected);
    }
  }
}

TEST(Convolution, OneSpatialAxisWithBias) {
  const OneNode node("Conv",
                     {floats({1, 1, 4}, {1, 2, 3, 4}), floats({2, 1, 2}, {1, 10, -1, 0}), floats({2}, {100, 0})});
  EXPECT_EQ(node.value().shape(), (Shape{1, 2, 3}));
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(121, 132, 143, -1, -2, -3));
  const Affine affine = std::get<Affine>(node.facet());
  EXPECT_THAT(affine.bias, ElementsAre(100, 100, 100, 0, 0, 0));
  EXPECT_EQ(affine.terms.at(0).map->conv()->image_in, (ConvMap::Extent{1, 4}));
  EXPECT_EQ(affine.deployed_products, 1);
  EXPECT_EQ(affine.deployed_roundings, 3);  // a product, and two additions of two terms and a bias
}

TEST(Convolution, ImagesOfABatchDoNotMeet) {
  const OneNode node("Conv", {floats({2, 1, 2}, {1, 2, 3, 4}), floats({1, 1, 2}, {1, 10}), floats({1}, {0.5F})});
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(21.5, 43.5));
  const Affine affine = std::get<Affine>(node.facet());
  EXPECT_EQ(affine.terms.at(0).map->conv()->groups, 2);
  std::vector<double> y = affine.bias;
  affine.terms.at(0).map->apply(std::vector<double>{1, 2, 3, 4}, y);
  EXPECT_THAT(y, ElementsAre(21.5, 43.5));
}

// Values that onnxruntime gives.
TEST(Convolution, TransposedOutputShapes) {
  const auto values = [](Attributes attributes) {
    attributes["strides"] = Ints{2};
    return OneNode("ConvTranspose", {floats({1, 1, 3}, {1, 2, 3}), floats({1, 1, 3}, {1, 10, 100})}, attributes)
        .value()
        .to_doubles();
  };
  EXPECT_THAT(values({}), ElementsAre(1, 10, 102, 20, 203, 30, 300));
  EXPECT_THAT(values({{"output_padding", Ints{1}}}), ElementsAre(1, 10, 102, 20, 203, 30, 300, 0));
  EXPECT_THAT(values({{"pads", Ints{1, 2}}}), ElementsAre(10, 102, 20, 203));
  EXPECT_THAT(values({{"auto_pad", std::string("SAME_UPPER")}}), ElementsAre(1, 10, 102, 20, 203, 30));
  EXPECT_THAT(values({{"auto_pad", std::string("SAME_LOWER")}}), ElementsAre(10, 102, 20, 203, 30, 300));
  EXPECT_THAT(values({{"output_shape", Ints{6}}}), ElementsAre(10, 102, 20, 203, 30, 300));
  EXPECT_THAT(values({{"output_shape", Ints{5}}}), ElementsAre(10, 102, 20, 203, 30));
  EXPECT_THAT(values({{"output_shape", Ints{8}}}), ElementsAre(1, 10, 102, 20, 203, 30, 300, 0));
  EXPECT_THAT(values({{"output_shape", Ints{6}}, {"auto_pad", std::string("SAME_UPPER")}}),
              ElementsAre(1, 10, 102, 20, 203, 30));
  EXPECT_THAT(error_of([&] { values({{"pads", Ints{4, 3}}}); }), HasSubstr("would have extent 0"));
  EXPECT_THAT(error_of([] {
                OneNode("ConvTranspose", {counting({1, 1, 3}), counting({1, 1, 1})},
                        {{"strides", Ints{2}}, {"auto_pad", std::string("SAME_UPPER")}});
              }),
              HasSubstr("auto_pad SAME_UPPER with an extent of 5, less than 6"));
  EXPECT_THAT(error_of([&] { values({{"output_padding", Ints{2}}}); }), HasSubstr("smaller than the stride"));
  EXPECT_THAT(error_of([&] { values({{"output_shape", Ints{1, 1, 6}}}); }), HasSubstr("one per spatial axis"));
}

TEST(Convolution, RefusesByName) {
  const auto error = [](const char* op, const Shape& x, const Shape& w, Attributes attributes = {}) {
    return error_of([&] { OneNode(op, {counting(x), counting(w)}, attributes).facet(); });
  };
  EXPECT_THAT(error("Conv", {1, 1, 2, 2, 2}, {1, 1, 2, 2, 2}), HasSubstr("one or two spatial axes"));
  EXPECT_THAT(error("ConvTranspose", {1, 1, 2, 2, 2}, {1, 1, 2, 2, 2}), HasSubstr("one or two spatial axes"));
  EXPECT_THAT(error("Conv", {1, 3, 4}, {1, 2, 2}), HasSubstr("does not fit the channels"));
  EXPECT_THAT(error("Conv", {1, 3, 4}, {1, 3, 2}, {{"group", std::int64_t{2}}}), HasSubstr("2 groups do not divide"));
  EXPECT_THAT(error("Conv", {1, 1, 4}, {1, 1, 2}, {{"kernel_shape", Ints{3}}}), HasSubstr("kernel_shape [3] differs"));
  EXPECT_THAT(error("Conv", {1, 1, 4}, {1, 1, 2}, {{"auto_pad", std::string("SAME")}}), HasSubstr("'SAME' is unknown"));
  EXPECT_THAT(error_of([] {
                OneNode("Conv", {counting({1, 1, 4}), counting({1, 1, 2})}, {}, 1).facet();
              }),
              HasSubstr("weights that are no constant"));
  EXPECT_THAT(error_of([] {
                OneNode("Conv", {counting({1, 1, 4}), counting({1, 1, 2}), counting({1})}, {}, 2).facet();
              }),
              HasSubstr("node 'node' (Conv)"));
  EXPECT_THAT(error_of([] {
                OneNode("Conv", {counting({1, 1, 4}), counting({2, 1, 2}), counting({1})});
              }),
              HasSubstr("one element for each of 2 output channels"));
  EXPECT_THAT(error("Conv", {1 << 20, 1, 2}, {64, 1, 2}), HasSubstr("a batch of 1048576 images"));
}

}  // namespace
}  // namespace boundflow
