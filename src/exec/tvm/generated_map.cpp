#include "exec/tvm/generated_map.hpp"

#include "exec/tvm/generated_interval.hpp"

namespace boundflow::generated {

namespace {

using native::Direction;
using native::MapKernel;

class CountedMap final : public MapKernel<float> {
 public:
  CountedMap(std::unique_ptr<const MapKernel<float>> map, std::shared_ptr<KernelCounter> counter)
      : map_(std::move(map)), counter_(std::move(counter)) {}

  void apply(const float* in, std::int64_t ld_in, std::int64_t n, float* out, std::int64_t ld_out,
             bool accumulate) const override {
    counter_->count([&] { map_->apply(in, ld_in, n, out, ld_out, accumulate); });
  }
  void apply_windows(const float* in, std::int64_t ld_in, std::int64_t n, const Window& from, float* out,
                     std::int64_t ld_out, const Window& to, bool accumulate) const override {
    counter_->count([&] { map_->apply_windows(in, ld_in, n, from, out, ld_out, to, accumulate); });
  }
  void apply_interval(const float* in, std::int64_t spans, std::int64_t n, float* out, std::int64_t ld_out,
                      bool accumulate) const override {
    counter_->count([&] { map_->apply_interval(in, spans, n, out, ld_out, accumulate); });
  }
  void count(HeldBytes& held) const override { map_->count(held); }

 private:
  std::unique_ptr<const MapKernel<float>> map_;
  std::shared_ptr<KernelCounter> counter_;
};

}  // namespace

std::vector<Direction> kernel_directions(const LinearMap& map, Direction direction) {
  if (direction != Direction::Interval || has_interval_kernel(map)) return {direction};
  return {Direction::Forward, Direction::ForwardAbsolute};
}

std::unique_ptr<const MapKernel<float>> make_generated_map(const LinearMap& map, Direction direction,
                                                           GeneratedKernels& kernels, const Tile& tile,
                                                           KernelUse& use) {
  if (direction == Direction::Interval && has_interval_kernel(map)) {
    return std::make_unique<GeneratedInterval>(map, kernels, use);
  }
  return native::make_map_kernel<float>(map, direction,
                                        std::make_shared<const GeneratedMultiplier>(kernels, tile, use));
}

std::unique_ptr<const MapKernel<float>> count_calls(std::unique_ptr<const MapKernel<float>> map,
                                                    std::shared_ptr<KernelCounter> counter) {
  return std::make_unique<CountedMap>(std::move(map), std::move(counter));
}

}  // namespace boundflow::generated
