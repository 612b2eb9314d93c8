#include "report/trace_report.hpp"

#include <algorithm>

#include "report/json_writer.hpp"

namespace boundflow {

std::string to_chrome_trace(const Trace& trace, double wall_s, int threads) {
  const double products = trace.seconds(SpanKind::Product);
  const double row_kernels = trace.seconds(SpanKind::RowKernel);
  const double ops = trace.seconds(SpanKind::Op);
  const auto outside = [&](double of) { return of > 0 ? std::max(0.0, 1 - (products + row_kernels) / of) : 0.0; };
  JsonWriter json;
  json.open('{');
  json.member("displayTimeUnit", "ms");
  json.open('{', "boundflow");
  json.member("schema", 1);
  json.member("wall_s", wall_s);
  json.member("threads", threads);
  json.member("products_s", products);
  json.member("row_kernels_s", row_kernels);
  json.member("ops_s", ops);
  json.member("outside_kernels_share", outside(wall_s * threads));
  json.member("outside_kernels_share_of_ops", outside(ops));
  json.member("spans_left_out", trace.dropped());
  json.open('[', "totals");
  for (const auto& [key, total] : trace.totals()) {
    json.open('{');
    json.member("kind", to_string(key.first));
    json.member("name", key.second);
    json.member("count", total.count);
    json.member("time_s", total.seconds);
    json.close('}');
  }
  json.close(']');
  json.close('}');
  json.open('[', "traceEvents");
  for (const Trace::Span& span : trace.spans()) {
    json.open('{');
    json.member("name", span.name);
    json.member("cat", to_string(span.kind));
    json.member("ph", "X");
    json.member("ts", span.begin_s * 1e6);
    json.member("dur", span.duration_s * 1e6);
    json.member("pid", 1);
    json.member("tid", span.thread);
    json.close('}');
  }
  json.close(']');
  json.close('}');
  return json.finish();
}

}  // namespace boundflow
