#include "engine/contraction.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/rounding.hpp"
#include "exec/weighted_intervals.hpp"

namespace boundflow {

namespace {

constexpr int kPasses = 10;
// Of an interval's width: smaller cuts are not made, since narrowing may go on and on by less and less.
constexpr double kLeastCut = 0.01;
constexpr double kLeastPart = 1e-6;  // of an interval, that counts as gain
// From here on nothing is narrowed any more: each change costs the sums that it moves some roundings.
constexpr std::int64_t kMostChanges = std::int64_t{1} << 15;
constexpr std::int64_t kRoundingsPerChange = 6;

std::size_t at(std::int64_t index) {
  return static_cast<std::size_t>(index);
}

bool follow_each_other(std::span<const std::int32_t> columns) {
  const auto gap = [](std::int32_t a, std::int32_t b) { return b != a + 1; };
  return !columns.empty() && std::adjacent_find(columns.begin(), columns.end(), gap) == columns.end();
}

}  // namespace

std::shared_ptr<const Contraction> Contraction::of(const LoweredNetwork& network) {
  auto made = std::make_shared<Contraction>();
  made->offsets_.assign(network.network().values().size(), -1);
  std::int64_t size = 0, effort = 0;
  const auto place = [&](ValueId value) {
    made->offsets_[at(value)] = size;
    size += network.columns(value);
  };
  place(network.network().input());
  std::vector<LinearMap::Entry> row;
  for (const LoweredNode& node : network.nodes()) {
    place(node.output);
    ContractionStep& step = made->steps_.emplace_back();
    if (node.facet == FacetKind::Joint) return nullptr;
    if (node.facet == FacetKind::Elementwise) {
      step.image = ContractionImage{.operand = node.operands[0],
                                    .output = node.output,
                                    .first = made->images_,
                                    .columns = network.columns(node.output),
                                    .function = node.function,
                                    .unit_roundoff = node.unit_roundoff};
      made->images_ += network.columns(node.output);
      continue;
    }
    ContractionRows& rows = step.affine.emplace();
    rows.output = node.output;
    rows.first = made->rows_;
    made->rows_ += network.columns(node.output);
    rows.starts.push_back(0);
    for (std::int64_t j = 0; j < network.columns(node.output); ++j) {
      for (std::size_t t = 0; t < node.operands.size(); ++t) {
        node.affine->maps[t]->row(j, row);
        for (const LinearMap::Entry& entry : row) {
          if (entry.weight == 0) continue;
          rows.columns.push_back(static_cast<std::int32_t>(made->offset(node.operands[t]) + entry.column));
          rows.weights.push_back(entry.weight);
        }
      }
      const auto columns = std::span(rows.columns).subspan(at(rows.starts.back()));
      const bool consecutive = follow_each_other(columns);
      effort += std::ssize(columns) * (consecutive ? 1 : kEffortOfOthers);
      if (effort > kMostEffort) return nullptr;
      rows.consecutive.push_back(consecutive ? 1 : 0);
      rows.starts.push_back(std::ssize(rows.columns));
      const double bias = node.affine->bias.empty() ? 0 : node.affine->bias[at(j)];
      rows.bias.push_back(bias);
      const double magnitude = node.affine->bias_magnitude.empty() ? 0 : node.affine->bias_magnitude[at(j)];
      rows.magnitude.push_back(std::max(std::fabs(bias), magnitude));
    }
    for (const auto& map : node.affine->maps) rows.weight_error = std::max(rows.weight_error, map->weight_error());
  }
  const ValueId output = network.network().output();
  const Order& order = network.order(output);
  made->output_positions_.resize(at(network.columns(output)));
  for (std::int64_t p = 0; p < network.columns(output); ++p) {
    made->output_positions_[at(order ? (*order)[at(p)] : p)] = made->offset(output) + p;
  }
  made->index_readers(size);
  return made;
}

// Visits each row and each image twice: once to count, once to fill in.
void Contraction::index_readers(std::int64_t coordinates) {
  const auto for_each_reader = [&](const auto& visit) {
    for (const ContractionStep& step : steps_) {
      if (!step.affine) continue;
      const ContractionRows& rows = *step.affine;
      for (std::int64_t j = 0; j < std::ssize(rows.bias); ++j) {
        for (std::int64_t e = rows.starts[at(j)]; e < rows.starts[at(j + 1)]; ++e) {
          visit(rows.columns[at(e)], rows.first + j, rows.weights[at(e)]);
        }
      }
    }
  };
  const auto for_each_other = [&](const auto& visit) {
    for (const ContractionStep& step : steps_) {
      const std::int64_t columns = step.image ? step.image->columns : std::ssize(step.affine->bias);
      for (std::int64_t j = 0; j < columns; ++j) {
        if (step.affine) {
          visit(offset(step.affine->output) + j, step.affine->first + j);
        } else {
          visit(offset(step.image->operand) + j, rows_ + step.image->first + j);
          visit(offset(step.image->output) + j, rows_ + step.image->first + j);
        }
      }
    }
  };
  // Where each coordinate's entries begin; also what is returned, to be moved on as they are filled in.
  const auto begin_index = [&](const auto& for_each, std::vector<std::int64_t>& first) {
    first.assign(at(coordinates + 1), 0);
    for_each([&](std::int64_t i, auto...) { ++first[at(i + 1)]; });
    std::partial_sum(first.begin(), first.end(), first.begin());
    return first;
  };
  std::vector<std::int64_t> next = begin_index(for_each_reader, first_reader_);
  readers_.resize(at(first_reader_.back()));
  reader_weights_.resize(readers_.size());
  for_each_reader([&](std::int64_t i, std::int64_t row, double weight) {
    readers_[at(next[at(i)])] = static_cast<std::int32_t>(row);
    reader_weights_[at(next[at(i)]++)] = weight;
  });
  for (std::int64_t i = 0; i < coordinates; ++i) {
    const std::span<const std::int32_t> rows(readers_.data() + first_reader_[at(i)],
                                             readers_.data() + first_reader_[at(i + 1)]);
    readers_consecutive_.push_back(follow_each_other(rows) ? 1 : 0);
  }
  next = begin_index(for_each_other, first_other_);
  others_.resize(at(first_other_.back()));
  for_each_other([&](std::int64_t i, std::int64_t constraint) {
    others_[at(next[at(i)]++)] = static_cast<std::int32_t>(constraint);
  });
}

void Contraction::move_end(std::int64_t i, double to, bool is_lower, ValueBounds& bounds) const {
  double& end = is_lower ? bounds.lower[at(i)] : bounds.upper[at(i)];
  const double change = to - end;
  end = to;
  ++bounds.changes;
  for (std::int64_t k = first_other_[at(i)]; k < first_other_[at(i + 1)]; ++k) bounds.pending[at(others_[at(k)])] = 1;
  std::vector<double>&with_positive = is_lower ? bounds.low : bounds.high,
  &with_negative = is_lower ? bounds.high : bounds.low;
  const std::int64_t first = first_reader_[at(i)], last = first_reader_[at(i + 1)];
  if (first == last) return;
  if (readers_consecutive_[at(i)] != 0) {
    const std::int64_t row = readers_[at(first)];
    move_lower_end(reader_weights_.data() + first, last - first, change, with_positive.data() + row,
                   with_negative.data() + row);
    std::fill_n(bounds.pending.begin() + row, last - first, char{1});
    return;
  }
  for (std::int64_t k = first; k < last; ++k) {
    const auto row = at(readers_[at(k)]);
    const double w = reader_weights_[at(k)];
    (w > 0 ? with_positive : with_negative)[row] += w * change;
    bounds.pending[row] = 1;
  }
}

std::int64_t Contraction::bytes() const {
  std::int64_t bytes = std::ssize(readers_) * 12 + std::ssize(others_) * 4 + std::ssize(first_reader_) * 17;
  for (const ContractionStep& step : steps_) {
    if (!step.affine) continue;
    bytes += std::ssize(step.affine->columns) * 12 + std::ssize(step.affine->bias) * 25;
  }
  return bytes;
}

double Contraction::gain(const ContractionBase& base, const ValueBounds& before, const ValueBounds& after) const {
  double gain = 0;
  for (const ContractionStep& step : steps_) {
    if (!step.affine) continue;
    for (std::int64_t j = 0; j < std::ssize(step.affine->bias); ++j) {
      const std::size_t row = at(step.affine->first + j), y = at(offset(step.affine->output) + j);
      if (before.low[row] == after.low[row] && before.high[row] == after.high[row] &&
          before.lower[y] == after.lower[y] && before.upper[y] == after.upper[y]) {
        continue;
      }
      // Of what the terms alone allow, what is left.
      const auto part = [&](const ValueBounds& bounds) {
        const double all = bounds.high[row] - bounds.low[row] + 2 * base.slack[row];
        const double ratio = (bounds.upper[y] - bounds.lower[y]) / all;
        return ratio < 1 ? std::max(ratio, kLeastPart) : 1.0;
      };
      const double less = part(before) / part(after);
      if (less > 1) gain += std::log(less);
    }
  }
  return gain;
}

class Contraction::Pass {
 public:
  Pass(const Contraction& contraction, const ContractionBase& base, ValueBounds& bounds)
      : contraction_(contraction), base_(base), bounds_(bounds), lower_(bounds.lower), upper_(bounds.upper) {}

  bool changed = false;
  bool empty = false;

  // Until nothing changes any more, or only by little, or for long enough.
  void run(const LinearSpec* spec, std::span<const std::int32_t> violated_rows) {
    const auto visit = [&](const ContractionStep& step) {
      if (step.affine) {
        affine(*step.affine, contraction_.offset(step.affine->output));
      } else {
        image(*step.image, contraction_.offset(step.image->operand), contraction_.offset(step.image->output));
      }
    };
    const std::vector<ContractionStep>& steps = contraction_.steps_;
    for (int done = 0; done < kPasses && !is_done(); ++done) {
      changed = false;
      for (const std::int32_t row : violated_rows) violated(*spec, row, contraction_.output_positions_);
      for (auto step = steps.rbegin(); step != steps.rend() && !is_done(); ++step) visit(*step);
      for (auto step = steps.begin(); step != steps.end() && !is_done(); ++step) visit(*step);
      if (!changed) break;
    }
  }

  // Adds up a row's terms again.
  WeightedInterval refresh(const ContractionRows& rows, std::int64_t j) {
    const std::int64_t first = rows.starts[at(j)], count = rows.starts[at(j + 1)] - first;
    const bool consecutive = rows.consecutive[at(j)] != 0;
    const std::int64_t begin = consecutive ? rows.columns[at(first)] : 0;
    const WeightedInterval sum =
        weighted_interval(rows.weights.data() + first, consecutive ? nullptr : rows.columns.data() + first, count,
                          lower_.data() + begin, upper_.data() + begin);
    bounds_.low[at(rows.first + j)] = sum.low;
    bounds_.high[at(rows.first + j)] = sum.high;
    return sum;
  }

  // What computing with a sum of so many terms and magnitude and one more number may round away, underflow included,
  // however often ends have moved.
  static double rounding(std::int64_t terms, double sum_magnitude, double more, double relative_error) {
    const double gamma = gamma_up(terms + 10 + kRoundingsPerChange * kMostChanges, kUnitRoundoff64);
    const double magnitude = sum_magnitude * (1 + 2 * gamma) + more;
    return ((gamma + 2 * relative_error) * magnitude +
            static_cast<double>(terms + kMostChanges + 4) * kSmallestNormal64) *
           (1 + 0x1p-40);
  }

 private:
  // Of weights[e] x[columns[e]].
  struct Terms {
    const std::int32_t* columns;
    const double* weights;
    std::int64_t count;
  };

  // Whether an end may still be moved: each costs the sums some roundings.
  bool is_done() const { return empty || bounds_.changes >= kMostChanges; }

  // At least `bound`, at most `bound`. NaN never passes.
  void raise(std::int64_t i, double bound) {
    const double l = lower_[at(i)], u = upper_[at(i)];
    if (bound > u) empty = true;
    if (is_done() || (!(bound > l + kLeastCut * (u - l)) && !(bound > l && l < 0 && bound >= 0))) return;
    changed = true;
    contraction_.raise(i, bound, bounds_);
  }
  void reduce(std::int64_t i, double bound) {
    const double l = lower_[at(i)], u = upper_[at(i)];
    if (bound < l) empty = true;
    if (is_done() || (!(bound < u - kLeastCut * (u - l)) && !(bound < u && u > 0 && bound <= 0))) return;
    changed = true;
    contraction_.reduce(i, bound, bounds_);
  }

  // Where all others together leave more room than the widest term takes, no end of a term moves. NaN is no room.
  static bool has_room(double low, double high, double least, double most, double widest) {
    return most - low >= widest && high - least >= widest;
  }
  // Each term is at most what is left of `most` when the others are least; nothing where `most` is infinite.
  void narrow_terms(const Terms& terms, const WeightedInterval& sum, double least, double most) {
    if (has_room(sum.low, sum.high, least, most, sum.widest)) return;
    for (std::int64_t e = 0; e < terms.count; ++e) {
      const double w = terms.weights[e];
      const std::int64_t i = terms.columns[e];
      const double a = w * lower_[at(i)], b = w * upper_[at(i)];
      const double least_end = w > 0 ? a : b, most_end = w > 0 ? b : a;
      const double most_here = most - (sum.low - least_end);
      const double least_here = least - (sum.high - most_end);
      if (most_here < most_end) w > 0 ? reduce(i, round_up(most_here / w)) : raise(i, round_down(most_here / w));
      if (least_here > least_end) w > 0 ? raise(i, round_down(least_here / w)) : reduce(i, round_up(least_here / w));
      if (is_done()) return;
    }
  }

  void affine(const ContractionRows& rows, std::int64_t output) {
    for (std::int64_t j = 0; j < std::ssize(rows.bias) && !is_done(); ++j) {
      const std::int64_t row = rows.first + j, y = output + j;
      if (!take(row)) continue;
      // Least sums only grow, and largest ones only shrink: NaN and the other infinity are overflows, or ends that were
      // infinite.
      if (!(bounds_.low[at(row)] < kInfinity) || !(bounds_.high[at(row)] > -kInfinity)) refresh(rows, j);
      const double bias = rows.bias[at(j)], slack = base_.slack[at(row)];
      const double low = bounds_.low[at(row)] + bias - slack, high = bounds_.high[at(row)] + bias + slack;
      raise(y, low);
      reduce(y, high);
      if (is_done()) return;
      const double l = lower_[at(y)], u = upper_[at(y)];
      if (!(l > low) && !(u < high)) continue;
      const double least = l - bias - slack, most = u - bias + slack;
      if (has_room(bounds_.low[at(row)], bounds_.high[at(row)], least, most, base_.widest[at(row)])) continue;
      const std::int64_t first = rows.starts[at(j)];
      narrow_terms({rows.columns.data() + first, rows.weights.data() + first, rows.starts[at(j + 1)] - first},
                   refresh(rows, j), least, most);
    }
  }

  void image(const ContractionImage& image, std::int64_t operand, std::int64_t output) {
    for (std::int64_t i = 0; i < image.columns && !is_done(); ++i) {
      if (!take(contraction_.rows_ + image.first + i)) continue;
      const std::int64_t x = operand + i, y = output + i;
      double l = lower_[at(x)], u = upper_[at(x)];
      const double error = image.function->deployed_error(l, u, image.unit_roundoff);
      double low = 0, high = 0;
      image.function->image(l, u, low, high);
      raise(y, sub_down(low, error));
      reduce(y, add_up(high, error));
      if (is_done()) return;
      image.function->narrow(sub_down(lower_[at(y)], error), add_up(upper_[at(y)], error), l, u);
      raise(x, l);
      reduce(x, u);
    }
  }

  // A row of a specification that is at most zero.
  void violated(const LinearSpec& spec, std::int32_t row, std::span<const std::int64_t> positions) {
    columns_.clear();
    weights_.clear();
    double error = spec.constant_errors[at(row)];
    for (std::int64_t k = 0; k < spec.outputs; ++k) {
      const std::int64_t entry = row * spec.outputs + k, y = positions[at(k)];
      const double largest = std::max(std::fabs(lower_[at(y)]), std::fabs(upper_[at(y)]));
      const double lost = spec.output_coefficient_errors[at(entry)];
      if (lost != 0) error += lost * largest;
      if (spec.output_coefficients[at(entry)] == 0) continue;
      columns_.push_back(static_cast<std::int32_t>(y));
      weights_.push_back(spec.output_coefficients[at(entry)]);
    }
    const Terms terms{columns_.data(), weights_.data(), std::ssize(columns_)};
    const WeightedInterval sum =
        weighted_interval(terms.weights, terms.columns, terms.count, lower_.data(), upper_.data());
    const double constant = spec.constants[at(row)];
    const double slack = (rounding(terms.count, sum.magnitude, std::fabs(constant), 0) +
                          error * (1 + static_cast<double>(spec.outputs) * 0x1p-52)) *
                         (1 + 0x1p-40);
    if (sum.low + constant > slack) empty = true;
    if (!is_done()) narrow_terms(terms, sum, -kInfinity, slack - constant);
  }

  // Whether the constraint is to be looked at, which it then is.
  bool take(std::int64_t constraint) {
    char& pending = bounds_.pending[at(constraint)];
    if (pending == 0) return false;
    pending = 0;
    return true;
  }

  const Contraction& contraction_;
  const ContractionBase& base_;
  ValueBounds& bounds_;
  std::vector<double>& lower_;
  std::vector<double>& upper_;
  std::vector<std::int32_t> columns_;
  std::vector<double> weights_;
};

ContractionBase Contraction::base(std::span<const GivenValue> given) const {
  ContractionBase base;
  ValueBounds& bounds = base.bounds;
  for (const bool upper : {false, true}) {
    std::vector<double>& to = upper ? bounds.upper : bounds.lower;
    const auto append = [&](ValueId value) {
      const std::vector<double>& from = upper ? given[at(value)].upper : given[at(value)].lower;
      ensure(std::ssize(to) == offset(value), "the values given are not those that are narrowed");
      to.insert(to.end(), from.begin(), from.end());
    };
    const auto first = std::find(offsets_.begin(), offsets_.end(), 0);
    append(static_cast<ValueId>(first - offsets_.begin()));
    for (const ContractionStep& step : steps_) append(step.affine ? step.affine->output : step.image->output);
  }
  bounds.low.resize(at(rows_));
  bounds.high.resize(at(rows_));
  bounds.pending.assign(at(rows_ + images_), 1);
  Pass pass(*this, base, bounds);
  for (const ContractionStep& step : steps_) {
    if (!step.affine) continue;
    const ContractionRows& rows = *step.affine;
    const std::vector<float>& weights = given[at(rows.output)].error_weights;
    for (std::int64_t j = 0; j < std::ssize(rows.bias); ++j) {
      const WeightedInterval sum = pass.refresh(rows, j);
      const auto y = at(offset(rows.output) + j);
      const double largest = std::max(std::fabs(bounds.lower[y]), std::fabs(bounds.upper[y]));
      const std::int64_t terms = rows.starts[at(j + 1)] - rows.starts[at(j)];
      base.slack.push_back(
          (Pass::rounding(terms, sum.magnitude, std::fabs(rows.bias[at(j)]) + largest, rows.weight_error) +
           kBiasError * rows.magnitude[at(j)] + static_cast<double>(weights[at(j)])) *
          (1 + 0x1p-40));
      base.widest.push_back(sum.widest);
    }
  }
  ValueBounds narrowed = bounds;
  Pass narrowing(*this, base, narrowed);
  narrowing.run(nullptr, {});
  // Where nothing fits, the subproblems say so.
  if (narrowing.empty) return base;
  bounds = std::move(narrowed);
  // What moving ends has rounded away is not to count towards what subproblems may: their changes begin with new sums.
  bounds.changes = 0;
  for (const ContractionStep& step : steps_) {
    if (!step.affine) continue;
    for (std::int64_t j = 0; j < std::ssize(step.affine->bias); ++j) pass.refresh(*step.affine, j);
  }
  return base;
}

bool Contraction::contract(const ContractionBase& base, const LinearSpec& spec, std::span<const std::int32_t> violated,
                           ValueBounds& bounds) const {
  Pass pass(*this, base, bounds);
  pass.run(&spec, violated);
  return !pass.empty;
}

}  // namespace boundflow
