#include "exec/tvm/known_answers.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "exec/native/kernels.hpp"
#include "exec/tvm/generated_kernels.hpp"

namespace boundflow::generated {

namespace {

constexpr std::size_t kRowAxes = 4;  // places, tiles, kinds, rows: those of a and c that have strides

// f(offset in a, offset in c, kind) for each row.
template <class Visit>
void for_each_row(const TensorArgument& a, const TensorArgument& c, const Visit& visit) {
  for (std::int64_t q = 0; q < c.shape[0]; ++q) {
    for (std::int64_t t = 0; t < c.shape[1]; ++t) {
      for (std::int64_t h = 0; h < c.shape[2]; ++h) {
        for (std::int64_t r = 0; r < c.shape[3]; ++r) {
          std::array<std::int64_t, 2> offset{};
          for (std::size_t axis = 0; axis < kRowAxes; ++axis) {
            const std::int64_t index = std::array{q, t, h, r}[axis];
            offset[0] += index * a.strides[axis];
            offset[1] += index * c.strides[axis];
          }
          visit(offset[0], offset[1], h);
        }
      }
    }
  }
}

// Of rows with one more element between them, and two between what holds several of them.
std::vector<std::int64_t> strides_with_gaps(std::span<const std::int64_t> shape, std::int64_t row) {
  std::vector<std::int64_t> strides(kRowAxes);
  std::int64_t stride = row + 1;
  for (std::size_t axis = kRowAxes; axis-- > 0; stride += 2) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

bool is_same(float a, float b) {
  return std::isnan(a) ? std::isnan(b) : a == b;
}

}  // namespace

void run_plainly(const ProductKernel& kernel, std::span<const TensorArgument> arguments) {
  const TensorArgument &a = arguments.front(), &b = arguments[1], &c = arguments.back();
  const std::int64_t groups = b.shape[0], k = b.shape[2];
  const auto* const columns = kernel.listed ? static_cast<const std::int64_t*>(arguments[2].data) : nullptr;
  const auto* const rows = kernel.listed ? static_cast<const std::int64_t*>(arguments[3].data) : nullptr;
  const std::int64_t steps = kernel.listed ? arguments[2].shape[0] : k;
  for_each_row(a, c, [&](std::int64_t from, std::int64_t to, std::int64_t kind) {
    const float* const x = static_cast<const float*>(a.data) + from;
    float* const y = static_cast<float*>(c.data) + to;
    for (std::int64_t panel = 0; panel < groups * kernel.panels; ++panel) {
      const float* const matrix = static_cast<const float*>(b.data) + panel * k * kernel.width;
      for (std::int64_t w = 0; w < kernel.lanes; ++w) {
        float sum = 0;
        for (std::int64_t s = 0; s < steps; ++s) {
          const float weight = matrix[(kernel.listed ? rows[s] : s) * kernel.width + w];
          sum += x[kernel.listed ? columns[s] : s] * (kind == 0 ? weight : std::fabs(weight));
        }
        y[panel * kernel.width + w] = sum;
      }
    }
  });
}

void check_answers(const ProductKernel& kernel, const LoadedKernel& loaded) {
  constexpr std::int64_t kPlaces = 2, kTiles = 3, kGroups = 2, kDepth = 5;
  const std::int64_t kinds = 1 + kernel.spans, width = kernel.width, panels = kernel.panels;
  const std::int64_t a_shape[] = {kPlaces, kTiles, kinds, kernel.rows, kDepth};
  std::vector<std::int64_t> a_strides = strides_with_gaps(a_shape, kDepth);
  a_strides.push_back(1);
  const std::int64_t b_shape[] = {kGroups, panels, kDepth, width};
  const std::int64_t c_shape[] = {kPlaces, kTiles, kinds, kernel.rows, kGroups, panels, kernel.lanes};
  std::vector<std::int64_t> c_strides = strides_with_gaps(c_shape, kGroups * panels * width);
  c_strides.insert(c_strides.end(), {panels * width, width, 1});
  std::int64_t columns[] = {3, 0, 4, 1}, rows[] = {1, 4, 0, 2};
  const std::int64_t steps[] = {std::ssize(columns)};

  std::vector<float> entries(static_cast<std::size_t>(kPlaces * a_strides[0]));
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = static_cast<float>(i * 7 % 11) - 5;
  std::vector<double> weights(static_cast<std::size_t>(kDepth * kGroups * panels * width));
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<double>(i * 5 % 13) - 6;
  const native::PackedMatrix<float> matrix(weights, kDepth, kGroups * panels * width, false, false);

  for (const float first : {1.0F, std::numeric_limits<float>::quiet_NaN()}) {
    entries[0] = first;  // of column 0 in one row
    std::vector<float> computed(static_cast<std::size_t>(kPlaces * c_strides[0]), -1.5F);
    std::vector<float> expected = computed;
    std::vector<TensorArgument> arguments{{entries.data(), false, a_shape, a_strides.data()},
                                          {const_cast<float*>(matrix.view().panels), false, b_shape}};
    if (kernel.listed) arguments.insert(arguments.end(), {{columns, true, steps}, {rows, true, steps}});
    arguments.push_back({computed.data(), false, c_shape, c_strides.data()});
    loaded.run(arguments);
    arguments.back().data = expected.data();
    run_plainly(kernel, arguments);
    for (std::size_t i = 0; i < computed.size(); ++i) {
      if (!is_same(computed[i], expected[i])) {
        throw std::runtime_error("a generated kernel fails its test (" + describe(kernel) + ")");
      }
    }
  }
}

}  // namespace boundflow::generated
