#pragma once
// Finds the tile that suits a map best and what it costs then, for the executors tvm and auto of later processes.

#include <functional>
#include <string>

#include "base/deadline.hpp"
#include "exec/native/map_kernel.hpp"
#include "exec/tvm/map_costs.hpp"

namespace boundflow {

class Tuner {
 public:
  // What it finds is kept in the folder (empty: the user's), with the kernels. UsageError where TVM is not there or the
  // folder is not the user's alone.
  explicit Tuner(const std::string& cache_folder);

  // Measures a map that multiplies with every known tile and keeps the costs of the best one. Takes tenths of a second.
  generated::MapCosts tune(const LinearMap& map, native::Direction direction, const Deadline& deadline);

 private:
  std::shared_ptr<const generated::ArtifactStore> store_;
  generated::GeneratedKernels kernels_;
};

}  // namespace boundflow
