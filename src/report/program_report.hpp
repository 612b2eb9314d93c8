#pragma once
// The JSON form of a compiled program with its storage: schema 1, snake_case keys, units in the key.
// docs/architecture.md lists the keys.

#include <string>

#include "report/html/page.hpp"

namespace boundflow {

struct ProgramReport {
  std::string version;
  std::string network;
  std::string key;  // of the plan cache
  std::string executor;
  const PageProgram& program;
};

std::string to_json(const ProgramReport& report);

}  // namespace boundflow
