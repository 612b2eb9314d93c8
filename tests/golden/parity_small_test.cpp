// Bounds of the small golden networks against auto_LiRPA's around three centres: methods ibp, crown_ibp and crown;
// boxes, L2 and L1 balls; the identity and margins as specification; lower and upper bounds.
#include <gtest/gtest.h>

#include <filesystem>
#include <iomanip>
#include <iostream>

#include "base/random.hpp"
#include "base/rounding.hpp"
#include "support/parity.hpp"
#include "support/shared_data.hpp"

namespace boundflow {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string name;
  std::shared_ptr<const Network> source;
  std::shared_ptr<const Network> normal;
  Arrays golden;
  std::int64_t inputs;
  std::int64_t outputs;
  std::int64_t centres;
};

Case read_case(const fs::path& onnx) {
  Case result;
  result.name = onnx.stem().string();
  result.source = std::make_shared<const Network>(read_onnx(onnx.string()));
  result.normal = std::make_shared<const Network>(run_passes(*result.source, operator_table()));
  result.golden = read_npz(fs::path(onnx).replace_extension(".npz").string());
  result.inputs = result.source->size_of(result.source->input());
  result.outputs = result.source->size_of(result.source->output());
  result.centres = result.golden.at("center").shape.at(0);
  return result;
}

// The specification of all centres, [centres, rows, outputs]; "id": unit rows, "C": the margins of the file.
std::vector<double> specification(const Case& c, const std::string& spec) {
  if (spec == "C") return c.golden.at("C").values;
  std::vector<double> rows(static_cast<std::size_t>(c.centres * c.outputs * c.outputs), 0.0);
  for (std::int64_t b = 0; b < c.centres; ++b) {
    for (std::int64_t j = 0; j < c.outputs; ++j) {
      rows[static_cast<std::size_t>((b * c.outputs + j) * c.outputs + j)] = 1;
    }
  }
  return rows;
}

// In float32, as the reference did.
ParityQuery make_query(const Case& c, const std::string& norm, std::vector<double> coefficients) {
  std::vector<double> lower;
  std::vector<double> upper;
  const auto eps = static_cast<float>(c.golden.at("eps_" + norm).values.at(0));
  for (const double x : c.golden.at("center").values) {
    lower.push_back(static_cast<float>(x) - eps);
    upper.push_back(static_cast<float>(x) + eps);
  }
  ParityQuery query(std::move(lower), std::move(upper), c.inputs, std::move(coefficients), c.outputs);
  if (norm == "linf") return query;
  query.query.norm = norm == "l2" ? InputNorm::L2 : InputNorm::L1;
  query.centers = c.golden.at("center").values;
  query.radii.assign(static_cast<std::size_t>(query.query.subproblems), eps);
  return query;
}

class ParitySmall : public testing::Test {
 protected:
  void SetUp() override {
    const auto shared = shared_data();
    if (!shared || !fs::is_directory(*shared / "golden" / "small")) GTEST_SKIP() << "no shared golden data";
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(*shared / "golden" / "small")) {
      if (entry.path().extension() == ".onnx") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      try {
        cases_.push_back(read_case(file));
      } catch (const UnsupportedError& error) {
        skipped_ += "  skipped " + file.stem().string() + ": " + error.what() + "\n";
      }
    }
    for (const char* required : {"mlp_relu", "mlp_relu_deep", "subtract", "concat"}) {
      EXPECT_TRUE(std::any_of(cases_.begin(), cases_.end(), [&](const Case& c) { return c.name == required; }))
          << required << " must import";
    }
  }

  std::vector<Case> cases_;
  std::string skipped_;
};

struct Method {
  const char* name;
  BoundLowering lowering;
  std::vector<const char*> norms;
};
const Method kMethods[] = {
    {"ibp",
     {.intermediate = IntermediateBounds::Interval, .specification = SpecificationBounds::Interval, .balls = true},
     {"linf", "l2", "l1"}},
    {"crown_ibp", {.intermediate = IntermediateBounds::Interval}, {"linf"}},
    {"crown", {.intermediate = IntermediateBounds::CrownWhereIntervalUnstable, .balls = true}, {"linf", "l2", "l1"}},
};

// Networks of affine nodes and ReLU leave no freedom but the lower slope, which both sides choose alike. Where lines or
// planes may be chosen, widths are compared: on average no larger, and no row's by more than 2 %.
bool has_freedom(const Case& c) {
  return std::any_of(c.normal->nodes().begin(), c.normal->nodes().end(), [](const Node& node) {
    return node.op == "MaxPool" || node.op == "Sigmoid" || node.op == "Tanh" || node.op == "Mul";
  });
}

struct Widths {
  double mean_ratio = 0;  // ours over the reference's
  double worst = 0;
};

Widths compare_widths(const BoundAnswer& low, const BoundAnswer& high, const std::vector<double>& golden_low,
                      const std::vector<double>& golden_high) {
  Widths widths;
  double ours = 0;
  double reference = 0;
  for (std::size_t n = 0; n < golden_low.size(); ++n) {
    const double width = -high.nominal[n] - low.nominal[n];
    const double golden = golden_high[n] - golden_low[n];
    ours += width;
    reference += golden;
    widths.worst = std::max(widths.worst, width / golden);
  }
  widths.mean_ratio = ours / reference;
  return widths;
}

TEST_F(ParitySmall, NominalBoundsAreAsTightAsTheReference) {
  std::cout << skipped_;
  for (const Case& c : cases_) {
    for (const Method& method : kMethods) {
      const QueryEngine engine = make_engine(c.normal, method.lowering);
      for (const std::string norm : method.norms) {
        for (const std::string spec : {"id", "C"}) {
          const std::string key = norm + "_" + method.name + "_" + spec;
          SCOPED_TRACE(c.name + " " + key);
          const std::vector<double> rows = specification(c, spec);
          ParityQuery lower = make_query(c, norm, rows);
          ParityQuery upper = make_query(c, norm, negated(rows));
          const BoundAnswer low = engine.bound(lower.with(Semantics::Nominal), Deadline());
          const BoundAnswer high = engine.bound(upper.with(Semantics::Nominal), Deadline());
          const std::vector<double>& golden_low = c.golden.at(key + "_lb").values;
          const std::vector<double>& golden_high = c.golden.at(key + "_ub").values;
          const double looser = std::max(excess(low.nominal, golden_low), excess(high.nominal, negated(golden_high)));
          const Widths widths = compare_widths(low, high, golden_low, golden_high);
          if (has_freedom(c) && std::string(method.name) != "ibp") {
            EXPECT_LE(widths.mean_ratio, 1 + 1e-6);
            EXPECT_LE(widths.worst, 1.02);
          } else {
            EXPECT_LE(looser, kParity);
          }
          std::cout << std::left << std::setw(17) << c.name << std::setw(20) << key << std::right << std::scientific
                    << std::setprecision(1) << "  largest excess " << std::setw(8) << looser << std::fixed
                    << std::setprecision(4) << "  mean width ratio " << widths.mean_ratio << "  worst " << widths.worst
                    << "\n";
        }
      }
    }
  }
}

// After as many steps as the reference took, by an optimiser of another kind. The reference chooses among planes of
// products as well.
TEST_F(ParitySmall, OptimisedLinesAreAsTightAsTheReference) {
  for (const Case& c : cases_) {
    SCOPED_TRACE(c.name);
    const auto engine = std::make_shared<const QueryEngine>(c.normal, make_native_executor(Precision::Float32),
                                                            QueryEngine::Options{.splits = true});
    const std::vector<double> rows = specification(c, "C");
    ParityQuery lower = make_query(c, "linf", rows), upper = make_query(c, "linf", negated(rows));
    BoundAnswer low, high;
    low.nominal = optimised_bounds(engine, lower.with(Semantics::Nominal), 20);
    high.nominal = optimised_bounds(engine, upper.with(Semantics::Nominal), 20);
    const Widths widths = compare_widths(low, high, c.golden.at("linf_alpha_crown_C_lb").values,
                                         c.golden.at("linf_alpha_crown_C_ub").values);
    const bool chooses_planes = std::any_of(c.normal->nodes().begin(), c.normal->nodes().end(),
                                            [](const Node& node) { return node.op == "Mul"; });
    EXPECT_LE(widths.mean_ratio, chooses_planes ? 1.2 : 1.001);
    std::cout << std::left << std::setw(17) << c.name << std::fixed << std::setprecision(4) << "  mean width ratio "
              << widths.mean_ratio << "  worst " << widths.worst << "\n";
  }
}

// crown_ibp has no freedom: both sides take the same intermediate bounds and the same lines.
TEST_F(ParitySmall, CrownIbpAgreesInBothDirections) {
  for (const Case& c : cases_) {
    if (c.name != "mlp_relu" && c.name != "mlp_relu_deep") continue;
    SCOPED_TRACE(c.name);
    const QueryEngine engine = make_engine(c.normal, {.intermediate = IntermediateBounds::Interval});
    ParityQuery query = make_query(c, "linf", specification(c, "C"));
    const BoundAnswer answer = engine.bound(query.with(Semantics::Nominal), Deadline());
    EXPECT_LE(excess(c.golden.at("linf_crown_ibp_C_lb").values, answer.nominal), kParity);
  }
}

// The sound bound is the nominal one minus the reported error: below the bound without error terms, not far below, and
// below what the network computes at sampled points.
TEST_F(ParitySmall, SoundBoundsAreNominalMinusErrorAndContainExecutions) {
  for (const Case& c : cases_) {
    for (const Method& method : kMethods) {
      SCOPED_TRACE(c.name + " " + method.name);
      const QueryEngine engine = make_engine(c.normal, method.lowering);
      const std::vector<double> rows = specification(c, "id");
      for (const bool negate : {false, true}) {
        ParityQuery query = make_query(c, "linf", negate ? negated(rows) : rows);
        const BoundAnswer nominal = engine.bound(query.with(Semantics::Nominal), Deadline());
        const BoundAnswer real = engine.bound(query.with(Semantics::Real), Deadline());
        const BoundAnswer sound = engine.bound(query.with(Semantics::Float32), Deadline());
        for (std::size_t n = 0; n < sound.nominal.size(); ++n) {
          EXPECT_EQ(nominal.error[n], 0);
          EXPECT_GT(real.error[n], 0);
          EXPECT_GT(sound.error[n], real.error[n]);
          EXPECT_LT(sound.error[n], 1e-3 * (1 + std::fabs(nominal.nominal[n])));
          EXPECT_LT(sound.nominal[n] - sound.error[n], nominal.nominal[n]);
          EXPECT_NEAR(sound.nominal[n], nominal.nominal[n], 1e-3 * (1 + std::fabs(nominal.nominal[n])));
        }
        Random random(1);
        const TensorType& type = c.source->value(c.source->input()).type;
        for (int sample = 0; sample < 300; ++sample) {
          const auto b = static_cast<std::size_t>(sample % c.centres);
          std::vector<float> x;
          for (std::size_t i = 0; i < static_cast<std::size_t>(c.inputs); ++i) {
            const std::size_t at = b * static_cast<std::size_t>(c.inputs) + i;
            const double l = query.lower[at];
            const double u = query.upper[at];
            const double inside = sample % 2 == 0 ? (random.coin() ? l : u) : random.uniform(l, u);
            x.push_back(std::clamp(static_cast<float>(inside), cast_up<float>(l), cast_down<float>(u)));
          }
          const Tensor y =
              evaluate_network(*c.source, Tensor(type.shape, x))[static_cast<std::size_t>(c.source->output())];
          for (std::int64_t j = 0; j < c.outputs; ++j) {
            const std::size_t n = b * static_cast<std::size_t>(c.outputs) + static_cast<std::size_t>(j);
            EXPECT_GE(negate ? -y.at(j) : y.at(j), sound.nominal[n] - sound.error[n]);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace boundflow
