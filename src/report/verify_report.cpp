#include "report/verify_report.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace boundflow {

std::string to_json(const VerifyReport& report) {
  nlohmann::ordered_json json = {
      {"schema", 1},
      {"boundflow", report.version},
      {"network", report.network},
      {"property", report.property},
      {"verdict", report.verdict},
      {"reason", report.reason},
      {"semantics", report.semantics},
      {"time_s", report.time_s},
      {"threads", report.threads},
      {"seed", report.seed},
      {"executor", report.executor},
      {"instruction_set", report.instruction_set},
      {"statistics",
       {{"import_s", report.import_s},
        {"attack_s", report.attack_s},
        {"bounding_s", report.bounding_s},
        {"subproblems", report.subproblems},
        {"rows", report.rows},
        {"closed", report.closed},
        {"splits", report.splits},
        {"bounded_in_double", report.bounded_in_double},
        {"peak_open", report.peak_open},
        {"open", report.open},
        {"depth", report.depth}}},
  };
  // JSON has no infinities: without open subproblems there is no worst bound.
  json["statistics"]["worst_bound"] =
      std::isfinite(report.worst_bound) ? nlohmann::ordered_json(report.worst_bound) : nlohmann::ordered_json(nullptr);
  if (report.verdict == "sat") {
    json["witness"] = {{"input", report.witness_input}, {"output", report.witness_output}};
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace boundflow
