#pragma once
// Fills the page that `--report` writes from what a command has read, compiled and run.

#include <string>

#include "base/trace.hpp"
#include "boundflow/boundflow.hpp"
#include "exec/executor.hpp"
#include "ir/network.hpp"
#include "program/storage_plan.hpp"
#include "report/bounds_report.hpp"
#include "report/html/page.hpp"
#include "report/verify_report.hpp"

namespace boundflow {

// The command and its network's file, before anything is read.
Page page_of_command(std::string command, const std::string& network_path);

// The network: as it is compiled, with counts of what the file has.
void add_network(Page& page, const Network& source, const Network& normal);

// A program with its storage, and how long its ops took. `trace`: of its runs; nullptr if there are none. The first
// program gives the page its figures of memory.
void add_program(Page& page, std::string name, const BoundProgram& program, const StoragePlan& plan,
                 const Trace* trace);
void add_program(Page& page, std::string name, const CompiledProgram& program, const Trace* trace);

// Where the time went: the command's phases, the programs that are named, and kernels.
struct RunProgram {
  std::string name;
  const BoundProgram* program;
};
std::vector<PageTimes> page_times(const Trace& trace, const std::vector<RunProgram>& programs);

// What came out.
void add_search(Page& page, const VerifyReport& report);
void add_bounds(Page& page, const BoundsReport& report);

}  // namespace boundflow
