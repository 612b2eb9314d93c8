// The parts of the page that --report writes. Whole pages are read, and opened in a browser, by tests/scripts/report_*.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "base/trace.hpp"
#include "report/html/layered_layout.hpp"
#include "report/html/markup.hpp"
#include "report/html/page.hpp"
#include "report/html/units.hpp"

namespace boundflow {
namespace {

using testing::HasSubstr;

TEST(Markup, EscapesTextAndAttributes) {
  Markup page;
  page.open("p", {{"title", "a\"b'<&>"}});
  page.text("<script>&amp;</script>");
  page.close();
  EXPECT_EQ(page.finish(), "<p title=\"a&quot;b&#39;&lt;&amp;&gt;\">&lt;script&gt;&amp;amp;&lt;/script&gt;</p>\n");
}

TEST(Markup, ReplacesWhatIsNoCharacter) {
  const std::string mark = "\uFFFD";
  EXPECT_EQ(escaped("é 漢 𝄞\n\t"), "é 漢 𝄞\n\t");
  for (const std::string bad : {"\x01", "\x1b", "\x7f", "\xff", "\xc2\x80", "\xef\xbf\xbe", "\xe2\x80\xae"}) {
    EXPECT_EQ(escaped("a" + bad + "b"), "a" + mark + "b") << bad.size();
  }
  // Too long forms, surrogates, beyond the last character, and characters that break off: byte by byte.
  EXPECT_EQ(escaped("\xc0\xbc"), mark + mark);
  EXPECT_EQ(escaped("\xe0\x80\xbc"), mark + mark + mark);
  EXPECT_EQ(escaped("\xed\xa0\x80"), mark + mark + mark);
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), mark + mark + mark + mark);
  EXPECT_EQ(escaped("\xe6\xbc<"), mark + mark + "&lt;");
  EXPECT_EQ(escaped(std::string("\0", 1)), mark);
}

TEST(Markup, ClipsByCharacters) {
  EXPECT_EQ(clipped("漢字かな", 4), "漢字かな");
  EXPECT_EQ(clipped("漢字かな", 3), "漢字…");
  EXPECT_EQ(clipped("", 3), "");
}

TEST(Units, AreReadable) {
  EXPECT_EQ(count_text(1234), "1234");
  EXPECT_EQ(count_text(-12345678), "-12\u202F345\u202F678");
  EXPECT_EQ(bytes_text(1023), "1023\u202FB");
  EXPECT_EQ(bytes_text(1536), "1.50\u202FKiB");
  EXPECT_EQ(bytes_text((std::int64_t{1} << 20) - 1), "1.00\u202FMiB");
  EXPECT_EQ(seconds_text(0.00000123), "1.23\u202Fµs");
  EXPECT_EQ(seconds_text(0.09996), "100\u202Fms");
  EXPECT_EQ(seconds_text(0.9999), "1.00\u202Fs");
  EXPECT_EQ(number_text(-0.5), "−0.5");
  EXPECT_EQ(coordinate(1.5), "1.5");
  EXPECT_EQ(coordinate(100), "100");
}

TEST(Trace, HasTotalsOfWhatRan) {
  Trace trace(0);
  const int subject = 0;
  const int other = 0;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < 3; ++i) {
    trace.add(SpanKind::Op, "op", begin, begin + std::chrono::seconds(2), &subject);
  }
  trace.add(SpanKind::Op, "op", begin, begin + std::chrono::seconds(1));
  EXPECT_EQ(trace.total_of(&subject).count, 3);
  EXPECT_DOUBLE_EQ(trace.total_of(&subject).seconds, 6);
  EXPECT_EQ(trace.total_of(&other).count, 0);
  EXPECT_DOUBLE_EQ(trace.total_of(SpanKind::Op).seconds, 7);
  EXPECT_TRUE(trace.spans().empty());
}

std::vector<std::pair<int, int>> random_edges(Random& random, int boxes) {
  std::vector<std::pair<int, int>> edges;
  for (int to = 1; to < boxes; ++to) {
    const int count = static_cast<int>(random.integer(0, 2));
    for (int k = 0; k < count; ++k) {
      const std::pair<int, int> edge{static_cast<int>(random.integer(0, to - 1)), to};
      if (std::find(edges.begin(), edges.end(), edge) == edges.end()) edges.push_back(edge);
    }
  }
  return edges;
}

TEST(LayeredLayout, KeepsBoxesApartAndEdgesOutOfThem) {
  const LayoutStyle style;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const int boxes = 1 + static_cast<int>(random.integer(0, 29));
    const auto edges = random_edges(random, boxes);
    const LayeredLayout layout = lay_out(static_cast<std::size_t>(boxes), edges, style);
    ASSERT_EQ(layout.boxes.size(), static_cast<std::size_t>(boxes));
    ASSERT_EQ(layout.edges.size(), edges.size());
    for (std::size_t i = 0; i < layout.boxes.size(); ++i) {
      const auto& a = layout.boxes[i];
      EXPECT_GE(a.x, 0);
      EXPECT_LE(a.x + style.box_width, layout.width + 1e-6);
      EXPECT_GE(a.y, 0);
      EXPECT_LE(a.y + style.box_height, layout.height + 1e-6);
      for (std::size_t k = 0; k < i; ++k) {
        const auto& b = layout.boxes[k];
        const bool apart = std::abs(a.x - b.x) >= style.box_width - 1e-6 || std::abs(a.y - b.y) >= style.box_height;
        EXPECT_TRUE(apart) << "seed " << seed << ", boxes " << k << " and " << i;
      }
      for (const LayeredLayout::Edge& edge : layout.edges) {
        for (const auto& point : edge.points) {
          const bool inside = point.x > a.x + 1e-6 && point.x < a.x + style.box_width - 1e-6 && point.y > a.y + 1e-6 &&
                              point.y < a.y + style.box_height - 1e-6;
          EXPECT_FALSE(inside) << "seed " << seed << ", box " << i;
        }
      }
    }
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const auto& from = layout.boxes[static_cast<std::size_t>(edges[e].first)];
      const auto& to = layout.boxes[static_cast<std::size_t>(edges[e].second)];
      EXPECT_TRUE(layout.edges[e].to_next_column ? from.x < to.x : from.y < to.y) << "seed " << seed;
      EXPECT_DOUBLE_EQ(layout.edges[e].points.front().y, from.y + style.box_height);
      EXPECT_DOUBLE_EQ(layout.edges[e].points.back().y, to.y);
    }
  }
}

TEST(LayeredLayout, FoldsLongChains) {
  std::vector<std::pair<int, int>> chain;
  for (int i = 0; i < 29; ++i) chain.emplace_back(i, i + 1);
  const LayoutStyle style;
  const LayeredLayout layout = lay_out(30, chain, style);
  EXPECT_LE(layout.width, style.page_width + 2);
  EXPECT_LT(layout.height, 10 * (style.box_height + style.gap_y));
}

TEST(Page, HoldsEvenNothing) {
  const std::string html = to_html({.version = "1", .command = "verify", .network_file = "a/<b>.onnx"});
  EXPECT_THAT(html, HasSubstr("<h1>&lt;b&gt;.onnx</h1>"));
  EXPECT_THAT(html, HasSubstr("ended before the network was read"));
}

}  // namespace
}  // namespace boundflow
