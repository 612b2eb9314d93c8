#pragma once
// The page that `--report` writes: what was compiled, where it lies in memory, and what took how long. One HTML file
// that refers to nothing outside itself and runs no script; it is well-formed XML as well. Everything here is plain
// data, filled by the façade. Names come from files: any bytes, escaped by the writer.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace boundflow {

struct PageFact {
  std::string label;
  std::string value;
  std::string note = {};  // more about the value, in small print
};

struct PageNetwork {
  enum class Kind { Input, Node, Output };
  struct Node {
    Kind kind = Kind::Node;
    std::string op;
    std::string name;
    std::string shape;            // of the first output
    std::int64_t parameters = 0;  // elements of its constant operands
    std::string text;             // as printed
  };
  std::vector<Node> nodes;                 // in topological order
  std::vector<std::pair<int, int>> edges;  // from a node to one that comes later
};

struct PageOp {
  std::string kind;
  std::string text;  // as printed
  std::int64_t runs = 0;
  double seconds = 0;  // of all threads
};

struct PageTask {
  std::string name;
  std::string rows;             // what its ops run over
  std::string tightens;         // the value whose bounds it tightens, if any
  std::vector<int> depends_on;  // tasks that come before
  std::int64_t bytes_per_subproblem = 0;
  std::int64_t bytes_per_row = 0;
  std::vector<PageOp> ops;
};

struct PageBuffer {
  std::string name;
  std::string kind;         // names a colour: bounds, error_weights, lines, planes, rows, points
  std::int64_t offset = 0;  // bytes per unit of the arena
  std::int64_t bytes = 0;
  std::int64_t first_op = 0;  // over the whole program, inclusive
  std::int64_t last_op = 0;
};

struct PageArena {
  std::string unit;  // what one copy belongs to: "subproblem", "row"
  std::int64_t bytes = 0;
  std::int64_t bytes_without_reuse = 0;
  std::vector<PageBuffer> buffers;
};

struct PageProgram {
  std::string name;
  bool timed = false;  // it has run: the times of its ops are measured
  std::vector<PageTask> tasks;
  std::vector<PageArena> arenas;
};

struct PageTime {
  std::string name;
  double seconds = 0;
  std::string note = {};  // more about it
};

// Times that can be compared with each other, as one group of bars.
struct PageTimes {
  std::string title;
  std::vector<PageTime> times;
};

// Of a search's tree, one depth.
struct PageDepth {
  std::int64_t opened = 0;  // subproblems that came into being there
  std::int64_t closed = 0;
  std::int64_t splits = 0;
};

// How far a search had come.
struct PageSample {
  double seconds = 0;  // since the command began
  std::int64_t open = 0;
  double worst_bound = 0;  // not finite: not known, or nothing was open
};

// One row of the specification of the first query.
struct PageBound {
  double lower = 0;  // -infinity: not known
  double upper = 0;
};

struct Page {
  std::string version;
  std::string command;  // "compile", "bounds", "verify"
  std::string network_file;
  std::string answer;                  // "unsat", ...; empty: the command has none
  std::string answer_note;             // why
  std::vector<PageFact> figures;       // the few that matter, shown large
  std::vector<PageFact> facts;         // what the command was given, and how it went
  std::vector<PageFact> search;        // statistics of the search
  std::vector<PageDepth> depths;       // by depth
  std::vector<PageFact> branchings;    // what was split how often
  std::vector<PageSample> samples;     // in the order of time
  std::vector<PageFact> witness;       // coordinates of a counterexample
  std::vector<PageBound> bounds;       // the first rows of the first query
  std::string bounds_note;             // which rows these are
  std::optional<PageNetwork> network;  // nothing: not reached
  std::vector<PageProgram> programs;
  std::vector<PageTimes> times;
};

// The file's text.
std::string to_html(const Page& content);

}  // namespace boundflow
