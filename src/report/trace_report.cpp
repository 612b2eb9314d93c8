#include "report/trace_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace boundflow {

std::string to_chrome_trace(const Trace& trace, double wall_s, int threads) {
  using Json = nlohmann::ordered_json;
  Json events = Json::array();
  for (const Trace::Span& span : trace.spans()) {
    events.push_back({{"name", span.name},
                      {"cat", to_string(span.kind)},
                      {"ph", "X"},
                      {"ts", span.begin_s * 1e6},
                      {"dur", span.duration_s * 1e6},
                      {"pid", 1},
                      {"tid", span.thread}});
  }
  Json totals = Json::array();
  for (const auto& [key, total] : trace.totals()) {
    totals.push_back(
        {{"kind", to_string(key.first)}, {"name", key.second}, {"count", total.count}, {"time_s", total.seconds}});
  }
  const double products = trace.seconds(SpanKind::Product);
  const double row_kernels = trace.seconds(SpanKind::RowKernel);
  const double bounding = trace.seconds(SpanKind::Op);
  const double all = wall_s * threads;
  const auto outside = [&](double of) { return of > 0 ? std::max(0.0, 1 - (products + row_kernels) / of) : 0.0; };
  const Json json = {{"displayTimeUnit", "ms"},
                     {"boundflow",
                      {{"schema", 1},
                       {"wall_s", wall_s},
                       {"threads", threads},
                       {"products_s", products},
                       {"row_kernels_s", row_kernels},
                       {"ops_s", bounding},
                       {"outside_kernels_share", outside(all)},
                       {"outside_kernels_share_of_ops", outside(bounding)},
                       {"spans_left_out", trace.dropped()},
                       {"totals", totals}}},
                     {"traceEvents", events}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace boundflow
