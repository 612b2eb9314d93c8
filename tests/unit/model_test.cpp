// Networks in memory: the same answers as from files, what is kept between calls, and properties over boxes.
#include "boundflow/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "boundflow/boundflow.hpp"
#include "ir/network_parser.hpp"
#include "ops/structural_hash.hpp"
#include "passes/passes.hpp"

namespace boundflow {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kDigits = std::string(BOUNDFLOW_SOURCE_DIR) + "/examples/digits/";
const std::string kNetwork = kDigits + "digits_mlp.onnx";

BoundsRequest around_the_image() {
  BoundsRequest request;
  request.center = read_array(kDigits + "image.npy").values;
  request.eps = 0.04;
  return request;
}

VerifyRequest margins_around_the_image() {
  VerifyRequest request;
  request.center = read_array(kDigits + "image.npy").values;
  request.eps = 0.04;
  request.specification = read_array(kDigits + "differences.npy");
  return request;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Model, BytesAndFilesAreTheSameNetwork) {
  std::ifstream file(kNetwork, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const Model parsed = Model::parse(bytes, "digits");
  const Model loaded = Model::load(kNetwork);
  EXPECT_EQ(parsed.name(), "digits");
  EXPECT_EQ(loaded.name(), kNetwork);
  EXPECT_EQ(parsed.text(), loaded.text());
  EXPECT_EQ(parsed.content_hash(), loaded.content_hash());
  EXPECT_EQ(loaded.inspect(), inspect(kNetwork));
  EXPECT_EQ(loaded.input().size, 64);
  EXPECT_EQ(loaded.output().shape, (std::vector<std::int64_t>{1, 10}));
  EXPECT_THAT(message_of([] { Model::parse("text", "digits"); }), HasSubstr("digits: "));
}

TEST(Model, BoundsAreThoseOfTheFile) {
  const Model network = Model::load(kNetwork);
  for (const char* method : {"ibp", "crown", "alpha-crown"}) {
    BoundsRequest request = around_the_image();
    request.method = method;
    const BoundsResult of_file = bounds(kNetwork, request, {});
    for (int repeated = 0; repeated < 2; ++repeated) {
      const BoundsResult of_model = bounds(network, request, {});
      EXPECT_EQ(of_model.lower, of_file.lower) << method;
      EXPECT_EQ(of_model.upper, of_file.upper) << method;
    }
  }
}

TEST(Model, ViewsAskWhatTheirNumbersAsk) {
  const Model network = Model::load(kNetwork);
  BoundsRequest request = around_the_image();
  const BoundsResult expected = bounds(network, request, {});
  const std::vector<double> center = request.center.copy();
  const std::vector<float> floats(center.begin(), center.end());  // the image's numbers are float32
  request.center = Numbers::view(std::span<const float>(floats));
  EXPECT_EQ(bounds(network, request, {}).lower, expected.lower);
  request.center = Numbers::view(std::span<const double>(center));
  EXPECT_EQ(bounds(network, request, {}).lower, expected.lower);
}

TEST(Model, JsonIsWrittenOnRequest) {
  BoundsRequest request = around_the_image();
  EXPECT_EQ(json::parse(bounds(Model::load(kNetwork), request, {}).json).at("network"), kNetwork);
  request.json = false;
  EXPECT_EQ(bounds(Model::load(kNetwork), request, {}).json, "");
}

TEST(Model, WhatIsCompiledServesTheNextCallsOfItsKindOnly) {
  const Model network = Model::load(kNetwork);
  const auto hits = [&](const BoundsRequest& request, const Options& options) {
    return json::parse(bounds(network, request, options).json).at("plan_cache_hits").get<int>();
  };
  BoundsRequest request = around_the_image();
  Options small;
  small.memory.bytes = 1 << 20;  // too little for plans to be kept by the process
  hits(request, small);
  EXPECT_EQ(hits(request, small), 1);
  Options others = small;
  others.disable_pass = "fuse-relaxation-bias";
  EXPECT_EQ(hits(request, others), 0);
  Options traced = small;
  traced.profile = "trace.json";
  EXPECT_EQ(hits(request, traced), 0);
  request.norm = "2";
  EXPECT_EQ(hits(request, small), 0);
}

TEST(Model, PropertiesOverBoxesAreDecided) {
  const Model network = Model::load(kNetwork);
  VerifyRequest request = margins_around_the_image();
  EXPECT_EQ(verify(network, request, {}).verdict, "unsat");
  request.offset = std::vector<double>(9, -1000.0);
  const VerifyResult violated = verify(network, request, {});
  EXPECT_EQ(violated.verdict, "sat");
  EXPECT_EQ(json::parse(violated.json).at("property"), "<box>");
  VerifyRequest file;
  file.property_path = kDigits + "violated.vnnlib";
  EXPECT_EQ(verify(network, file, {}).verdict, "sat");
}

TEST(Model, FaultyPropertiesAreRefused) {
  const Model network = Model::load(kNetwork);
  const auto refused = [&](const std::string& message, const std::function<void(VerifyRequest&)>& spoil) {
    VerifyRequest request = margins_around_the_image();
    spoil(request);
    EXPECT_THAT(message_of([&] { verify(network, request, {}); }), HasSubstr(message));
  };
  refused("expected one of", [](VerifyRequest& r) { r.property_text = "(assert"; });
  refused("expected one of", [](VerifyRequest& r) { r.center = {}; });
  refused("expected either a center", [](VerifyRequest& r) { r.lower = r.upper = r.center; });
  refused("radius", [](VerifyRequest& r) { r.eps = -1; });
  refused("one box", [](VerifyRequest& r) { r.center = std::vector<double>(128, 0.5); });
  refused("specification", [](VerifyRequest& r) { r.specification.shape = {10, 9}; });
  refused("specification", [](VerifyRequest& r) { r.specification = {}; });
  refused("offset has 2", [](VerifyRequest& r) { r.offset = {1, 2}; });
  refused("exceeds the upper", [](VerifyRequest& r) {
    r.lower = std::vector<double>(64, 1);
    r.upper = std::vector<double>(64, 0);
    r.center = {};
  });
}

TEST(Model, BoundsOfLayersHoldTheActivations) {
  const Model network = Model::load(kNetwork);
  for (const char* method : {"ibp", "crown"}) {
    BoundsRequest request = around_the_image();
    request.method = method;
    const std::vector<LayerBounds> layers = layer_bounds(network, request, {});
    ASSERT_EQ(layers.size(), 2U) << method;
    EXPECT_EQ(layers[0].name, "linear1");
    ASSERT_EQ(layers[1].lower.size(), 16U);
    for (std::size_t i = 0; i < 16; ++i) EXPECT_LT(layers[1].lower[i], layers[1].upper[i]);
  }
}

TEST(Model, GradientsFollowTheCotangents) {
  const Model network = Model::load(kNetwork);
  const Numbers point(read_array(kDigits + "image.npy").values);
  std::vector<double> first(10, 0.0);
  first[3] = 1;
  std::vector<double> twice(10, 0.0);
  twice[3] = 2;
  const GradientResult one = network.gradient(point, first);
  const GradientResult two = network.gradient(point, twice);
  EXPECT_EQ(one.outputs, two.outputs);
  for (std::size_t i = 0; i < 64; ++i) EXPECT_FLOAT_EQ(2 * one.gradients[i], two.gradients[i]);
  const std::vector<double> evaluated = network.evaluate(point);
  for (std::size_t j = 0; j < 10; ++j) EXPECT_NEAR(evaluated[j], one.outputs[j], 1e-4);
}

// The sum of two branches, written in one order or the other, under one name or another.
std::string branches(const std::string& first, const std::string& second, const std::string& prefix,
                     const std::string& weight = "1") {
  const auto node = [&](const std::string& op, int result) {
    return "node \"" + prefix + op + "\" : " + op + "(%0) -> %" + std::to_string(result) + " \"" + prefix +
           std::to_string(result) + "\" : float32[1, 2]\n";
  };
  const int relu = first == "Relu" ? 2 : 3;
  return "network\ninput %0 \"" + prefix + "x\" : float32[1, 2]\nconstant %1 \"" + prefix + "c\" : float32[2] = {" +
         weight + ", 2}\n" + node(first, 2) + node(second, 3) + "node \"" + prefix + "Add\" : Add(%" +
         std::to_string(relu) + ", %" + std::to_string(5 - relu) + ") -> %4 \"" + prefix +
         "4\" : float32[1, 2]\nnode \"" + prefix + "Mul\" : Mul(%4, %1) -> %5 \"" + prefix +
         "5\" : float32[1, 2]\noutput %5\n";
}

TEST(StructuralHash, NamesAndTheOrderOfNodesDoNotCount) {
  const auto hash = [](const std::string& text, HashedConstants constants = HashedConstants::Content) {
    return structural_hash(parse_network(text), operator_table(), constants);
  };
  const Digest reference = hash(branches("Relu", "Neg", "a"));
  EXPECT_EQ(reference, hash(branches("Relu", "Neg", "b")));
  EXPECT_EQ(reference, hash(branches("Neg", "Relu", "a")));
  EXPECT_NE(reference, hash(branches("Relu", "Abs", "a")));
  EXPECT_NE(reference, hash(branches("Relu", "Neg", "a", "3")));
  EXPECT_EQ(hash(branches("Relu", "Neg", "a"), HashedConstants::Shapes),
            hash(branches("Relu", "Neg", "a", "3"), HashedConstants::Shapes));
}

// A product and a scale behind it, merged by the passes or written as one: the same structure, other weights.
TEST(StructuralHash, MergedNodesLookLikePlainOnes) {
  const std::string head =
      "network\ninput %0 \"x\" : float32[1, 2]\nconstant %1 \"w\" : float32[2, 2] = {1, 2, 3, 4}\n";
  const std::string gemm = "node \"g\" : Gemm(%0, %1, %2) {transB = 1} -> %";
  const Network scaled =
      parse_network(head + "constant %2 \"b\" : float32[2] = {1, 2}\nconstant %3 \"s\" : float32[2] = {3, 5}\n" + gemm +
                    "4 \"g\" : float32[1, 2]\nnode \"m\" : Mul(%4, %3) -> %5 \"y\" : float32[1, 2]\noutput %5\n");
  const Network plain =
      parse_network(head + "constant %2 \"b\" : float32[2] = {1, 1}\n" + gemm + "3 \"y\" : float32[1, 2]\noutput %3\n");
  const auto hash = [](const Network& network, HashedConstants constants) {
    return structural_hash(run_passes(network, operator_table()), operator_table(), constants);
  };
  EXPECT_EQ(hash(scaled, HashedConstants::Shapes), hash(plain, HashedConstants::Shapes));
  EXPECT_NE(hash(scaled, HashedConstants::Content), hash(plain, HashedConstants::Content));
  EXPECT_NE(structural_hash(scaled, operator_table(), HashedConstants::Shapes),
            structural_hash(plain, operator_table(), HashedConstants::Shapes));
}

}  // namespace
}  // namespace boundflow
