#include "engine/contraction.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/rounding.hpp"

namespace boundflow {

namespace {

constexpr int kPasses = 10;
// Of an interval's width: smaller cuts are not made, since narrowing may go on and on by less and less.
constexpr double kLeastCut = 0.01;
constexpr double kLeastPart = 1e-6;  // that counts for tightness

std::size_t at(std::int64_t index) {
  return static_cast<std::size_t>(index);
}

}  // namespace

std::shared_ptr<const Contraction> Contraction::of(const LoweredNetwork& network) {
  auto made = std::make_shared<Contraction>();
  made->offsets_.assign(network.network().values().size(), -1);
  std::int64_t size = 0, entries = 0;
  const auto place = [&](ValueId value) {
    made->offsets_[at(value)] = size;
    size += network.columns(value);
  };
  place(network.network().input());
  std::vector<LinearMap::Entry> row;
  for (const LoweredNode& node : network.nodes()) {
    place(node.output);
    const std::int64_t first = made->constraints_;
    made->constraints_ += network.columns(node.output);
    ContractionStep& step = made->steps_.emplace_back();
    if (node.facet == FacetKind::Joint) return nullptr;
    if (node.facet == FacetKind::Elementwise) {
      step.image = ContractionImage{.operand = node.operands[0],
                                    .output = node.output,
                                    .first = first,
                                    .columns = network.columns(node.output),
                                    .function = node.function,
                                    .unit_roundoff = node.unit_roundoff};
      continue;
    }
    ContractionRows& rows = step.affine.emplace();
    rows.output = node.output;
    rows.first = first;
    rows.starts.push_back(0);
    for (std::int64_t j = 0; j < network.columns(node.output); ++j) {
      for (std::size_t t = 0; t < node.operands.size(); ++t) {
        node.affine->maps[t]->row(j, row);
        for (const LinearMap::Entry& entry : row) {
          if (entry.weight == 0) continue;
          if (++entries > kMostEntries) return nullptr;
          rows.columns.push_back(static_cast<std::int32_t>(made->offset(node.operands[t]) + entry.column));
          rows.weights.push_back(entry.weight);
        }
      }
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

// Each pair of a constraint and a coordinate that it looks at.
template <class Visit>
void Contraction::for_each_look(const Visit& visit) const {
  for (const ContractionStep& step : steps_) {
    if (step.image) {
      for (std::int64_t j = 0; j < step.image->columns; ++j) {
        visit(step.image->first + j, offset(step.image->operand) + j);
        visit(step.image->first + j, offset(step.image->output) + j);
      }
      continue;
    }
    const ContractionRows& rows = *step.affine;
    for (std::int64_t j = 0; j < std::ssize(rows.bias); ++j) {
      visit(rows.first + j, offset(rows.output) + j);
      for (std::int64_t e = rows.starts[at(j)]; e < rows.starts[at(j + 1)]; ++e) {
        visit(rows.first + j, rows.columns[at(e)]);
      }
    }
  }
}

void Contraction::index_readers(std::int64_t coordinates) {
  first_reader_.assign(at(coordinates + 1), 0);
  for_each_look([&](std::int64_t, std::int64_t i) { ++first_reader_[at(i + 1)]; });
  std::partial_sum(first_reader_.begin(), first_reader_.end(), first_reader_.begin());
  readers_.resize(at(first_reader_.back()));
  std::vector<std::int64_t> next = first_reader_;
  for_each_look([&](std::int64_t constraint, std::int64_t i) {
    readers_[at(next[at(i)]++)] = static_cast<std::int32_t>(constraint);
  });
}

void Contraction::touch(std::int64_t i, ValueBounds& bounds) const {
  for (std::int64_t k = first_reader_[at(i)]; k < first_reader_[at(i + 1)]; ++k) {
    bounds.pending[at(readers_[at(k)])] = 1;
  }
}

std::int64_t Contraction::bytes() const {
  std::int64_t bytes = std::ssize(readers_) * 4 + std::ssize(first_reader_) * 8;
  for (const ContractionStep& step : steps_) {
    if (!step.affine) continue;
    bytes += std::ssize(step.affine->columns) * 12 + std::ssize(step.affine->bias) * 24;
  }
  return bytes;
}

ValueBounds Contraction::bounds(std::span<const GivenValue> given) const {
  ValueBounds bounds;
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
  bounds.tightness.assign(bounds.lower.size(), 0.0F);
  bounds.pending.assign(at(constraints_), 1);
  return bounds;
}

class Contraction::Pass {
 public:
  Pass(const Contraction& contraction, std::span<const GivenValue> given, ValueBounds& bounds)
      : contraction_(contraction),
        given_(given),
        bounds_(bounds),
        lower_(bounds.lower),
        upper_(bounds.upper),
        tightness_(bounds.tightness) {}

  bool changed = false;
  bool empty = false;

  // At least `bound`, at most `bound`. NaN never passes.
  void raise(std::int64_t i, double bound) {
    double& l = lower_[at(i)];
    const double u = upper_[at(i)];
    if (bound > u) empty = true;
    if (!(bound > l + kLeastCut * (u - l)) && !(bound > l && l < 0 && bound >= 0)) return;
    l = bound;
    note_change(i);
  }
  void reduce(std::int64_t i, double bound) {
    const double l = lower_[at(i)];
    double& u = upper_[at(i)];
    if (bound < l) empty = true;
    if (!(bound < u - kLeastCut * (u - l)) && !(bound < u && u > 0 && bound <= 0)) return;
    u = bound;
    note_change(i);
  }

  // Of weights[e] x[columns[e]].
  struct Sum {
    const std::int32_t* columns;
    const double* weights;
    std::int64_t terms;
    double relative_error;  // of weights
    double low = 0, high = 0, magnitude = 0;
  };
  void add_up_terms(Sum& sum) const {
    for (std::int64_t e = 0; e < sum.terms; ++e) {
      const double w = sum.weights[e];
      const double a = w * lower_[at(sum.columns[e])], b = w * upper_[at(sum.columns[e])];
      sum.low += w > 0 ? a : b;
      sum.high += w > 0 ? b : a;
      sum.magnitude += std::max(std::fabs(a), std::fabs(b));
    }
  }
  // What computing with the sum and one more number of this magnitude may round away, underflow included.
  static double rounding(const Sum& sum, double more) {
    const double gamma = gamma_up(sum.terms + 10, kUnitRoundoff64);
    const double magnitude = sum.magnitude * (1 + 2 * gamma) + more;
    return ((gamma + 2 * sum.relative_error) * magnitude + static_cast<double>(sum.terms + 4) * kSmallestNormal64) *
           (1 + 0x1p-40);
  }
  // Each term is at most what is left of `most` when the others are least; nothing where `most` is infinite.
  void narrow_terms(const Sum& sum, double least, double most) {
    for (std::int64_t e = 0; e < sum.terms; ++e) {
      const double w = sum.weights[e];
      const std::int64_t i = sum.columns[e];
      const double a = w * lower_[at(i)], b = w * upper_[at(i)];
      const double most_here = most - (sum.low - (w > 0 ? a : b));
      const double least_here = least - (sum.high - (w > 0 ? b : a));
      if (w > 0) {
        reduce(i, round_up(most_here / w));
        raise(i, round_down(least_here / w));
      } else {
        raise(i, round_down(most_here / w));
        reduce(i, round_up(least_here / w));
      }
      if (empty) return;
    }
  }

  void affine(const ContractionRows& rows, std::int64_t output) {
    const std::vector<float>& weights = given_[at(rows.output)].error_weights;
    for (std::int64_t j = 0; j < std::ssize(rows.bias) && !empty; ++j) {
      if (!take(rows.first + j)) continue;
      const std::int64_t first = rows.starts[at(j)], y = output + j;
      Sum sum{rows.columns.data() + first, rows.weights.data() + first, rows.starts[at(j + 1)] - first,
              rows.weight_error};
      add_up_terms(sum);
      const double bias = rows.bias[at(j)];
      const double largest = std::max(std::fabs(lower_[at(y)]), std::fabs(upper_[at(y)]));
      const double slack = (rounding(sum, std::fabs(bias) + largest) + kBiasError * rows.magnitude[at(j)] +
                            static_cast<double>(weights[at(j)])) *
                           (1 + 0x1p-40);
      const double low = sum.low + bias - slack, high = sum.high + bias + slack;
      raise(y, low);
      reduce(y, high);
      if (empty) return;
      const double l = lower_[at(y)], u = upper_[at(y)];
      const double part = (u - l) / (high - low);
      tightness_[at(y)] = part < 1 ? -std::log(static_cast<float>(std::max(part, kLeastPart))) : 0.0F;
      if (l > low || u < high) narrow_terms(sum, l - bias - slack, u - bias + slack);
    }
  }

  void image(const ContractionImage& image, std::int64_t operand, std::int64_t output) {
    for (std::int64_t i = 0; i < image.columns && !empty; ++i) {
      if (!take(image.first + i)) continue;
      const std::int64_t x = operand + i, y = output + i;
      double l = lower_[at(x)], u = upper_[at(x)];
      const double error = image.function->deployed_error(l, u, image.unit_roundoff);
      double low = 0, high = 0;
      image.function->image(l, u, low, high);
      raise(y, sub_down(low, error));
      reduce(y, add_up(high, error));
      if (empty) return;
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
    Sum sum{columns_.data(), weights_.data(), std::ssize(columns_), 0};
    add_up_terms(sum);
    const double constant = spec.constants[at(row)];
    const double slack =
        (rounding(sum, std::fabs(constant)) + error * (1 + static_cast<double>(spec.outputs) * 0x1p-52)) *
        (1 + 0x1p-40);
    if (sum.low + constant > slack) empty = true;
    if (!empty) narrow_terms(sum, -kInfinity, slack - constant);
  }

 private:
  // Whether the constraint is to be looked at, which it then is.
  bool take(std::int64_t constraint) {
    char& pending = bounds_.pending[at(constraint)];
    if (pending == 0) return false;
    pending = 0;
    return true;
  }
  void note_change(std::int64_t i) {
    changed = true;
    contraction_.touch(i, bounds_);
  }

  const Contraction& contraction_;
  std::span<const GivenValue> given_;
  ValueBounds& bounds_;
  std::vector<double>& lower_;
  std::vector<double>& upper_;
  std::vector<float>& tightness_;
  std::vector<std::int32_t> columns_;
  std::vector<double> weights_;
};

bool Contraction::contract(std::span<const GivenValue> given, const LinearSpec& spec,
                           std::span<const std::int32_t> violated, ValueBounds& bounds) const {
  Pass pass(*this, given, bounds);
  const auto visit = [&](const ContractionStep& step) {
    if (step.affine) {
      pass.affine(*step.affine, offset(step.affine->output));
    } else {
      pass.image(*step.image, offset(step.image->operand), offset(step.image->output));
    }
  };
  for (int done = 0; done < kPasses && !pass.empty; ++done) {
    pass.changed = false;
    for (const std::int32_t row : violated) pass.violated(spec, row, output_positions_);
    for (auto step = steps_.rbegin(); step != steps_.rend() && !pass.empty; ++step) visit(*step);
    for (auto step = steps_.begin(); step != steps_.end() && !pass.empty; ++step) visit(*step);
    if (!pass.changed) break;
  }
  return !pass.empty;
}

}  // namespace boundflow
