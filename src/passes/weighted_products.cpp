#include "passes/weighted_products.hpp"

#include <algorithm>
#include <cmath>

#include "base/rounding.hpp"
#include "passes/weighted_arithmetic.hpp"

namespace boundflow {

namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// The most non-zero weights of one row.
std::int64_t most_terms(const WeightedNode& matrix) {
  std::vector<std::int64_t> terms(at(matrix.out_channels), 0);
  for (std::size_t w = 0; w < matrix.weights.size(); ++w) {
    if (matrix.weights[w] != 0) ++terms[at(matrix.out_channel[w])];
  }
  return *std::max_element(terms.begin(), terms.end());
}

double most_of(std::span<const double> values) {
  double most = 0;
  for (const double v : values) most = std::max(most, std::fabs(v));
  return most;
}

// Covers the additions of so many non-negative products, in double.
double slack(std::size_t terms) {
  return 1 + 0x1p-50 + 0x1p-52 * static_cast<double>(terms);
}

// The new number of each channel, -1 for those that go.
std::vector<std::int64_t> renumbered(const std::vector<bool>* kept, std::int64_t channels) {
  std::vector<std::int64_t> numbers;
  std::int64_t next = 0;
  for (std::int64_t c = 0; c < channels; ++c) numbers.push_back(kept == nullptr || (*kept)[at(c)] ? next++ : -1);
  return numbers;
}

std::vector<double> kept_of(const std::vector<double>& values, const std::vector<std::int64_t>& numbers) {
  std::vector<double> kept;
  for (std::size_t c = 0; c < values.size(); ++c) {
    if (numbers[c] >= 0) kept.push_back(values[c]);
  }
  return kept;
}

// What an execution loses to underflow in one sum at most, with operands of at most 1.
double lost_to_underflow(const WeightedNode& matrix) {
  const double terms = static_cast<double>(most_terms(matrix) + 3);
  return terms * (1 + most_of(matrix.weights)) * matrix.growth;
}

bool in_model(const WeightedNode& matrix) {
  return in_range(matrix.weights, kSmallestNumber) && in_range(matrix.magnitude, kSmallestNumber);
}

}  // namespace

void narrow(WeightedNode& node, const std::vector<bool>* results, const std::vector<bool>* operands) {
  const std::int64_t terms = node.is_matrix() ? most_terms(node) : 0;
  const std::vector<std::int64_t> out = renumbered(results, node.out_channels);
  const std::vector<std::int64_t> in = renumbered(operands, node.in_channels);
  std::size_t next = 0;
  for (std::size_t w = 0; w < node.weights.size(); ++w) {
    const std::int64_t to = out[at(node.out_channel[w])], from = in[at(node.in_channel[w])];
    if (to < 0 || from < 0) continue;
    node.weights[next] = node.weights[w];
    node.out_channel[next] = to;
    node.in_channel[next++] = from;
  }
  node.weights.resize(next);
  node.out_channel.resize(next);
  node.in_channel.resize(next);
  node.bias = kept_of(node.bias, out);
  node.magnitude = kept_of(node.magnitude, out);
  node.out_channels = static_cast<std::int64_t>(node.bias.size());
  node.in_channels = 1 + *std::max_element(in.begin(), in.end());
  node.weight_shape[0] = node.y_shape[1] = node.out_channels;
  node.weight_shape[1] = node.x_shape[1] = node.in_channels;
  // A row with r live terms takes r additions and those beside its terms, which are the same for all rows.
  if (node.is_matrix() && !node.shifts_terms) {
    node.additions = std::max<std::int64_t>(node.additions - terms + most_terms(node), 0);
  }
}

std::optional<WeightedNode> without_fixed(const WeightedNode& matrix, std::span<const std::optional<double>> fixed) {
  std::vector<bool> free;
  std::vector<double> values;
  for (const std::optional<double>& value : fixed) {
    free.push_back(!value);
    if (value) values.push_back(*value);
  }
  const double most = most_of(values);
  const bool fits = in_model(matrix) && in_range(values, kSmallestNumber) && most < matrix.operand_range;
  if (!fits || values.size() == fixed.size()) return std::nullopt;
  WeightedNode result = matrix;
  narrow(result, nullptr, &free);
  if (most == 0) return result;
  std::vector<Accumulator> bias(matrix.bias.begin(), matrix.bias.end());
  std::vector<std::int64_t> added(bias.size(), 0);
  for (std::size_t w = 0; w < matrix.weights.size(); ++w) {
    const double x = fixed[at(matrix.in_channel[w])].value_or(0);
    if (matrix.weights[w] == 0 || x == 0) continue;
    const std::size_t row = at(matrix.out_channel[w]);
    bias[row].add_product(matrix.weights[w], x);
    result.magnitude[row] += std::fabs(matrix.weights[w] * x);
    ++added[row];
  }
  for (std::size_t row = 0; row < bias.size(); ++row) {
    result.bias[row] = bias[row].sum();
    result.magnitude[row] *= slack(fixed.size());
  }
  result.bias_roundings = std::max(matrix.bias_roundings, in_roundings(matrix.weight_error)) + 3;
  result.has_bias = true;
  result.plain = false;
  // Executions add the terms of the fixed columns as before.
  if (!matrix.shifts_terms) result.additions += *std::max_element(added.begin(), added.end());
  // They lose to underflow what they lost with all columns, of which the narrow node has neither the number nor the
  // size.
  result.growth = lost_to_underflow(matrix) * (1 + most);
  return is_sound(result) ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<WeightedNode> merged_products(const WeightedNode& outer, const std::vector<bool>& through,
                                            const WeightedNode& inner, std::span<const double> most,
                                            const Deadline& deadline) {
  const bool single = outer.dtype == DType::Float32;
  // What the terms of z_j come to at most, over the boxes.
  std::vector<double> sums = inner.magnitude;
  for (std::size_t w = 0; w < inner.weights.size(); ++w) {
    sums[at(inner.out_channel[w])] += std::fabs(inner.weights[w]) * most[at(inner.in_channel[w])];
  }
  for (double& sum : sums) sum *= slack(most.size());
  const double most_x = most_of(most);  // where one is NaN, so are the sums
  const double smallest = single ? kSmallestNormal32 : kSmallestNormal64, largest = single ? kLargest32 : kLargest64;
  // An execution's z_j is at most this, if its relative error is below 1.
  const double most_z = 2 * most_of(sums) + lost_to_underflow(inner) * smallest * (1 + most_x);
  const std::int64_t inner_roundings = inner.products + inner.additions;
  const bool fits = outer.dtype == inner.dtype && in_model(outer) && in_model(inner) && in_range(sums, 0) &&
                    most_x <= kLargestNumber && most_x < inner.operand_range && most_z < outer.operand_range &&
                    most_z * inner.growth < largest / 4 && inner_roundings < (std::int64_t{1} << 20);
  if (!fits) return std::nullopt;

  const std::vector<std::int64_t> row_of = renumbered(&through, outer.in_channels);
  std::vector<bool> rest = through;
  rest.flip();
  const std::vector<std::int64_t> column_of = renumbered(&rest, outer.in_channels);
  const std::int64_t kept = std::count(rest.begin(), rest.end(), true);
  const std::int64_t columns = kept + inner.in_channels;
  WeightedNode merged = outer;
  merged.in_channels = merged.weight_shape[1] = merged.x_shape[1] = columns;
  merged.weights.assign(at(outer.out_channels * columns), 0.0);
  merged.out_channel.clear();
  merged.in_channel.clear();
  double most_passed = 0;  // sum of |W2| through z, of one row
  for (std::int64_t i = 0; i < outer.out_channels; ++i) {
    deadline.check();
    std::vector<Accumulator> row(at(inner.in_channels), Accumulator(0));
    Accumulator bias(outer.bias[at(i)]);
    double passed = 0;
    for (std::int64_t j = 0; j < outer.in_channels; ++j) {
      const double weight = outer.weights[at(i * outer.in_channels + j)];
      if (!through[at(j)]) merged.weights[at(i * columns + column_of[at(j)])] = weight;
      if (!through[at(j)] || weight == 0) continue;
      const std::int64_t from = row_of[at(j)];
      for (std::int64_t k = 0; k < inner.in_channels; ++k) {
        row[at(k)].add_product(weight, inner.weights[at(from * inner.in_channels + k)]);
      }
      bias.add_product(weight, inner.bias[at(from)]);
      merged.magnitude[at(i)] += std::fabs(weight) * sums[at(from)];
      passed += std::fabs(weight);
    }
    for (std::int64_t k = 0; k < inner.in_channels; ++k) merged.weights[at(i * columns + kept + k)] = row[at(k)].sum();
    merged.bias[at(i)] = bias.sum();
    merged.magnitude[at(i)] *= slack(through.size());
    most_passed = std::max(most_passed, passed);
    for (std::int64_t c = 0; c < columns; ++c) {
      merged.out_channel.push_back(i);
      merged.in_channel.push_back(c);
    }
  }
  merged.has_bias = true;
  merged.plain = false;
  // A term W2 W1 x is rounded by all that W1 x goes through, and then as a term of the outer sum, whose partial sums
  // are partial sums of these.
  merged.products = outer.products + inner_roundings;
  // The merged node's own execution rounds weights, products and a sum of its own length.
  const std::int64_t own_terms = most_terms(merged);
  if (merged.products < own_terms + 2) {
    merged.products = std::max<std::int64_t>(merged.products, 2);
    merged.additions = std::max(outer.additions, own_terms);
  }
  merged.shifts_terms = true;  // where x is zero, the outer sum is as long as before
  // The exact weights are off by what those of both factors are, relative to |W2||W1|: the magnitude covers that, x
  // being at most `most`.
  const std::int64_t outer_error = in_roundings(outer.weight_error), inner_error = in_roundings(inner.weight_error);
  merged.bias_roundings =
      std::max(outer.bias_roundings, outer_error + std::max(inner.bias_roundings, inner_error + 1)) + 3;
  merged.growth = 2 * (lost_to_underflow(outer) * (1 + most_z) + lost_to_underflow(inner) * most_passed) + outer.growth;
  merged.operand_range = std::min(outer.operand_range, inner.operand_range);
  return is_sound(merged) ? std::optional(std::move(merged)) : std::nullopt;
}

}  // namespace boundflow
