#include "exec/tvm/generated_map.hpp"

#include "exec/tvm/generated_multiplier.hpp"

namespace boundflow::generated {

namespace {

using native::Direction;
using native::MapKernel;

class CountedMap final : public MapKernel<float> {
 public:
  CountedMap(std::unique_ptr<const MapKernel<float>> map, std::shared_ptr<MapUse> use)
      : map_(std::move(map)), use_(std::move(use)) {}

  void apply(const float* in, std::int64_t ld_in, std::int64_t n, float* out, std::int64_t ld_out,
             bool accumulate) const override {
    use_->count([&] { map_->apply(in, ld_in, n, out, ld_out, accumulate); });
  }
  void apply_windows(const float* in, std::int64_t ld_in, std::int64_t n, const Window& from, float* out,
                     std::int64_t ld_out, const Window& to) const override {
    use_->count([&] { map_->apply_windows(in, ld_in, n, from, out, ld_out, to); });
  }
  std::int64_t bytes() const override { return map_->bytes(); }

 private:
  std::unique_ptr<const MapKernel<float>> map_;
  std::shared_ptr<MapUse> use_;
};

const char* to_string(Direction direction) {
  switch (direction) {
    case Direction::Forward:
      return "forward";
    case Direction::ForwardAbsolute:
      return "forward_absolute";
    default:
      return "transpose";
  }
}

}  // namespace

std::unique_ptr<const MapKernel<float>> make_generated_map(const std::string& node, const LinearMap& map,
                                                           Direction direction, GeneratedKernels& kernels) {
  KernelUse use{.node = node, .map = map.print(), .direction = to_string(direction), .executor = "native"};
  std::unique_ptr<const MapKernel<float>> made;
  if (const char* reason = native::why_no_multiplier(map)) {
    use.reason = reason;
    made = native::make_map_kernel<float>(map, direction);
  } else {
    use.executor = "tvm";
    made = native::make_map_kernel<float>(map, direction, std::make_shared<const GeneratedMultiplier>(kernels, use));
  }
  return std::make_unique<CountedMap>(std::move(made), kernels.add(use));
}

}  // namespace boundflow::generated
