#pragma once
// Executions of onnxruntime, at every level of optimisation, against the bounds for float32 executions at the same
// points: a fixture, small models that it is given, and inputs chosen to lose as much to rounding as they can.

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "boundflow/boundflow.hpp"
#include "io/npz.hpp"
#include "io/npz_writer.hpp"
#include "support/onnx_model.hpp"
#include "support/onnxruntime.hpp"
#include "support/temp_folder.hpp"

namespace boundflow {

struct Case {
  std::string name;
  OnnxModel model;
  std::int64_t inputs;
  std::vector<float> points = {};  // to be tried besides the hard ones
};

inline std::vector<float> uniform(Random& random, std::int64_t count, double low = -1, double high = 1) {
  std::vector<float> values;
  for (; count > 0; --count) values.push_back(static_cast<float>(random.uniform(low, high)));
  return values;
}

// Every way to be hard: cancelling neighbours, one large coordinate, saturation, subnormal numbers, zeros, corners.
inline std::vector<float> hard_point(Random& random, std::int64_t inputs) {
  std::vector<float> x = uniform(random, inputs);
  const auto magnitude = [&](int low, int high) {
    return std::ldexp(1.0F, static_cast<int>(random.integer(low, high)));
  };
  switch (random.integer(0, 7)) {
    case 0:
      break;
    case 1:
      for (float& v : x) v = random.coin() ? 1.0F : -1.0F;
      break;
    case 2:
      for (float& v : x) v = std::nextafter(x[0], random.coin() ? 2.0F : -2.0F);
      break;
    case 3:
      for (float& v : x) v *= magnitude(-20, 20);
      break;
    case 4:
      x[static_cast<std::size_t>(random.integer(0, inputs - 1))] *= magnitude(20, 30);
      break;
    case 5:
      for (float& v : x) v *= 100;
      break;
    case 6:
      for (float& v : x) v *= magnitude(-149, -120);
      break;
    default:
      for (float& v : x) v = random.coin() ? v : 0.0F;
  }
  return x;
}

class Executions : public testing::Test {
 protected:
  // All cases at many points: what the runtime computes against what the command `bounds` states.
  void expect_inside(const std::vector<Case>& cases, int points) {
    Random random(0);
    std::vector<BoundsRequest> requests;
    for (const Case& test : cases) {
      folder_.write(test.name + ".onnx", test.model.bytes());
      std::vector<float> x = test.points;
      for (int k = 0; k < points; ++k) {
        const std::vector<float> point = hard_point(random, test.inputs);
        x.insert(x.end(), point.begin(), point.end());
      }
      const std::vector<double> inputs(x.begin(), x.end());
      BoundsRequest request;
      request.lower = inputs;
      request.upper = inputs;
      NpzWriter writer;
      writer.add("x", {static_cast<std::int64_t>(x.size()) / test.inputs, test.inputs}, inputs);
      folder_.write(test.name + ".x.npz", writer.finish());
      requests.push_back(std::move(request));
    }
    for (const std::string subnormal : {"keep", "flush"}) {
      std::vector<std::string> arguments{"--executions", subnormal};
      for (const Case& test : cases) {
        for (const char* suffix : {".y.npz", ".onnx", ".x.npz"}) arguments.push_back(folder_.path(test.name + suffix));
      }
      if (const std::string reason = ask_onnxruntime(arguments); !reason.empty()) GTEST_SKIP() << reason;
      for (std::size_t i = 0; i < cases.size(); ++i) {
        SCOPED_TRACE(cases[i].name + ", subnormal numbers: " + subnormal);
        compare(cases[i], requests[i], subnormal == "flush");
      }
    }
  }

 private:
  void compare(const Case& test, BoundsRequest& request, bool flushed) {
    const auto oracle = read_npz(folder_.path(test.name + ".y.npz"));
    if (const auto error = oracle.find("error"); error != oracle.end()) {
      FAIL() << "no reference: " << error->second.texts.at(0);
    }
    const Array& y = oracle.at("y");
    for (const char* method : {"ibp", "crown"}) {
      request.method = method;
      const BoundsResult bounds = boundflow::bounds(folder_.path(test.name + ".onnx"), request, {});
      ASSERT_EQ(static_cast<std::size_t>(bounds.queries * bounds.rows) * oracle.at("configurations").texts.size(),
                y.values.size());
      int outside = 0;
      std::size_t finite = 0;
      double closest = 0;  // how much of the room is used
      for (std::size_t n = 0; n < bounds.lower.size(); ++n) {
        const double l = bounds.lower[n], u = bounds.upper[n];
        if (std::isfinite(l) && std::isfinite(u)) ++finite;
        for (std::size_t c = 0; c < oracle.at("configurations").texts.size(); ++c) {
          const double executed = y.values[c * bounds.lower.size() + n];
          const bool unknown = std::isinf(l) && std::isinf(u);
          // An output that is subnormal counts as zero itself.
          if (flushed && executed == 0 && l < 0x1p-126 && u > -0x1p-126) continue;
          if (unknown || (l <= executed && executed <= u)) {
            if (!unknown && u > l) closest = std::max(closest, std::fabs(executed - (l + u) / 2) / ((u - l) / 2));
            continue;
          }
          if (++outside > 3) continue;
          const std::size_t point = n / static_cast<std::size_t>(bounds.rows);
          ADD_FAILURE() << method << ", " << oracle.at("configurations").texts[c] << ", point " << point << ", output "
                        << n % static_cast<std::size_t>(bounds.rows) << ": " << executed << " is outside of [" << l
                        << ", " << u << "] by " << std::max(l - executed, executed - u) << "; the width is " << u - l;
        }
      }
      EXPECT_EQ(outside, 0) << method;
      EXPECT_GT(4 * finite, 3 * bounds.lower.size()) << method << " states next to nothing";
      std::cout << test.name << " " << method << ": at most " << closest << " of the error is seen\n";
    }
  }

  TempFolder folder_;
};

// x [1, n] -> ... -> y: nodes one after the other, each with constants of its own.
struct Chain {
  Chain(std::string name, std::vector<std::int64_t> shape) : result{std::move(name), OnnxModel(), 1} {
    for (const std::int64_t extent : shape) result.inputs *= extent;
    result.model.input("x", shape);
  }
  std::string constant(std::vector<std::int64_t> shape, const std::vector<float>& values) {
    const std::string id = "c" + std::to_string(next++);
    result.model.floats(id, shape, values);
    return id;
  }
  // Appends a node; `more` follows the current value.
  onnx::NodeProto* then(const std::string& op, const std::vector<std::string>& more = {}) {
    std::vector<std::string> inputs{current};
    inputs.insert(inputs.end(), more.begin(), more.end());
    current = op + std::to_string(next++);
    return result.model.node(op, current, inputs, {current});
  }
  Case finish() {
    result.model.graph()->add_output()->set_name(current);
    result.model.graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(OnnxModel::kFloat);
    return result;
  }
  Case result;
  std::string current = "x";
  int next = 0;
};

}  // namespace boundflow
