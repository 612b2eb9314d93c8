// MatMul as numpy.matmul: a 1-D operand is a row on the left, a column on the right, and loses that dimension again;
// leading dimensions broadcast. Opsets 1 to 13.
#include <fmt/format.h>

#include "ops/broadcast.hpp"
#include "ops/exact_arithmetic.hpp"
#include "ops/matrix_product.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/sparse_rows.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

struct MatMul {
  std::int64_t m = 0;
  std::int64_t k = 0;
  std::int64_t n = 0;
  Shape batch_a;  // leading dimensions
  Shape batch_b;
  Shape batch;  // what they broadcast to
  Shape output;
};

MatMul read(const NodeView& node) {
  Shape a = node.input_type(0).shape;
  Shape b = node.input_type(1).shape;
  if (a.empty() || b.empty()) node.malformed("a scalar operand; matrices or vectors are expected");
  const bool row = a.size() == 1;
  const bool column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  MatMul matmul;
  matmul.m = a[a.size() - 2];
  matmul.k = a.back();
  matmul.n = b.back();
  if (b[b.size() - 2] != matmul.k) {
    node.malformed(
        fmt::format("{} and {} do not fit", to_string(node.input_type(0).shape), to_string(node.input_type(1).shape)));
  }
  matmul.batch_a.assign(a.begin(), a.end() - 2);
  matmul.batch_b.assign(b.begin(), b.end() - 2);
  matmul.batch = broadcast_shape(node, matmul.batch_a, matmul.batch_b);
  matmul.output = matmul.batch;
  if (!row) matmul.output.push_back(matmul.m);
  if (!column) matmul.output.push_back(matmul.n);
  return matmul;
}

std::vector<TensorType> infer(const NodeView& node) {
  const DType dtype = common_floating_dtype(node);
  return {{dtype, read(node).output}};
}

Cost cost(const NodeView& node) {
  const MatMul mm = read(node);
  const double products = static_cast<double>(element_count(mm.output)) * static_cast<double>(mm.k);
  const bool one = element_count(node.constant(1) != nullptr ? mm.batch_b : mm.batch_a) == 1;
  return {products, one ? 0 : products};
}

// For each matrix of the broadcast batch, where the operand's matrix of `size` elements begins.
std::vector<std::size_t> matrix_offsets(const Shape& own, const Shape& batch, std::int64_t size) {
  std::vector<std::size_t> offsets;
  const std::vector<std::int64_t> source = broadcast_source(own, batch);
  for (std::int64_t i = 0; i < element_count(batch); ++i) {
    offsets.push_back(static_cast<std::size_t>((source.empty() ? i : source[static_cast<std::size_t>(i)]) * size));
  }
  return offsets;
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const MatMul mm = read(node);
  return with_floating_type(inputs[0]->dtype(), [&](auto zero) -> std::vector<Tensor> {
    using T = decltype(zero);
    const std::vector<std::size_t> starts_a = matrix_offsets(mm.batch_a, mm.batch, mm.m * mm.k);
    const std::vector<std::size_t> starts_b = matrix_offsets(mm.batch_b, mm.batch, mm.k * mm.n);
    std::vector<T> y;
    for (std::size_t i = 0; i < starts_a.size(); ++i) {
      const T* a = elements<T>(*inputs[0]).data() + starts_a[i];
      const T* b = elements<T>(*inputs[1]).data() + starts_b[i];
      for (std::int64_t m = 0; m < mm.m; ++m) {
        for (std::int64_t n = 0; n < mm.n; ++n) {
          y.push_back(dot<T>(
              mm.k, [&](std::int64_t k) { return a[m * mm.k + k]; }, [&](std::int64_t k) { return b[k * mm.n + n]; }));
        }
      }
    }
    return {Tensor(mm.output, std::move(y))};
  });
}

std::optional<std::vector<Tensor>> fold(const NodeView& node, std::span<const Tensor* const> inputs) {
  const MatMul mm = read(node);
  const std::vector<std::size_t> starts_a = matrix_offsets(mm.batch_a, mm.batch, mm.m * mm.k);
  const std::vector<std::size_t> starts_b = matrix_offsets(mm.batch_b, mm.batch, mm.k * mm.n);
  const std::vector<double> a = inputs[0]->to_doubles();
  const std::vector<double> b = inputs[1]->to_doubles();
  const bool exact = exact_sums(inputs[0]->dtype(), element_count(mm.output), [&](std::int64_t i, ExactTerms& terms) {
    const auto matrix = static_cast<std::size_t>(i / (mm.m * mm.n));
    const std::int64_t row = i / mm.n % mm.m, column = i % mm.n;
    for (std::int64_t k = 0; k < mm.k; ++k) {
      terms.add_product(a[starts_a[matrix] + matrix_index(row, k, mm.m, mm.k, false)],
                        b[starts_b[matrix] + matrix_index(k, column, mm.k, mm.n, false)]);
    }
  });
  if (!exact) return std::nullopt;
  return evaluate(node, inputs);
}

// The constant is one matrix for all leading indices, which therefore count as further rows of a variable on the left.
LinearMap one_matrix(const MatMul& mm, const std::vector<double>& weights, bool variable_left) {
  const std::int64_t batch = element_count(mm.batch);
  DenseMap map = variable_left ? DenseMap{batch * mm.m, mm.n, mm.k, 1, {}} : DenseMap{batch, mm.m, mm.k, mm.n, {}};
  if (variable_left) {
    map.weights.reserve(weights.size());
    for (std::int64_t n = 0; n < mm.n; ++n) {
      for (std::int64_t k = 0; k < mm.k; ++k) map.weights.push_back(weights[static_cast<std::size_t>(k * mm.n + n)]);
    }
  } else {
    map.weights = weights;
  }
  return LinearMap(std::move(map));
}

// Each matrix of the batch meets its own one of the constant.
LinearMap many_matrices(const NodeView& node, const MatMul& mm, const std::vector<double>& weights,
                        bool variable_left) {
  const std::vector<std::size_t> starts_a = matrix_offsets(mm.batch_a, mm.batch, mm.m * mm.k);
  const std::vector<std::size_t> starts_b = matrix_offsets(mm.batch_b, mm.batch, mm.k * mm.n);
  const std::int64_t in = element_count(node.input_type(variable_left ? 0 : 1).shape);
  SparseRows rows(node, in, element_count({element_count(mm.output), mm.k}));
  std::vector<LinearMap::Entry> row;
  for (std::size_t i = 0; i < starts_a.size(); ++i) {
    for (std::int64_t m = 0; m < mm.m; ++m) {
      for (std::int64_t n = 0; n < mm.n; ++n) {
        row.clear();
        for (std::int64_t k = 0; k < mm.k; ++k) {
          const std::size_t a = starts_a[i] + matrix_index(m, k, mm.m, mm.k, false);
          const std::size_t b = starts_b[i] + matrix_index(k, n, mm.k, mm.n, false);
          row.push_back({static_cast<std::int64_t>(variable_left ? a : b), weights[variable_left ? b : a]});
        }
        rows.add(row);
      }
    }
  }
  return LinearMap(rows.take());
}

Facet lower(const NodeView& node) {
  const MatMul mm = read(node);
  const bool variable_left = node.constant(1) != nullptr;
  const Tensor* constant = node.constant(variable_left ? 1 : 0);
  if (constant == nullptr) node.unsupported("the product of two variables is not supported");
  if (node.constant(0) != nullptr && node.constant(1) != nullptr) {
    node.unsupported("the product of two constants is not supported unless it folds exactly");
  }
  const std::vector<double> weights = constant->to_doubles();
  const bool one = element_count(variable_left ? mm.batch_b : mm.batch_a) == 1;
  Affine affine;
  affine.terms.push_back({variable_left ? std::size_t{0} : std::size_t{1},
                          std::make_shared<const LinearMap>(one ? one_matrix(mm, weights, variable_left)
                                                                : many_matrices(node, mm, weights, variable_left))});
  affine.deployed_products = affine.terms[0].map->products_round() ? 1 : 0;
  affine.deployed_roundings = affine.deployed_products + additions(affine);
  return affine;
}

// Of two matrices, the second one constant: Gemm.
std::vector<Spelling> spell(const NodeView& node) {
  const Tensor* weights = node.constant(1);
  if (weights == nullptr || weights->shape().size() != 2 || node.input_type(0).shape.size() != 2) {
    return {as_written(node)};
  }
  return {{"Gemm", {node.node().inputs[0], transposed_matrix(*weights)}, {{"transB", std::int64_t{1}}}}};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const std::int64_t k = random.integer(1, 4);
  const bool variable_left = random.coin();
  const bool many = random.coin();
  // A matrix [other, k] or [k, other], or a vector [k]; leading dimensions on the variable, and on the constant ones,
  // or its own.
  const auto operand = [&](bool left, bool leading_ones) {
    Shape shape{k};
    if (random.integer(0, 3) == 0) return shape;
    shape.insert(left ? shape.begin() : shape.end(), random.integer(1, 3));
    for (std::int64_t d = random.integer(0, 2); d > 0; --d) {
      shape.insert(shape.begin(), leading_ones || random.integer(0, 2) == 0 ? 1 : d);
    }
    return shape;
  };
  const ValueId x = sample.input(operand(variable_left, false));
  const ValueId c = sample.constant(operand(!variable_left, !many));
  return sample.finish("MatMul", variable_left ? std::vector<ValueId>{x, c} : std::vector<ValueId>{c, x});
}

}  // namespace

Operator matmul_operator() {
  return {.name = "MatMul",
          .min_inputs = 2,
          .max_inputs = 2,
          .merged_form = "FoldedGemm",
          .infer = infer,
          .cost = cost,
          .evaluate = evaluate,
          .fold = fold,
          .lower = lower,
          .spell = spell,
          .sample = sample};
}

}  // namespace boundflow
