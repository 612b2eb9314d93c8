// What reports say: numbers under their keys, null where nothing is known, times in the units of their format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "report/bounds_report.hpp"
#include "report/json_writer.hpp"
#include "report/trace_report.hpp"
#include "report/verify_report.hpp"

namespace boundflow {
namespace {

using nlohmann::json;
using testing::ElementsAre;

constexpr double kUnknown = std::numeric_limits<double>::infinity();

TEST(JsonWriter, WritesOneMemberPerLine) {
  JsonWriter writer;
  writer.open('{');
  writer.member("n", std::int64_t{-3});
  writer.array("values", std::vector<double>{0.5, kUnknown, -kUnknown, std::numeric_limits<double>::quiet_NaN()});
  writer.open('[', "none");
  writer.close(']');
  writer.open('{', "inner");
  writer.member("text", "a \"b\"\n");
  writer.close('}');
  writer.close('}');
  EXPECT_EQ(writer.finish(),
            "{\n"
            "  \"n\": -3,\n"
            "  \"values\": [\n    0.5,\n    null,\n    null,\n    null\n  ],\n"
            "  \"none\": [],\n"
            "  \"inner\": {\n    \"text\": \"a \\\"b\\\"\\n\"\n  }\n"
            "}\n");
}

// Names of files may be any bytes.
TEST(JsonWriter, ReplacesWhatIsNotUtf8) {
  JsonWriter writer;
  writer.open('{');
  writer.member("file", "\xff.onnx");
  writer.close('}');
  EXPECT_EQ(json::parse(writer.finish()).at("file"), "\xef\xbf\xbd.onnx");
}

class TraceReport : public testing::Test {
 protected:
  void add(SpanKind kind, std::string_view name, double begin_s, double end_s) {
    const auto at = [this](double s) { return begin_ + std::chrono::microseconds(static_cast<std::int64_t>(s * 1e6)); };
    trace_.add(kind, name, at(begin_s), at(end_s));
  }
  json report(double wall_s, int threads) const { return json::parse(to_chrome_trace(trace_, wall_s, threads)); }

  Trace trace_;
  const Clock::time_point begin_ = Clock::now();
};

TEST_F(TraceReport, AddsUpByKindAndName) {
  add(SpanKind::Phase, "search", 0, 10);
  add(SpanKind::Op, "affine", 1, 5);
  add(SpanKind::Op, "relax", 5, 6);
  add(SpanKind::Product, "product", 1, 3);
  add(SpanKind::Product, "product", 3, 4);
  add(SpanKind::RowKernel, "relu", 5, 5.5);
  add(SpanKind::Step, "slopes", 6, 7);
  const json text = report(10, 2);
  const json& totals = text.at("boundflow");
  EXPECT_EQ(totals.at("schema"), 1);
  EXPECT_EQ(totals.at("wall_s"), 10);
  EXPECT_EQ(totals.at("threads"), 2);
  EXPECT_DOUBLE_EQ(totals.at("products_s"), 3);
  EXPECT_DOUBLE_EQ(totals.at("row_kernels_s"), 0.5);
  EXPECT_DOUBLE_EQ(totals.at("ops_s"), 5);
  EXPECT_DOUBLE_EQ(totals.at("steps_s"), 1);
  EXPECT_DOUBLE_EQ(totals.at("outside_kernels_share"), 1 - 4.5 / 20);
  EXPECT_DOUBLE_EQ(totals.at("outside_kernels_share_of_ops"), 1 - 3.5 / 5);
  EXPECT_EQ(totals.at("spans_left_out"), 0);
  std::vector<std::string> lines;
  for (const json& total : totals.at("totals")) {
    lines.push_back(total.at("kind").get<std::string>() + " " + total.at("name").get<std::string>() + " " +
                    std::to_string(total.at("count").get<int>()) + " " +
                    std::to_string(total.at("time_s").get<double>()));
  }
  EXPECT_THAT(lines, ElementsAre("phase search 1 10.000000", "op affine 1 4.000000", "op relax 1 1.000000",
                                 "step slopes 1 1.000000", "row kernel relu 1 0.500000", "product product 2 3.000000"));
}

TEST_F(TraceReport, EventsAreMicrosecondsOfTheirThread) {
  add(SpanKind::Op, "here", 1, 1.5);
  std::thread([this] { add(SpanKind::Product, "elsewhere", 3, 3.25); }).join();
  const json events = report(4, 2).at("traceEvents");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].at("name"), "here");
  EXPECT_EQ(events[0].at("cat"), "op");
  EXPECT_EQ(events[0].at("ph"), "X");
  EXPECT_EQ(events[0].at("pid"), 1);
  EXPECT_NEAR(events[0].at("dur"), 5e5, 1);
  EXPECT_GE(events[0].at("ts"), 1e6) << "the trace began before the first span";
  EXPECT_EQ(events[1].at("cat"), "product");
  EXPECT_NEAR(events[1].at("dur"), 2.5e5, 1);
  EXPECT_NEAR(events[1].at("ts").get<double>() - events[0].at("ts").get<double>(), 2e6, 1);
  EXPECT_EQ(events[0].at("tid"), 0);
  EXPECT_EQ(events[1].at("tid"), 1);
}

TEST_F(TraceReport, SharesOfNothingAreZero) {
  const json text = report(0, 1);
  EXPECT_EQ(text.at("boundflow").at("outside_kernels_share"), 0);
  EXPECT_EQ(text.at("boundflow").at("outside_kernels_share_of_ops"), 0);
  EXPECT_TRUE(text.at("boundflow").at("totals").empty());
  EXPECT_TRUE(text.at("traceEvents").empty());
}

// Clocks of several threads need not add up to less than the wall's.
TEST_F(TraceReport, SharesAreNotNegative) {
  add(SpanKind::Product, "product", 0, 3);
  EXPECT_EQ(report(2, 1).at("boundflow").at("outside_kernels_share"), 0);
}

TEST_F(TraceReport, SpansBeyondTheMostAreCountedOnly) {
  for (std::size_t i = 0; i < Trace::kMostSpans + 3; ++i) trace_.add(SpanKind::Op, "op", begin_, begin_);
  EXPECT_EQ(trace_.spans().size(), Trace::kMostSpans);
  EXPECT_EQ(trace_.dropped(), 3U);
  EXPECT_EQ(trace_.totals().at({SpanKind::Op, "op"}).count, static_cast<std::int64_t>(Trace::kMostSpans) + 3);
}

TEST(VerifyReport, HasAWitnessOnSatOnly) {
  VerifyReport report;
  report.network = "n.onnx";
  report.worst_bound = kUnknown;
  report.seed = std::numeric_limits<std::uint64_t>::max();
  report.witness_input = {"0.5", "1"};
  report.witness_output = {"-2"};
  for (const std::string verdict : {"unsat", "sat"}) {
    report.verdict = verdict;
    const json text = json::parse(to_json(report));
    EXPECT_EQ(text.at("verdict"), verdict);
    EXPECT_EQ(text.at("network"), "n.onnx");
    EXPECT_EQ(text.at("seed"), report.seed);
    EXPECT_TRUE(text.at("statistics").at("worst_bound").is_null());
    EXPECT_EQ(text.contains("witness"), verdict == "sat");
  }
  EXPECT_EQ(json::parse(to_json(report)).at("witness"), json({{"input", {"0.5", "1"}}, {"output", {"-2"}}}));
}

TEST(VerifyReport, HasTheCourseOfTheSearch) {
  VerifyReport report;
  report.search.opened = {1, 2};
  report.search.closed = {0, 2};
  report.search.splits = {1, 0};
  report.search.splits_by_layer = {0, 1};
  report.search.samples = {{0.5, 1, 1, -kUnknown}, {1.5, 3, 0, kUnknown}, {1.75, 3, 2, -0.25}};
  report.search.phases = {{"attack", 0.25}, {"halves", 1}};
  const json text = json::parse(to_json(report)).at("statistics");
  EXPECT_EQ(text.at("tree"), json({{"opened", {1, 2}},
                                   {"closed", {0, 2}},
                                   {"splits", {1, 0}},
                                   {"splits_by_input", json::array()},
                                   {"splits_by_layer", {0, 1}}}));
  ASSERT_EQ(text.at("samples").size(), 3U);
  EXPECT_TRUE(text.at("samples").at(0).at("worst_bound").is_null());
  EXPECT_TRUE(text.at("samples").at(1).at("worst_bound").is_null());
  EXPECT_EQ(text.at("samples").at(2),
            json({{"time_s", 1.75}, {"subproblems", 3}, {"open", 2}, {"worst_bound", -0.25}}));
  EXPECT_EQ(text.at("phases"), json({{"attack_s", 0.25}, {"halves_s", 1.0}}));
}

TEST(BoundsReport, HasARowPerQuery) {
  const std::vector<double> lower{-1, -2, -kUnknown, 3}, upper{1, 2, kUnknown, 4};
  BoundsReport report;
  report.queries = 2;
  report.complete = 1;
  report.reason = "timeout";
  report.rows = 2;
  report.lower = lower;
  report.upper = upper;
  const json text = json::parse(to_json(report));
  EXPECT_EQ(text.at("lower"), json::parse("[[-1.0, -2.0], [null, 3.0]]"));
  EXPECT_EQ(text.at("upper"), json::parse("[[1.0, 2.0], [null, 4.0]]"));
  EXPECT_EQ(text.at("lower_error"), json::array());
  EXPECT_EQ(text.at("complete"), 1);
  EXPECT_EQ(text.at("reason"), "timeout");
}

}  // namespace
}  // namespace boundflow
