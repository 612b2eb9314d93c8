// Gemm: alpha A' B' + beta C with A' = A or A^T, B' likewise, and C broadcast to the result. Opsets 6 (with `broadcast`
// mapped away at import) to 13.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ops/broadcast.hpp"
#include "ops/exact_arithmetic.hpp"
#include "ops/matrix_product.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

struct Gemm {
  std::int64_t m = 0;
  std::int64_t k = 0;
  std::int64_t n = 0;
  bool trans_a = false;
  bool trans_b = false;
  double alpha = 1;
  double beta = 1;
  Shape output() const { return {m, n}; }
};

Gemm read(const NodeView& node) {
  const Shape& a = node.input_type(0).shape;
  const Shape& b = node.input_type(1).shape;
  if (a.size() != 2 || b.size() != 2) {
    node.malformed(fmt::format("A {} and B {} must be matrices", to_string(a), to_string(b)));
  }
  Gemm gemm;
  gemm.trans_a = node.int_attribute("transA", 0) != 0;
  gemm.trans_b = node.int_attribute("transB", 0) != 0;
  gemm.alpha = node.float_attribute("alpha", 1);
  gemm.beta = node.float_attribute("beta", 1);
  gemm.m = a[gemm.trans_a ? 1 : 0];
  gemm.k = a[gemm.trans_a ? 0 : 1];
  gemm.n = b[gemm.trans_b ? 0 : 1];
  if (b[gemm.trans_b ? 1 : 0] != gemm.k) {
    node.malformed(fmt::format("A {}{} and B {}{} do not fit", to_string(a), gemm.trans_a ? " transposed" : "",
                               to_string(b), gemm.trans_b ? " transposed" : ""));
  }
  if (!std::isfinite(gemm.alpha) || !std::isfinite(gemm.beta)) node.malformed("alpha and beta must be finite");
  if (node.has_input(2) && !broadcasts_to(node.input_type(2).shape, gemm.output())) {
    node.malformed(
        fmt::format("C {} does not broadcast to {}", to_string(node.input_type(2).shape), to_string(gemm.output())));
  }
  return gemm;
}

std::vector<TensorType> infer(const NodeView& node) {
  const DType dtype = common_floating_dtype(node);
  return {{dtype, read(node).output()}};
}

Cost cost(const NodeView& node) {
  const Gemm gemm = read(node);
  const double m = static_cast<double>(gemm.m), k = static_cast<double>(gemm.k), n = static_cast<double>(gemm.n);
  // A variable that is transposed may need a matrix over all of its elements, see product_map.
  const bool variable_left = node.constant(1) != nullptr;
  const double variable = variable_left ? m : n, constant = variable_left ? n : m;
  const bool transposed = variable_left ? gemm.trans_a : gemm.trans_b;
  const bool full = transposed && variable > 1 && k > 1 && constant > 1;
  return {m * k * n, full ? m * n * k * variable : 0};
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const Gemm gemm = read(node);
  return with_floating_type(inputs[0]->dtype(), [&](auto zero) -> std::vector<Tensor> {
    using T = decltype(zero);
    const std::vector<T>& a = elements<T>(*inputs[0]);
    const std::vector<T>& b = elements<T>(*inputs[1]);
    const auto alpha = static_cast<T>(gemm.alpha);
    const auto beta = static_cast<T>(gemm.beta);
    std::vector<T> c;
    if (node.has_input(2)) c = broadcast_elements(elements<T>(*inputs[2]), inputs[2]->shape(), gemm.output());
    std::vector<T> y;
    for (std::int64_t m = 0; m < gemm.m; ++m) {
      for (std::int64_t n = 0; n < gemm.n; ++n) {
        T value = dot<T>(
            gemm.k, [&](std::int64_t k) { return a[matrix_index(m, k, gemm.m, gemm.k, gemm.trans_a)]; },
            [&](std::int64_t k) { return b[matrix_index(k, n, gemm.k, gemm.n, gemm.trans_b)]; });
        if (alpha != 1) value *= alpha;
        if (!c.empty()) value += beta == 1 ? c[y.size()] : beta * c[y.size()];
        y.push_back(value);
      }
    }
    return {Tensor(gemm.output(), std::move(y))};
  });
}

std::optional<std::vector<Tensor>> fold(const NodeView& node, std::span<const Tensor* const> inputs) {
  const Gemm gemm = read(node);
  if (gemm.alpha != 1 || (node.has_input(2) && gemm.beta != 1)) return std::nullopt;
  const std::vector<double> a = inputs[0]->to_doubles();
  const std::vector<double> b = inputs[1]->to_doubles();
  std::vector<double> c;
  if (node.has_input(2)) c = broadcast_elements(inputs[2]->to_doubles(), inputs[2]->shape(), gemm.output());
  const bool exact = exact_sums(inputs[0]->dtype(), gemm.m * gemm.n, [&](std::int64_t i, ExactTerms& terms) {
    for (std::int64_t k = 0; k < gemm.k; ++k) {
      terms.add_product(a[matrix_index(i / gemm.n, k, gemm.m, gemm.k, gemm.trans_a)],
                        b[matrix_index(k, i % gemm.n, gemm.k, gemm.n, gemm.trans_b)]);
    }
    if (!c.empty()) terms.add(c[static_cast<std::size_t>(i)]);
  });
  if (!exact) return std::nullopt;
  return evaluate(node, inputs);
}

double scaled(const NodeView& node, double factor, double weight, std::string_view name) {
  const std::optional<double> product = exact_product(factor, weight);
  if (!product) node.unsupported(fmt::format("{} = {} does not scale the float64 constants exactly", name, factor));
  return *product;
}

// [rows, columns] to [columns, rows].
std::vector<double> transposed(const std::vector<double>& matrix, std::int64_t rows, std::int64_t columns) {
  std::vector<double> result;
  result.reserve(matrix.size());
  for (std::int64_t column = 0; column < columns; ++column) {
    for (std::int64_t row = 0; row < rows; ++row) {
      result.push_back(matrix[matrix_index(row, column, rows, columns, false)]);
    }
  }
  return result;
}

AffineTerm product_term(const NodeView& node, const Gemm& gemm) {
  const bool variable_left = node.constant(1) != nullptr;
  const Tensor* constant = node.constant(variable_left ? 1 : 0);
  if (constant == nullptr) node.unsupported("the product of two variables is not supported");
  if (node.constant(0) != nullptr && node.constant(1) != nullptr) {
    node.unsupported("the product of two constants is not supported unless it folds exactly");
  }
  std::vector<double> weights = constant->to_doubles();
  if (gemm.alpha != 1) {
    for (double& weight : weights) weight = scaled(node, gemm.alpha, weight, "alpha");
  }
  // B is wanted with k varying fastest, as it is stored if it is to be transposed; so is A if it is not.
  if (variable_left ? !gemm.trans_b : gemm.trans_a) {
    weights = transposed(weights, gemm.k, variable_left ? gemm.n : gemm.m);
  }
  const MatrixProduct product{gemm.m, gemm.k, gemm.n, variable_left, variable_left ? gemm.trans_a : gemm.trans_b};
  return {variable_left ? std::size_t{0} : std::size_t{1}, product_map(node, product, std::move(weights))};
}

// beta C for a variable C.
AffineTerm addend_term(const NodeView& node, const Gemm& gemm) {
  const Shape& from = node.input_type(2).shape;
  const std::int64_t out = gemm.m * gemm.n;
  const std::int64_t in = element_count(from);
  std::vector<std::int64_t> source = broadcast_source(from, gemm.output());
  if (gemm.beta == 1 || gemm.beta == -1) {
    return {2, std::make_shared<const LinearMap>(IndexMap{out, in, std::move(source), gemm.beta})};
  }
  if (source.empty()) return {2, std::make_shared<const LinearMap>(DenseMap{1, 1, 1, out, {gemm.beta}})};
  // beta = 0 stays as a map of zeros: if C is not finite in an execution, its bounds are not, and nothing gets proved.
  DenseMap map = full_matrix(node, out, in);
  for (std::int64_t j = 0; j < out; ++j) {
    map.weights[static_cast<std::size_t>(j * in + source[static_cast<std::size_t>(j)])] = gemm.beta;
  }
  return {2, std::make_shared<const LinearMap>(std::move(map))};
}

Facet lower(const NodeView& node) {
  const Gemm gemm = read(node);
  Affine affine;
  affine.terms.push_back(product_term(node, gemm));
  if (const Tensor* c = node.constant(2)) {
    affine.bias = broadcast_elements(c->to_doubles(), c->shape(), gemm.output());
    for (double& value : affine.bias) value = scaled(node, gemm.beta, value, "beta");
  } else if (node.has_input(2)) {
    affine.terms.push_back(addend_term(node, gemm));
  }
  const bool scales_c = gemm.beta != 1 && node.has_input(2);
  const bool product = gemm.alpha != 1 || affine.terms[0].map->products_round();
  affine.deployed_products = (product ? 1 : 0) + (gemm.alpha != 1 ? 1 : 0) + (scales_c ? 1 : 0);
  affine.deployed_roundings = affine.deployed_products + additions(affine);
  // An execution may scale by alpha after it has summed, or before.
  if (gemm.alpha != 0) affine.deployed_growth = std::max(std::fabs(gemm.alpha), 1 / std::fabs(gemm.alpha));
  if (scales_c) affine.deployed_growth *= std::max(1.0, std::fabs(gemm.beta));
  return affine;
}

std::vector<Spelling> spell(const NodeView& node) {
  const Gemm gemm = read(node);
  Spelling spelling = as_written(node);
  spelling.attributes.clear();
  if (gemm.alpha != 1) spelling.attributes["alpha"] = gemm.alpha;
  if (gemm.beta != 1 && node.has_input(2)) spelling.attributes["beta"] = gemm.beta;
  if (gemm.trans_a) spelling.attributes["transA"] = std::int64_t{1};
  const Tensor* weights = node.constant(1);
  if (weights != nullptr && !gemm.trans_b) spelling.inputs[1] = transposed_matrix(*weights);
  if (gemm.trans_b || weights != nullptr) spelling.attributes["transB"] = std::int64_t{1};
  return {spelling};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const std::int64_t m = random.integer(1, 3), k = random.integer(1, 4), n = random.integer(1, 5);
  const std::int64_t trans_a = random.integer(0, 1), trans_b = random.integer(0, 1);
  Attributes attributes{{"transA", trans_a}, {"transB", trans_b}};
  if (random.coin()) attributes["alpha"] = static_cast<double>(static_cast<float>(random.uniform(-2, 2)));
  if (random.coin()) attributes["beta"] = static_cast<double>(random.integer(-1, 1)) * (random.coin() ? 1.0 : 0.625);
  const Shape a = trans_a != 0 ? Shape{k, m} : Shape{m, k};
  const Shape b = trans_b != 0 ? Shape{n, k} : Shape{k, n};
  const bool variable_left = random.coin();
  const ValueId x = sample.input(variable_left ? a : b);
  std::vector<ValueId> inputs{variable_left ? x : sample.constant(a), variable_left ? sample.constant(b) : x};
  const std::vector<Shape> addends{{}, {n}, {1}, {1, n}, {m, 1}, {m, n}, {1, 1}};
  const auto choice = static_cast<std::size_t>(random.integer(0, 8));
  if (choice < addends.size()) {
    inputs.push_back(sample.constant(addends[choice]));
  } else if (choice == addends.size() && broadcasts_to(sample.shape_of(x), {m, n})) {
    inputs.push_back(x);
  }
  return sample.finish("Gemm", std::move(inputs), std::move(attributes));
}

}  // namespace

Operator gemm_operator() {
  return {.name = "Gemm",
          .min_inputs = 2,
          .max_inputs = 3,
          .merged_form = "FoldedGemm",
          .attributes = {"alpha", "beta", "transA", "transB"},
          .infer = infer,
          .cost = cost,
          .evaluate = evaluate,
          .fold = fold,
          .lower = lower,
          .spell = spell,
          .sample = sample};
}

}  // namespace boundflow
