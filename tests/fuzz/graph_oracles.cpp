#include "fuzz/graph_oracles.hpp"

#include <functional>

#include "check/witness.hpp"
#include "frontends/vnnlib/vnnlib.hpp"
#include "passes/passes.hpp"
#include "search/specification.hpp"
#include "support/bound_comparison.hpp"
#include "support/exact_evaluation.hpp"
#include "support/soundness_trial.hpp"
#include "support/temp_folder.hpp"
#include "support/verify_case.hpp"

namespace boundflow {

namespace {

// The files, read, and where every random number of a check comes from.
struct Query {
  explicit Query(const GraphCase& files)
      : random(std::hash<std::string>()(files.onnx + files.vnnlib)),
        source(std::make_shared<const Network>(import_onnx(files.onnx, "case.onnx"))),
        normal(std::make_shared<const Network>(run_passes(*source, operator_table()))),
        property(parse_vnnlib(files.vnnlib, "case.vnnlib", source->size_of(source->input()),
                              source->size_of(source->output()))) {}

  Specification specification(std::size_t region) const {
    return make_specification(property.regions[region], property.input_count, property.output_count);
  }

  Random random;
  std::shared_ptr<const Network> source;
  std::shared_ptr<const Network> normal;
  Property property;
};

template <class T>
const T& some(Random& random, const std::vector<T>& list) {
  return list[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(list.size()) - 1))];
}

LinearSpec negated(LinearSpec spec) {
  for (std::vector<double>* values : {&spec.output_coefficients, &spec.input_coefficients, &spec.constants}) {
    for (double& value : *values) value = -value;
  }
  return spec;
}

}  // namespace

void check_bounds(const GraphCase& files, Extent extent) {
  Query query(files);
  for (std::size_t region = 0; region < query.property.regions.size(); ++region) {
    Specification specification = query.specification(region);
    if (specification.spec.rows == 0) continue;
    Trial trial;
    trial.network = query.random.coin() ? query.source : query.normal;
    trial.spec = std::move(specification.spec);
    const QueryEngine guide(trial.network, make_native_executor(Precision::Float64), {});
    look_into(trial, guide, std::move(specification.box), query.random);
    Tally tally;
    if (extent == Extent::All) {
      check_everything(trial, query.random, tally);
    } else {
      check_lowering(trial, some(query.random, all_executors()),
                     some(query.random, all_lowerings(!trial.spec.input_coefficients.empty())),
                     observe_some_point(trial, query.random), tally);
    }
  }
}

void check_executors(const GraphCase& files) {
  Query query(files);
  for (std::size_t region = 0; region < query.property.regions.size(); ++region) {
    const Specification specification = query.specification(region);
    const LinearSpec &rows = specification.spec, opposite = negated(specification.spec);
    if (rows.rows == 0) continue;
    const BoundLowering lowering = some(query.random, all_lowerings(!rows.input_coefficients.empty())).lowering;
    std::vector<InputBox> boxes{specification.box};
    for (std::vector<double>& point : sample_points(query.random, specification.box, 3))
      boxes.push_back({point, point});
    for (const auto semantics : {Semantics::Real, Semantics::Float32}) {
      const FlatQuery below(rows, boxes, semantics), above(opposite, boxes, semantics);
      std::vector<BoundAnswer> lower, upper;
      std::vector<std::string> names;
      for (const NamedExecutor& executor : all_executors()) {
        const QueryEngine engine(query.normal, executor.executor, {.lowering = lowering});
        lower.push_back(engine.bound(below.query, Deadline()));
        upper.push_back(engine.bound(above.query, Deadline()));
        names.push_back(executor.name);
        ASSERT_TRUE(lower.back().complete && upper.back().complete);
      }
      for (std::size_t n = 0; n < below.rows.size(); ++n) {
        // The coefficients' own errors count on both sides.
        for (std::size_t a = 0; a < names.size(); ++a) {
          for (std::size_t b = 0; b < names.size(); ++b) {
            const double l = sub_down(lower[a].nominal[n], lower[a].error[n]);
            const double u = -sub_down(upper[b].nominal[n], upper[b].error[n]);
            EXPECT_FALSE(l > u) << "row " << below.rows[n] << " of box " << below.owners[n] << ": " << l << " of "
                                << names[a] << " is above " << u << " of " << names[b];
          }
        }
      }
    }
  }
}

namespace {

constexpr std::int64_t kGrid = 8;  // intervals per axis, where there are at most two

std::vector<std::vector<double>> points_of(Query& query, const Specification& specification) {
  const InputBox& box = specification.box;
  std::vector<std::vector<double>> points = sample_points(query.random, box, 10);
  const QueryEngine guide(query.normal, make_native_executor(Precision::Float64), {});
  for (std::int64_t row = 0; row < specification.spec.rows; ++row) {
    const auto low = descend(guide, specification.spec, row, box, {points[0], points[1], points[2]});
    points.insert(points.end(), low.begin(), low.end());
  }
  const auto on_grid = [&](std::size_t i, std::int64_t k) {
    return box.lower[i] + (box.upper[i] - box.lower[i]) * static_cast<double>(k) / kGrid;
  };
  for (std::int64_t i = 0; i <= kGrid && box.lower.size() <= 2; ++i) {
    if (box.lower.size() == 1) points.push_back({on_grid(0, i)});
    for (std::int64_t j = 0; j <= kGrid && box.lower.size() == 2; ++j) points.push_back({on_grid(0, i), on_grid(1, j)});
  }
  return points;
}

std::vector<Rational> rationals(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

// True if the real-valued network is proved to violate the property at x. Exact where the network is piecewise linear.
bool violated(const Query& query, const std::vector<Rational>& x) {
  if (const auto y = evaluate_exactly(*query.source, x)) return holds(query.property, x, *y);
  std::vector<double> lower, upper;
  for (const Rational& v : x) {
    lower.push_back(to_double_down(v));
    upper.push_back(to_double_up(v));
  }
  const auto output = static_cast<std::size_t>(query.source->output());
  const Enclosure y = enclose(*query.source, operator_table(), lower, upper)[output];
  for (const Region& region : query.property.regions) {
    bool inside = true;
    for (std::size_t i = 0; i < x.size(); ++i) {
      inside = inside && region.box.lower[i] <= x[i] && x[i] <= region.box.upper[i];
    }
    for (const Clause& clause : region.clauses) {
      if (inside && proved(clause, x, x, y)) return true;
    }
  }
  return false;
}

void check_proof(Query& query, bool executions) {
  for (std::size_t region = 0; region < query.property.regions.size(); ++region) {
    for (const std::vector<double>& point : points_of(query, query.specification(region))) {
      const std::vector<Rational> x = rationals(point);
      EXPECT_FALSE(violated(query, x)) << "unsat in spite of " << testing::PrintToString(point);
      if (!executions) continue;
      for (const auto& run : see(*query.source, point, query.random).executed) {
        const std::vector<double>& y = run[static_cast<std::size_t>(query.source->output())];
        if (!std::all_of(y.begin(), y.end(), [](double v) { return std::isfinite(v); })) continue;
        EXPECT_FALSE(holds(query.property, x, rationals(y)))
            << "unsat in spite of " << testing::PrintToString(point) << ", executed as " << testing::PrintToString(y);
      }
    }
  }
}

void check_witness(const Query& query, const Counterexample& witness) {
  std::vector<Rational> x;
  for (const std::string& text : witness.input) x.push_back(parse_decimal(text).value());
  ASSERT_EQ(static_cast<std::int64_t>(x.size()), query.property.input_count);
  EXPECT_EQ(static_cast<std::int64_t>(witness.output.size()), query.property.output_count);
  EXPECT_TRUE(violated(query, x)) << "sat, but the witness violates nothing: " << assignment(witness);
}

}  // namespace

void check_verdict(const GraphCase& files) {
  Query query(files);
  const TempFolder folder;
  const std::string network = folder.write("case.onnx", files.onnx);
  const std::string property = folder.write("case.vnnlib", files.vnnlib);
  for (const char* semantics : {"float32", "real"}) {
    SCOPED_TRACE(semantics);
    Options options;
    options.timeout = 0.3;
    options.threads = 1;
    options.semantics = semantics;
    const VerifyResult result = verify(network, property, options);
    if (result.verdict == "unsat") check_proof(query, options.semantics == "float32");
    if (result.verdict == "sat") check_witness(query, result.counterexample);
  }
}

}  // namespace boundflow
