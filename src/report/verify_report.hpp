#pragma once
// The JSON form of a verification: schema 1, snake_case keys, units in the key. docs/architecture.md lists the keys.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "report/compile_report.hpp"

namespace boundflow {

// The course of a search.
struct SearchReport {
  // By depth: subproblems that came into being, were proved, and were split.
  std::vector<std::int64_t> opened;
  std::vector<std::int64_t> closed;
  std::vector<std::int64_t> splits;
  // Splits by input, and by layer of neurons from the input on.
  std::vector<std::int64_t> splits_by_input;
  std::vector<std::int64_t> splits_by_layer;
  struct Sample {
    double time_s = 0;
    std::int64_t subproblems = 0;  // bounded by then
    std::int64_t open = 0;
    double worst_bound = 0;
  };
  std::vector<Sample> samples;                         // in the order of time
  std::vector<std::pair<std::string, double>> phases;  // names and seconds
};

struct VerifyReport {
  std::string version;
  std::string network;
  std::string property;
  std::string verdict;
  std::string reason;
  std::string semantics;
  double time_s = 0;
  double import_s = 0;
  CompileReport compile;
  double attack_s = 0;
  double bounding_s = 0;
  std::int64_t subproblems = 0;
  std::int64_t rows = 0;
  std::int64_t closed = 0;
  std::int64_t splits = 0;
  std::int64_t bounded_in_double = 0;
  std::int64_t peak_open = 0;
  std::int64_t open = 0;
  std::int64_t depth = 0;
  double worst_bound = 0;
  SearchReport search;
  std::string executor;
  std::string instruction_set;
  int threads = 0;
  std::uint64_t seed = 0;
  std::vector<std::string> witness_input;
  std::vector<std::string> witness_output;
};

std::string to_json(const VerifyReport& report);

}  // namespace boundflow
