#include "report/verify_report.hpp"

#include "report/json_writer.hpp"

namespace boundflow {

namespace {

void write_members(JsonWriter& json, const SearchReport& search) {
  json.open('{', "tree");
  json.array("opened", search.opened);
  json.array("closed", search.closed);
  json.array("splits", search.splits);
  json.array("splits_by_input", search.splits_by_input);
  json.array("splits_by_layer", search.splits_by_layer);
  json.close('}');
  json.open('[', "samples");
  for (const SearchReport::Sample& sample : search.samples) {
    json.open('{');
    json.member("time_s", sample.time_s);
    json.member("subproblems", sample.subproblems);
    json.member("open", sample.open);
    json.member("worst_bound", sample.worst_bound);  // null where nothing is known, or open
    json.close('}');
  }
  json.close(']');
  json.open('{', "phases");
  for (const auto& [phase, seconds] : search.phases) json.member(phase + "_s", seconds);
  json.close('}');
}

}  // namespace

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
  write_members(json, report.search);
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
