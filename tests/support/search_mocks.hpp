#pragma once
// Stand-ins for the search's three interfaces, for the network y = x: exact bounds with faults on request.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <vector>

#include "frontends/vnnlib/vnnlib.hpp"
#include "ir/query.hpp"
#include "support/verify_case.hpp"

namespace boundflow {

// Bounds rows over y = x. `spoil` may change the answer; `looseness` x |slope| x width is
// subtracted from each bound, per input.
class IdentityBounder final : public Bounder {
 public:
  std::function<void(const BoundQuery&, const Deadline&, BoundAnswer&)> spoil;
  double looseness = 0;
  mutable std::atomic<int> calls{0};

  void answer(const BoundQuery& query, const Deadline& deadline, BoundAnswer& answer) const override {
    ++calls;
    const LinearSpec& spec = *query.spec;
    const auto inputs = static_cast<std::size_t>(spec.inputs);
    answer = BoundAnswer();
    answer.complete = true;
    for (std::size_t n = 0; n < query.rows.size(); ++n) {
      const auto row = static_cast<std::size_t>(query.rows[n]);
      const auto box = static_cast<std::size_t>(query.owners[n]) * inputs;
      double constant = spec.constants[row];
      double minimum = 0;
      for (std::size_t i = 0; i < inputs; ++i) {
        double slope = i < static_cast<std::size_t>(spec.outputs)
                           ? spec.output_coefficients[row * static_cast<std::size_t>(spec.outputs) + i]
                           : 0.0;
        if (!spec.input_coefficients.empty()) slope += spec.input_coefficients[row * inputs + i];
        minimum += slope * (slope >= 0 ? query.lower[box + i] : query.upper[box + i]);
        constant -= looseness * std::fabs(slope) * (query.upper[box + i] - query.lower[box + i]);
        answer.form.push_back(slope);
      }
      answer.form_constant.push_back(constant);
      answer.nominal.push_back(constant + minimum);
      answer.error.push_back(0);
    }
    if (spoil) spoil(query, deadline, answer);
  }
};

// Adds `error` to every row under the given semantics.
inline void add_error(BoundAnswer& answer, double error) {
  for (double& e : answer.error) e += error;
  for (double& c : answer.form_constant) c -= error;
}

class IdentityEvaluator final : public Evaluator {
 public:
  void evaluate(std::span<const double> points, std::int64_t, std::span<double> outputs) const override {
    std::copy(points.begin(), points.end(), outputs.begin());
  }
  bool gradient(std::span<const double> points, std::int64_t, const Choose& choose, std::span<double> outputs,
                std::span<double> gradients, const Deadline&) const override {
    std::copy(points.begin(), points.end(), outputs.begin());
    choose(0, outputs, gradients);  // the cotangents are the gradients
    return true;
  }
};

// Answers `result` for every point.
class FixedReplayer final : public Replayer {
 public:
  explicit FixedReplayer(ReplayResult result) : result_(result) {}
  mutable std::atomic<int> calls{0};
  ReplayResult replay(const Region&, std::span<const double> point, Witness& witness, const Deadline&) const override {
    ++calls;
    witness.input.assign(point.begin(), point.end());
    witness.output.assign(point.begin(), point.end());
    return result_;
  }

 private:
  ReplayResult result_;
};

// x in [0, 1]^n and the assertions, over y = x.
inline Property identity_property(int inputs, const std::string& assertions) {
  std::string text = declarations(inputs, inputs);
  for (int i = 0; i < inputs; ++i) text += input_bounds(i, "0", "1");
  return parse_vnnlib(text + assertions, "p.vnnlib", inputs, inputs);
}

}  // namespace boundflow
