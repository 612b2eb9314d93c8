#include "fuzz/graph_case.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "support/bound_checks.hpp"
#include "support/network_file.hpp"
#include "support/random_case.hpp"
#include "support/random_image_network.hpp"
#include "support/random_network.hpp"

namespace boundflow {

namespace {

Network any_network(Random& choices) {
  switch (choices.integer(0, 3)) {
    case 0:
      return random_network(choices, {.max_width = choices.integer(1, 9)});
    case 1:
      return random_image_network(choices, {.max_extent = choices.integer(1, 7), .max_elements = 100});
    default: {
      std::vector<const Operator*> operators;
      for (const Operator& op : operator_table().all()) {
        if (op.sample != nullptr && !op.internal) operators.push_back(&op);
      }
      const auto last = static_cast<std::int64_t>(operators.size()) - 1;
      const Network sample = operators[static_cast<std::size_t>(choices.integer(0, last))]->sample(choices);
      return choices.coin() ? sample : surrounded(choices, sample);
    }
  }
}

// VNN-LIB text over the rows of a random specification.
class PropertyText {
 public:
  PropertyText(Random& choices, const Network& network) : choices_(choices), exact_(choices.coin()) {
    const std::int64_t inputs = network.size_of(network.input()), outputs = network.size_of(network.output());
    box_ = random_box(choices, inputs);
    spec_ = random_spec(choices, choices.integer(1, 4), inputs, outputs, choices.coin());
    for (const std::vector<double>& point : sample_points(choices, box_, 4)) {
      const Tensor x(network.value(network.input()).type.shape, std::vector<float>(point.begin(), point.end()));
      const auto output = static_cast<std::size_t>(network.output());
      seen_.push_back({point, evaluate_network(network, x)[output].to_doubles()});
    }
    text_ = declarations(static_cast<int>(inputs), static_cast<int>(outputs));
    for (std::size_t i = 0; i < box_.lower.size(); ++i) {
      text_ += input_bounds(static_cast<int>(i), number(box_.lower[i]), number(box_.upper[i]));
    }
  }

  std::string write() {
    const bool all = choices_.coin();
    text_ += all ? "(assert (and" : "(assert (or";
    for (std::int64_t row = 0; row < spec_.rows; ++row) {
      text_ += choices_.coin() ? fmt::format(" ({} {} {})", all ? "or" : "and", atom(row), atom(row)) : " " + atom(row);
    }
    return text_ + "))\n";
  }

 private:
  struct Seen {
    std::vector<double> x, y;
  };

  // Every double is a decimal; short decimals are seldom doubles.
  std::string number(double x) const { return exact_ ? exact_decimal(x) : fmt::format("{:.4e}", x); }

  std::string atom(std::int64_t row) {
    std::string sum = "(+";
    const auto terms = [&](const std::vector<double>& coefficients, std::int64_t count, char variable) {
      for (std::int64_t i = 0; i < count && !coefficients.empty(); ++i) {
        sum +=
            fmt::format(" (* {} {}_{})", number(coefficients[static_cast<std::size_t>(row * count + i)]), variable, i);
      }
    };
    terms(spec_.input_coefficients, spec_.inputs, 'X');
    terms(spec_.output_coefficients, spec_.outputs, 'Y');
    const double near = threshold(row) + choices_.uniform(-1, 1) * (choices_.coin() ? 1 : 0);
    return fmt::format("({} {} 0.0) {})", choices_.integer(0, 3) == 0 ? "<" : "<=", sum, number(near));
  }

  // The smallest value of the row at the points, or zero if none is finite.
  double threshold(std::int64_t row) const {
    double least = kInfinity;
    for (const Seen& at : seen_) least = std::min(least, row_value_up(spec_, row, at.x, at.y, at.y));
    return std::isfinite(least) ? least - spec_.constants[static_cast<std::size_t>(row)] : 0;
  }

  Random& choices_;
  bool exact_;
  InputBox box_;
  LinearSpec spec_;
  std::vector<Seen> seen_;
  std::string text_;
};

}  // namespace

GraphCase make_graph_case(Random& choices) {
  if (choices.integer(0, 4) == 4) {
    const RandomCase tiny(choices);
    return {tiny.network.model().bytes(), tiny.property()};
  }
  const Network network = any_network(choices);
  return {to_onnx(network).bytes(), PropertyText(choices, network).write()};
}

}  // namespace boundflow
