// Windows: where they lie, how they move through convolutions, and what kernels compute on them, against rows that are
// carried over whole images.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "domains/crown/windows.hpp"
#include "exec/gathered_rows.hpp"
#include "exec/native/map_kernel.hpp"
#include "exec/window_runs.hpp"
#include "support/random_linear_map.hpp"

namespace boundflow {
namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

Window random_window(Random& random) {
  Window window;
  window.start_channels = random.integer(1, 3);
  window.start_width = random.integer(1, 4);
  window.channels = random.integer(1, 3);
  for (std::size_t d = 0; d < 2; ++d) {
    window.image[d] = random.integer(1, 6);
    window.size[d] = random.integer(1, 8);
    window.step[d] = random.integer(1, 3);
    window.origin[d] = random.integer(-9, 6);
  }
  return window;
}

// Offset in the image by offset in the window, of the entries that lie inside the image.
std::map<std::int64_t, std::int64_t> places_inside(const Window& window, std::int64_t start) {
  const std::int64_t pixel = start / window.start_channels;
  const std::int64_t first_y = pixel / window.start_width * window.step[0] + window.origin[0];
  const std::int64_t first_x = pixel % window.start_width * window.step[1] + window.origin[1];
  std::map<std::int64_t, std::int64_t> places;
  for (std::int64_t i = 0; i < window.columns(); ++i) {
    const std::int64_t c = i % window.channels;
    const std::int64_t x = first_x + i / window.channels % window.size[1];
    const std::int64_t y = first_y + i / window.channels / window.size[1];
    if (x < 0 || x >= window.image[1] || y < 0 || y >= window.image[0]) continue;
    places[i] = (y * window.image[1] + x) * window.channels + c;
  }
  return places;
}

// A window's entries in an image of zeros.
std::vector<double> embedded(const Window& window, std::int64_t start, const double* row) {
  std::vector<double> image(at(window.image_columns()), 0.0);
  for (const auto& [offset, place] : places_inside(window, start)) image[at(place)] = row[offset];
  return image;
}

// A convolution (no adjoint) between images that are stored channels last.
ConvMap windowed_convolution(Random& random) {
  ConvMap map = random_convolution(random, true);
  map.adjoint = false;
  map.in_channels_last = map.out_channels_last = true;
  return map;
}

// The convolution whose result is the operand of `after`.
ConvMap convolution_before(Random& random, const ConvMap& after) {
  ConvMap map = windowed_convolution(random);
  map.groups = 1;
  map.in_channels = random.integer(1, 2);
  map.out_channels = after.in_channels;
  map.image_out = after.image_in;
  for (std::size_t d = 0; d < 2; ++d) {
    const std::int64_t reach = (map.kernel[d] - 1) * map.dilation[d] + 1;
    map.image_in[d] = std::max<std::int64_t>((map.image_out[d] - 1) * map.stride[d] + reach - map.pad[d], 1);
  }
  map.weights.assign(at(map.out_channels * map.in_channels * map.kernel[0] * map.kernel[1]), 0.0);
  for (double& weight : map.weights) weight = random.uniform(0.25, 1);
  return map;
}

TEST(WindowRuns, CoverWhatLiesInsideTheImage) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Window window = random_window(random);
    const std::int64_t start = random.integer(0, window.start_channels * window.start_width * 4 - 1);
    const std::map<std::int64_t, std::int64_t> expected = places_inside(window, start);
    std::map<std::int64_t, std::int64_t> covered;
    for_each_run(window, start, [&](std::int64_t offset, std::int64_t image, std::int64_t length) {
      EXPECT_GT(length, 0);
      for (std::int64_t j = 0; j < length; ++j) EXPECT_TRUE(covered.emplace(offset + j, image + j).second);
    });
    EXPECT_EQ(covered, expected);
    std::vector<float> row(at(window.columns()), 1.0F);
    clear_outside(window, start, row.data());
    for (std::int64_t i = 0; i < window.columns(); ++i) EXPECT_EQ(row[at(i)] != 0, expected.contains(i));
  }
}

// One coordinate, carried through a chain of convolutions, stays in the window, and reaches all of its corners where
// the image does not cut it.
TEST(WindowThrough, HoldsTheSupportOfARow) {
  std::int64_t whole = 0;
  for (std::uint64_t seed = 0; seed < 600 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    ConvMap map = windowed_convolution(random);
    map.groups = 1;
    map.weights.assign(at(map.out_channels * map.in_channels * map.kernel[0] * map.kernel[1]), 0.5);
    const std::int64_t start = random.integer(0, map.out_channels * map.image_out[0] * map.image_out[1] - 1);
    Window window = crown::start_window(map.out_channels, map.image_out);
    std::vector<double> row(at(window.image_columns()), 0.0);
    row[at(start)] = 1;
    bool uncut = true;
    for (std::int64_t depth = random.integer(1, 3); depth > 0; --depth) {
      const std::optional<Window> next = crown::through(map, window);
      ASSERT_TRUE(next.has_value());
      window = *next;
      EXPECT_EQ(window.image_columns(), map.in_channels * map.image_in[0] * map.image_in[1]);
      std::vector<double> carried(at(window.image_columns()), 0.0);
      LinearMap(map).apply_transpose(row, carried);
      row = std::move(carried);
      std::vector<double> outside = row;
      const std::map<std::int64_t, std::int64_t> places = places_inside(window, start);
      for (const auto& [offset, place] : places) outside[at(place)] = 0;
      for (const double entry : outside) EXPECT_EQ(entry, 0);
      uncut = uncut && static_cast<std::int64_t>(places.size()) == window.columns();
      if (uncut) {
        ++whole;
        EXPECT_NE(row[at(places.begin()->second)], 0);
        EXPECT_NE(row[at(places.rbegin()->second)], 0);
      }
      map = convolution_before(random, map);
    }
  }
  EXPECT_GT(whole, 100);
}

// Strides of a chain multiply; before they overflow, rows become images.
TEST(WindowThrough, EndsBeforeIndicesOverflow) {
  ConvMap map;
  map.in_channels = map.out_channels = 1;
  map.image_in = map.image_out = {8, 8};
  map.stride = {1 << 12, 1};
  map.in_channels_last = map.out_channels_last = true;
  std::optional<Window> window = crown::start_window(1, map.image_out);
  int depth = 0;
  for (; window && depth < 100; ++depth) window = crown::through(map, *window);
  EXPECT_EQ(depth, 3);
}

TEST(WindowThrough, NeedsAConvolutionOfTheWindowsOwnImage) {
  Random random(1);
  ConvMap map = windowed_convolution(random);
  map.image_out = {2, 6};
  const Window window = crown::start_window(map.out_channels, map.image_out);
  EXPECT_TRUE(crown::through(map, window));
  // The same coordinates as another image: its pixels are others.
  EXPECT_FALSE(crown::through(map, crown::start_window(map.out_channels, {3, 4})));
  EXPECT_FALSE(crown::through(map, crown::start_window(2 * map.out_channels, {2, 3})));
  ConvMap adjoint = map;
  adjoint.adjoint = true;
  EXPECT_FALSE(crown::through(adjoint, window));
  ConvMap channels_first = map;
  channels_first.in_channels_last = false;
  EXPECT_FALSE(crown::through(channels_first, window));
  channels_first = map;
  channels_first.out_channels_last = false;
  EXPECT_FALSE(crown::through(channels_first, window));
}

TEST(WindowHull, HoldsBothWindowsTightly) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Window a = random_window(random);
    Window b = a;
    for (std::size_t d = 0; d < 2; ++d) {
      b.size[d] = random.integer(1, 8);
      b.origin[d] = random.integer(-9, 6);
    }
    const std::optional<Window> hull = crown::hull(a, b);
    ASSERT_TRUE(hull.has_value());
    for (std::size_t d = 0; d < 2; ++d) {
      EXPECT_EQ(hull->origin[d], std::min(a.origin[d], b.origin[d]));
      EXPECT_EQ(hull->origin[d] + hull->size[d], std::max(a.origin[d] + a.size[d], b.origin[d] + b.size[d]));
    }
    const std::int64_t start = random.integer(0, a.start_channels * a.start_width * 3 - 1);
    std::set<std::int64_t> held;
    for (const auto& [offset, place] : places_inside(*hull, start)) held.insert(place);
    for (const Window& window : {a, b}) {
      for (const auto& [offset, place] : places_inside(window, start)) EXPECT_TRUE(held.contains(place));
    }
    Window other = b;
    ++other.step[seed % 2];
    EXPECT_FALSE(crown::hull(a, other));
    other = b;
    ++other.image[seed % 2];
    EXPECT_FALSE(crown::hull(a, other));
  }
}

TEST(GatheredRows, AreUnitRowsCarriedThroughTheMap) {
  for (std::uint64_t seed = 0; seed < 100 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const ConvMap conv = windowed_convolution(random);
    const LinearMap map(conv);
    const Window window = *crown::through(conv, crown::start_window(conv.out_channels, conv.image_out));
    const std::vector<double> rows = gathered_rows(map);
    ASSERT_EQ(static_cast<std::int64_t>(rows.size()), gathered_row_count(map) * window.columns());
    for (std::int64_t i = 0; i < map.out_size(); ++i) {
      std::vector<double> unit(at(map.out_size()), 0.0), expected(at(map.in_size()), 0.0);
      unit[at(i)] = 1;
      map.apply_transpose(unit, expected);
      EXPECT_EQ(embedded(window, i, rows.data() + gathered_row(map, i) * window.columns()), expected);
    }
  }
}

template <class T>
class WindowKernels : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(WindowKernels, Precisions);

// The transpose from window to window is the transpose over whole images.
TYPED_TEST(WindowKernels, MoveWindowsAsImages) {
  using T = TypeParam;
  const double tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
  for (std::uint64_t seed = 0; seed < 500 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const ConvMap conv = windowed_convolution(random);
    const LinearMap map(conv);
    Window from = random_window(random);
    from.channels = conv.out_channels;
    from.image = conv.image_out;
    const std::optional<Window> to = crown::through(conv, from);
    ASSERT_TRUE(to.has_value());
    const std::int64_t n = random.integer(1, 20);
    const std::int64_t ld_in = from.columns() + random.integer(0, 3), ld_out = to->columns() + random.integer(0, 3);
    std::vector<T> in(at(n * ld_in)), out(at(n * ld_out));
    std::vector<std::int64_t> starts;
    for (std::int64_t i = 0; i < n; ++i) {
      starts.push_back(random.integer(0, from.start_channels * from.start_width * 3 - 1));
      const std::vector<double> values = random_numbers(random, from.columns());
      std::copy(values.begin(), values.end(), in.begin() + i * ld_in);
      clear_outside(from, starts.back(), in.data() + i * ld_in);
    }
    native::make_map_kernel<T>(map, native::Direction::Transpose)
        ->apply_windows(in.data(), ld_in, n, from, out.data(), ld_out, *to, false);
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t start = starts[at(i)];
      clear_outside(*to, start, out.data() + i * ld_out);
      const std::vector<double> before(in.begin() + i * ld_in, in.begin() + i * ld_in + from.columns());
      const std::vector<double> after(out.begin() + i * ld_out, out.begin() + i * ld_out + to->columns());
      std::vector<double> expected(at(map.in_size()), 0.0);
      map.apply_transpose(embedded(from, start, before.data()), expected);
      const std::vector<double> computed = embedded(*to, start, after.data());
      for (std::size_t j = 0; j < expected.size(); ++j) EXPECT_NEAR(computed[j], expected[j], tolerance) << j;
    }
  }
}

}  // namespace
}  // namespace boundflow
