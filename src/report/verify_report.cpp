#include "report/verify_report.hpp"

#include "report/json_writer.hpp"

namespace boundflow {

std::string to_json(const VerifyReport& report) {
  JsonWriter json;
  json.open('{');
  json.member("schema", 1);
  json.member("boundflow", report.version);
  json.member("network", report.network);
  json.member("property", report.property);
  json.member("verdict", report.verdict);
  json.member("reason", report.reason);
  json.member("semantics", report.semantics);
  json.member("time_s", report.time_s);
  json.member("threads", report.threads);
  json.member("seed", report.seed);
  json.member("executor", report.executor);
  json.member("instruction_set", report.instruction_set);
  json.open('{', "statistics");
  json.member("import_s", report.import_s);
  write_members(json, report.compile);
  json.member("attack_s", report.attack_s);
  json.member("bounding_s", report.bounding_s);
  json.member("subproblems", report.subproblems);
  json.member("rows", report.rows);
  json.member("closed", report.closed);
  json.member("splits", report.splits);
  json.member("bounded_in_double", report.bounded_in_double);
  json.member("peak_open", report.peak_open);
  json.member("open", report.open);
  json.member("depth", report.depth);
  json.member("worst_bound", report.worst_bound);  // null without open subproblems
  json.close('}');
  if (report.verdict == "sat") {
    json.open('{', "witness");
    json.array("input", report.witness_input);
    json.array("output", report.witness_output);
    json.close('}');
  }
  json.close('}');
  return json.finish();
}

}  // namespace boundflow
