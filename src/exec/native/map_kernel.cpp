#include "exec/native/map_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "base/trace.hpp"
#include "exec/native/convolution.hpp"
#include "exec/native/kernels.hpp"

namespace boundflow::native {

namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// out[i, a, :, c] = in[i, a, :, c] B on the middle axis of [outer, k, inner] -> [outer, n, inner].
template <class T>
class DenseKernel final : public MapKernel<T> {
 public:
  DenseKernel(const DenseMap& map, Direction direction, std::shared_ptr<const Multiplier<T>> multiplier)
      : multiplier_(std::move(multiplier)),
        outer_(map.outer),
        inner_(map.inner),
        // Rows W: W itself is the right factor; x W^T: its transpose.
        rows_(direction == Direction::Transpose),
        packed_(map.weights, direction == Direction::Transpose ? map.rows : map.columns,
                direction == Direction::Transpose ? map.columns : map.rows, direction != Direction::Transpose,
                direction == Direction::ForwardAbsolute) {}

  void apply(const T* in, std::int64_t ld, std::int64_t count, T* out, std::int64_t ld_out,
             bool accumulate) const override {
    const std::int64_t k = packed_.k();
    const std::int64_t n = packed_.n();
    if (inner_ == 1) {
      if (outer_ == 1) return multiply_whole(in, ld, count, out, ld_out, accumulate);
      const ProductPart<T> whole{in, packed_.view()};
      return multiplier_->multiply(std::span(&whole, 1), k, outer_, out, n, accumulate, {count, ld, ld_out});
    }
    // The axis is strided: one transposed copy in and out per entry.
    thread_local std::vector<T> a, c;
    a.resize(at(inner_ * k));
    c.resize(at(inner_ * n));
    for (std::int64_t i = 0; i < count * outer_; ++i) {
      const T* from = in + i / outer_ * ld + i % outer_ * k * inner_;
      T* to = out + i / outer_ * ld_out + i % outer_ * n * inner_;
      for (std::int64_t j = 0; j < k * inner_; ++j) a[at(j % inner_ * k + j / inner_)] = from[j];
      const ProductPart<T> whole{a.data(), packed_.view()};
      multiplier_->multiply(std::span(&whole, 1), k, inner_, c.data(), n, false, {});
      for (std::int64_t j = 0; j < n * inner_; ++j) {
        const T value = c[at(j % inner_ * n + j / inner_)];
        to[j] = accumulate ? to[j] + value : value;
      }
    }
  }

  void count(HeldBytes& held) const override {
    if (held.first(this)) held.add(packed_.bytes());
  }

 private:
  // Rows that have come through a relaxation are zero in the columns of all dead neurons.
  void multiply_whole(const T* in, std::int64_t ld, std::int64_t count, T* out, std::int64_t ld_out,
                      bool accumulate) const {
    constexpr std::int64_t kWide = 64;  // below, looking at the rows costs what it saves
    const std::int64_t k = packed_.k();
    ProductPart<T> part{in, packed_.view()};
    thread_local std::vector<std::int32_t> live;
    if (rows_ && packed_.n() >= kWide && count > 1) {
      live.resize(at(k));
      part.live_count = live_columns(in, ld, count, k, live.data());
      if (part.live_count <= k - k / 8) part.live = live.data();
    }
    multiplier_->multiply(std::span<const ProductPart<T>>(&part, 1), ld, count, out, ld_out, accumulate, {});
  }

  std::shared_ptr<const Multiplier<T>> multiplier_;
  std::int64_t outer_;
  std::int64_t inner_;
  bool rows_;  // the left factor are rows Lambda
  PackedMatrix<T> packed_;
};

// One term per component of the map: index and scale maps.
template <class T>
class OneTermKernel final : public MapKernel<T> {
 public:
  OneTermKernel(const LinearMap& map, Direction direction)
      : transposed_(direction == Direction::Transpose), out_(map.out_size()), in_(map.in_size()) {
    const bool absolute = direction == Direction::ForwardAbsolute;
    if (const IndexMap* index = map.index()) {
      source_ = index->source;
      factor_ = static_cast<T>(absolute ? 1.0 : index->factor);
    } else {
      source_ = map.scale()->source;
      for (const double f : map.scale()->factors) factors_.push_back(static_cast<T>(absolute ? std::fabs(f) : f));
    }
  }

  void apply(const T* in, std::int64_t ld, std::int64_t n, T* out, std::int64_t ld_out,
             bool accumulate) const override {
    if (!factors_.empty()) count_products(n * out_);
    for (std::int64_t i = 0; i < n; ++i) {
      const T* from = in + i * ld;
      T* to = out + i * ld_out;
      if (transposed_ && !accumulate) std::fill_n(to, in_, T(0));
      for (std::int64_t j = 0; j < out_; ++j) {
        const std::int64_t source = source_.empty() ? j : source_[at(j)];
        const T factor = factors_.empty() ? factor_ : factors_[at(j)];
        if (transposed_) {
          if (source >= 0) to[source] += factor * from[j];
        } else {
          const T value = source >= 0 ? factor * from[source] : T(0);
          to[j] = accumulate ? to[j] + value : value;
        }
      }
    }
  }

  void count(HeldBytes& held) const override {
    if (!held.first(this)) return;
    held.add(source_);
    held.add(factors_);
  }

 private:
  bool transposed_;
  std::int64_t out_;
  std::int64_t in_;
  std::vector<std::int64_t> source_;
  T factor_ = 1;
  std::vector<T> factors_;
};

// Any map, by its weights: sparse maps, and convolutions whose images are not stored channels last.
template <class T>
class SparseKernel final : public MapKernel<T> {
 public:
  SparseKernel(const LinearMap& map, Direction direction)
      : transposed_(direction == Direction::Transpose), in_(map.in_size()) {
    std::vector<LinearMap::Entry> entries;
    for (std::int64_t j = 0; j < map.out_size(); ++j) {
      map.row(j, entries);
      for (const LinearMap::Entry& entry : entries) {
        if (entry.weight == 0) continue;
        columns_.push_back(entry.column);
        weights_.push_back(
            static_cast<T>(direction == Direction::ForwardAbsolute ? std::fabs(entry.weight) : entry.weight));
      }
      starts_.push_back(columns_.size());
    }
  }

  void apply(const T* in, std::int64_t ld, std::int64_t n, T* out, std::int64_t ld_out,
             bool accumulate) const override {
    count_products(n * static_cast<std::int64_t>(weights_.size()));
    for (std::int64_t i = 0; i < n; ++i) {
      const T* from = in + i * ld;
      T* to = out + i * ld_out;
      if (transposed_) {
        if (!accumulate) std::fill_n(to, in_, T(0));
        for (std::size_t j = 0; j + 1 < starts_.size(); ++j) {
          for (std::size_t e = starts_[j]; e < starts_[j + 1]; ++e) to[columns_[e]] += from[j] * weights_[e];
        }
        continue;
      }
      for (std::size_t j = 0; j + 1 < starts_.size(); ++j) {
        T sum = 0;
        for (std::size_t e = starts_[j]; e < starts_[j + 1]; ++e) sum += weights_[e] * from[columns_[e]];
        to[j] = accumulate ? to[j] + sum : sum;
      }
    }
  }

  void count(HeldBytes& held) const override {
    if (!held.first(this)) return;
    held.add(starts_);
    held.add(columns_);
    held.add(weights_);
  }

 private:
  bool transposed_;
  std::int64_t in_;
  std::vector<std::size_t> starts_{0};
  std::vector<std::int64_t> columns_;
  std::vector<T> weights_;
};

template <class T>
class ConvolutionKernel final : public MapKernel<T> {
 public:
  ConvolutionKernel(const ConvMap& map, Direction direction, std::shared_ptr<const Multiplier<T>> multiplier)
      : packed_(map, direction == Direction::Transpose, direction == Direction::ForwardAbsolute, std::move(multiplier)),
        pad_(map.pad),
        rows_(direction == Direction::Transpose) {
    const bool to_image = (direction == Direction::Transpose) != map.adjoint;
    in_extent_ = to_image ? map.image_out : map.image_in;
    out_extent_ = to_image ? map.image_in : map.image_out;
  }

  void apply(const T* in, std::int64_t ld, std::int64_t n, T* out, std::int64_t ld_out,
             bool accumulate) const override {
    packed_.apply(in, ld, n, in_extent_, out, ld_out, out_extent_, pad_, accumulate, rows_);
  }

  // The window's own first pixel is where the padding would begin.
  void apply_windows(const T* in, std::int64_t ld, std::int64_t n, const Window& from, T* out, std::int64_t ld_out,
                     const Window& to, bool accumulate) const override {
    packed_.apply(in, ld, n, from.size, out, ld_out, to.size, {0, 0}, accumulate, rows_);
  }

  void count(HeldBytes& held) const override {
    if (held.first(this)) held.add(packed_.bytes());
  }

 private:
  PackedConvolution<T> packed_;
  ConvMap::Extent pad_;
  bool rows_;  // the operand are rows Lambda
  ConvMap::Extent in_extent_;
  ConvMap::Extent out_extent_;
};

template <class T>
class IntervalKernel final : public MapKernel<T> {
 public:
  using Part = std::shared_ptr<const MapKernel<T>>;
  IntervalKernel(Part forward, Part absolute, std::int64_t in)
      : forward_(std::move(forward)), absolute_(std::move(absolute)), in_(in) {}

  void apply_interval(const T* in, std::int64_t spans, std::int64_t n, T* out, std::int64_t ld_out,
                      bool accumulate) const override {
    forward_->apply(in, in_, n, out, ld_out, accumulate);
    absolute_->apply(in + n * in_, in_, spans * n, out + n * ld_out, ld_out, accumulate);
  }
  void count(HeldBytes& held) const override {
    forward_->count(held);
    absolute_->count(held);
  }

 private:
  Part forward_;
  Part absolute_;
  std::int64_t in_;
};

bool stored_channels_last(const LinearMap& map) {
  const ConvMap* conv = map.conv();
  return conv != nullptr && conv->in_channels_last && conv->out_channels_last;
}

}  // namespace

const char* to_string(Direction direction) {
  switch (direction) {
    case Direction::Forward:
      return "forward";
    case Direction::ForwardAbsolute:
      return "forward_absolute";
    case Direction::Transpose:
      return "transpose";
    default:
      return "interval";
  }
}

template <class T>
void MapKernel<T>::apply(const T*, std::int64_t, std::int64_t, T*, std::int64_t, bool) const {
  throw InternalError("a kernel for interval steps has no other");
}

template <class T>
void MapKernel<T>::apply_interval(const T*, std::int64_t, std::int64_t, T*, std::int64_t, bool) const {
  throw InternalError("a kernel for one direction takes no interval step");
}

template <class T>
void MapKernel<T>::apply_windows(const T*, std::int64_t, std::int64_t, const Window&, T*, std::int64_t, const Window&,
                                 bool) const {
  throw InternalError("only convolutions move windows");
}

template <class T>
std::unique_ptr<MapKernel<T>> make_map_kernel(const LinearMap& map, Direction direction,
                                              std::shared_ptr<const Multiplier<T>> multiplier) {
  if (direction == Direction::Interval) {
    return make_interval_kernel<T>(make_map_kernel<T>(map, Direction::Forward, multiplier),
                                   make_map_kernel<T>(map, Direction::ForwardAbsolute, multiplier), map);
  }
  if (map.dense() != nullptr) return std::make_unique<DenseKernel<T>>(*map.dense(), direction, std::move(multiplier));
  if (map.index() != nullptr || map.scale() != nullptr) return std::make_unique<OneTermKernel<T>>(map, direction);
  if (stored_channels_last(map)) {
    return std::make_unique<ConvolutionKernel<T>>(*map.conv(), direction, std::move(multiplier));
  }
  return std::make_unique<SparseKernel<T>>(map, direction);
}

template <class T>
std::unique_ptr<MapKernel<T>> make_interval_kernel(std::shared_ptr<const MapKernel<T>> forward,
                                                   std::shared_ptr<const MapKernel<T>> absolute, const LinearMap& map) {
  return std::make_unique<IntervalKernel<T>>(std::move(forward), std::move(absolute), map.in_size());
}

const char* why_no_multiplier(const LinearMap& map) {
  if (map.index() != nullptr) return "it moves numbers and multiplies none";
  if (map.scale() != nullptr) return "one multiplication per component";
  if (map.sparse() != nullptr) return "its weights are sparse";
  if (map.conv() != nullptr && !stored_channels_last(map)) return "its images are not stored channels last";
  if (map.conv() != nullptr && PackedConvolution<float>::is_depthwise(*map.conv()))
    return "each channel has its own sum";
  if (map.in_size() == 0 || map.out_size() == 0) return "it is empty";
  return nullptr;
}

template class MapKernel<float>;
template class MapKernel<double>;
template std::unique_ptr<MapKernel<float>> make_interval_kernel<float>(std::shared_ptr<const MapKernel<float>>,
                                                                       std::shared_ptr<const MapKernel<float>>,
                                                                       const LinearMap&);
template std::unique_ptr<MapKernel<double>> make_interval_kernel<double>(std::shared_ptr<const MapKernel<double>>,
                                                                         std::shared_ptr<const MapKernel<double>>,
                                                                         const LinearMap&);
template std::unique_ptr<MapKernel<float>> make_map_kernel<float>(const LinearMap&, Direction,
                                                                  std::shared_ptr<const Multiplier<float>>);
template std::unique_ptr<MapKernel<double>> make_map_kernel<double>(const LinearMap&, Direction,
                                                                    std::shared_ptr<const Multiplier<double>>);

}  // namespace boundflow::native
