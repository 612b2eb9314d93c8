#pragma once
// Arrays between Python and the library, without copies where memory allows.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <variant>
#include <vector>
#include "boundflow/numbers.hpp"

namespace boundflow::python {

// Numbers of a Python object: a view of float32 or float64 memory that numpy, or whatever has DLPack, shares, rows in C
// order on the CPU; else what numpy makes of it. Keeps the memory for as long as it lives. The caller holds the GIL.
class Array {
 public:
  // None: no numbers. `name`: of the argument, for messages. Error BadInput for what is no array of numbers.
  Array(nanobind::handle object, const char* name);

  Numbers numbers() const;
  // With a copy of the numbers.
  NumericArray array() const;

 private:
  template <class Number>
  using View = nanobind::ndarray<const Number, nanobind::c_contig, nanobind::device::cpu>;
  std::variant<std::monostate, View<double>, View<float>> view_;
};

// The numbers as a numpy array of that shape, which owns them.
nanobind::object to_numpy(std::vector<double>&& values, std::vector<std::size_t> shape);

}  // namespace boundflow::python
