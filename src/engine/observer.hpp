#pragma once
// The observer: a known input is carried along, and every bound that is computed for a box which holds it must contain
// its activations. A soundness bug then shows at the op that made it, not as a wrong verdict (HiGHS does the same with
// a known solution). On in tests, `--observe` for users.

#include <memory>
#include <string>
#include <vector>

#include "ir/network.hpp"
#include "ir/query.hpp"

namespace boundflow {

// A point and what is known of its activations, per value of the network. `lower`/`upper` enclose the activation of the
// real-valued network; `executed` is one float32 execution, empty where the value is a constant.
struct ObservedPoint {
  struct Activation {
    std::vector<double> lower;
    std::vector<double> upper;
    std::vector<double> executed;
  };
  std::vector<double> input;  // a float32 point, so that the decimal and what is executed are the same
  std::vector<Activation> activations;
};

class Observer {
 public:
  Observer(std::shared_ptr<const Network> network, ObservedPoint point)
      : network_(std::move(network)), point_(std::move(point)) {}

  bool inside(const double* lower, const double* upper) const;
  // InternalError that names value, neuron and bound if [lower, upper] excludes the point's activation.
  void check_bounds(ValueId value, const std::vector<double>& lower, const std::vector<double>& upper,
                    Semantics semantics, const std::string& stage) const;
  // The same of a row's lower bound.
  void check_row(const LinearSpec& spec, std::int64_t row, double bound, Semantics semantics) const;

 private:
  std::shared_ptr<const Network> network_;
  ObservedPoint point_;
};

}  // namespace boundflow
