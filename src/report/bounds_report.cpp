#include "report/bounds_report.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace boundflow {

namespace {

// [queries][rows]; JSON has no infinities: what is not known is null.
nlohmann::ordered_json matrix(std::span<const double> values, std::int64_t rows) {
  auto result = nlohmann::ordered_json::array();
  for (std::size_t n = 0; n < values.size(); ++n) {
    if (n % static_cast<std::size_t>(rows) == 0) result.push_back(nlohmann::ordered_json::array());
    result.back().push_back(std::isfinite(values[n]) ? nlohmann::ordered_json(values[n]) : nullptr);
  }
  return result;
}

}  // namespace

std::string to_json(const BoundsReport& report) {
  const nlohmann::ordered_json json = {
      {"schema", 1},
      {"boundflow", report.version},
      {"network", report.network},
      {"method", report.method},
      {"norm", report.norm},
      {"semantics", report.semantics},
      {"queries", report.queries},
      {"complete", report.complete},
      {"reason", report.reason},
      {"rows", report.rows},
      {"import_s", report.import_s},
      {"bounding_s", report.bounding_s},
      {"lower", matrix(report.lower, report.rows)},
      {"upper", matrix(report.upper, report.rows)},
      {"lower_error", matrix(report.lower_error, report.rows)},
      {"upper_error", matrix(report.upper_error, report.rows)},
  };
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace boundflow
