#pragma once
// The JSON form of `bounds`: schema 1, snake_case keys, units in the key. docs/architecture.md lists the keys.

#include <cstdint>
#include <span>
#include <string>

#include "report/compile_report.hpp"

namespace boundflow {

struct BoundsReport {
  std::string version;
  std::string network;
  std::string method;
  std::string norm;
  std::string semantics;
  std::int64_t queries = 0;
  std::int64_t complete = 0;
  std::string reason;  // why that is not all of them; empty if it is
  std::int64_t rows = 0;
  std::string executor;
  double import_s = 0;
  CompileReport compile;
  double bounding_s = 0;
  std::span<const double> lower;  // [queries, rows]
  std::span<const double> upper;
  std::span<const double> lower_error;
  std::span<const double> upper_error;
};

std::string to_json(const BoundsReport& report);

}  // namespace boundflow
