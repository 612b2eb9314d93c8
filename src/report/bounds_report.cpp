#include "report/bounds_report.hpp"

#include "report/json_writer.hpp"

namespace boundflow {

namespace {

// [queries][rows]
void write_matrix(JsonWriter& json, std::string_view key, std::span<const double> values, std::int64_t rows) {
  json.open('[', key);
  for (std::span<const double> rest = values; !rest.empty(); rest = rest.subspan(static_cast<std::size_t>(rows))) {
    json.array({}, rest.first(static_cast<std::size_t>(rows)));
  }
  json.close(']');
}

}  // namespace

std::string to_json(const BoundsReport& report) {
  JsonWriter json;
  json.open('{');
  json.member("schema", 1);
  json.member("boundflow", report.version);
  json.member("network", report.network);
  json.member("method", report.method);
  json.member("norm", report.norm);
  json.member("semantics", report.semantics);
  json.member("queries", report.queries);
  json.member("complete", report.complete);
  json.member("reason", report.reason);
  json.member("rows", report.rows);
  json.member("executor", report.executor);
  json.member("import_s", report.import_s);
  write_members(json, report.compile);
  json.member("bounding_s", report.bounding_s);
  write_matrix(json, "lower", report.lower, report.rows);
  write_matrix(json, "upper", report.upper, report.rows);
  write_matrix(json, "lower_error", report.lower_error, report.rows);
  write_matrix(json, "upper_error", report.upper_error, report.rows);
  json.close('}');
  return json.finish();
}

}  // namespace boundflow
