#pragma once
// Builds the small random networks of the operators' sample generators.

#include <string>
#include <vector>

#include "ops/operator.hpp"

namespace boundflow {

class SampleNetwork {
 public:
  // `table`: of the operators that the network may have; it outlives this.
  explicit SampleNetwork(Random& random, const OperatorTable& table = operator_table())
      : random_(&random), table_(&table) {}

  // A shape of the given rank with at most `max_elements` elements.
  Shape shape(int rank, std::int64_t max_elements = 24);
  ValueId input(Shape shape);
  // A float32 constant: mostly values of ordinary size, with exact zeros and some far larger or smaller ones.
  ValueId constant(Shape shape);
  // As above, but without zeros and within [2^-20, 2^20]; some are powers of two.
  ValueId nonzero_constant(Shape shape);
  // float64 numbers of ordinary size, hardly one of which is a float32, and some zeros.
  ValueId double_constant(Shape shape);
  ValueId doubles(std::vector<double> values);
  // A constant of one given value.
  ValueId scalar(float value);
  // The same without signs.
  ValueId magnitudes(Shape shape);
  ValueId condition(Shape shape);  // of bools
  ValueId indices(std::vector<std::int64_t> values);
  ValueId indices(Shape shape, std::vector<std::int64_t> values);
  // A node in between.
  ValueId node(std::string op, std::vector<ValueId> inputs, Attributes attributes = {});
  // The node under test, one of whose outputs is the network's.
  Network finish(std::string op, std::vector<ValueId> inputs, Attributes attributes = {}, std::size_t outputs = 1);

  const Shape& shape_of(ValueId id) const { return network_.value(id).type.shape; }

 private:
  NodeId append(std::string op, std::vector<ValueId> inputs, Attributes attributes, std::size_t outputs);
  std::vector<float> values(const Shape& shape);
  std::string fresh_name(const char* prefix) { return prefix + std::to_string(names_++); }

  Random* random_;
  const OperatorTable* table_;
  Network network_;
  int names_ = 0;
};

}  // namespace boundflow
