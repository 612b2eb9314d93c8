#include "report/trace_report.hpp"

#include <algorithm>

#include "report/json_writer.hpp"

namespace boundflow {

std::string to_chrome_trace(const Trace& trace, double wall_s, int threads) {
  const Trace::Total products = trace.total_of(SpanKind::Product);
  const double row_kernels = trace.total_of(SpanKind::RowKernel).seconds;
  const double ops = trace.total_of(SpanKind::Op).seconds;
  const double steps = trace.total_of(SpanKind::Step).seconds;
  const auto outside = [](double kernels, double of) { return of > 0 ? std::max(0.0, 1 - kernels / of) : 0.0; };
  JsonWriter json;
  json.open('{');
  json.member("displayTimeUnit", "ms");
  json.open('{', "boundflow");
  json.member("schema", 1);
  json.member("wall_s", wall_s);
  json.member("threads", threads);
  json.member("products_s", products.seconds);
  json.member("useful_flop", 2 * products.useful);
  json.member("executed_flop", 2 * products.executed);
  json.member("row_kernels_s", row_kernels);
  json.member("ops_s", ops);
  json.member("steps_s", steps);
  json.member("outside_kernels_share", outside(products.seconds + row_kernels + steps, wall_s * threads));
  json.member("outside_kernels_share_of_ops", outside(products.seconds + row_kernels, ops));
  json.member("spans_left_out", trace.dropped());
  json.open('[', "totals");
  for (const auto& [key, total] : trace.totals()) {
    json.open('{');
    json.member("kind", to_string(key.first));
    json.member("name", key.second);
    json.member("count", total.count);
    json.member("time_s", total.seconds);
    if (key.first == SpanKind::Product) {
      json.member("useful_flop", 2 * total.useful);
      json.member("executed_flop", 2 * total.executed);
    }
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
