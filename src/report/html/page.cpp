#include "report/html/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/html/arena_chart.hpp"
#include "report/html/bars.hpp"
#include "report/html/markup.hpp"
#include "report/html/network_drawing.hpp"
#include "report/html/program_section.hpp"
#include "report/html/search_charts.hpp"
#include "report/html/style_sheet.hpp"
#include "report/html/units.hpp"

namespace boundflow {

namespace {

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

void write_facts(Markup& page, const char* style, const std::vector<PageFact>& facts) {
  if (facts.empty()) return;
  const bool cards = std::string_view(style) == "figures";
  page.open("dl", {{"class", style}});
  for (const PageFact& fact : facts) {
    if (cards) page.open("div");
    page.element("dt", {}, fact.label);
    page.open("dd");
    page.text(fact.value);
    if (!fact.note.empty()) page.element("span", {{"class", "note"}}, fact.note);
    page.close();
    if (cards) page.close();
  }
  page.close();
}

void write_head(Markup& page, const std::string& title) {
  page.open("head");
  page.empty("meta", {{"charset", "utf-8"}});
  // Whatever a name might smuggle in could neither run nor load anything.
  page.empty("meta",
             {{"http-equiv", "Content-Security-Policy"},
              {"content", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"}});
  page.empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  page.empty("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  page.element("title", {}, title);
  page.open("style");
  page.raw(style_sheet());
  page.close();
  page.close();
}

struct Section {
  std::string id;
  std::string title;
};

std::vector<Section> sections_of(const Page& content) {
  std::vector<Section> sections;
  if (!content.search.empty()) sections.push_back({"search", "Search"});
  if (!content.bounds.empty()) sections.push_back({"bounds", "Bounds"});
  sections.push_back({"network", "Network"});
  for (std::size_t i = 0; i < content.programs.size(); ++i) {
    sections.push_back({fmt::format("program-{}", i), content.programs[i].name});
  }
  sections.push_back({"time", "Time"});
  return sections;
}

void write_summary(Markup& page, const Page& content) {
  page.element("p", {{"class", "brand"}}, "BoundFlow " + content.version + " · " + content.command);
  page.element("h1", {}, file_name(content.network_file));
  if (!content.answer.empty()) {
    page.open("p");
    page.element("span", {{"class", "answer " + content.answer}}, content.answer);
    page.text(content.answer_note);
    page.close();
  }
  page.open("nav");
  for (const Section& section : sections_of(content)) {
    page.element("a", {{"href", "#" + section.id}}, section.title);
  }
  page.close();
  write_facts(page, "figures", content.figures);
  write_facts(page, "facts", content.facts);
}

void open_section(Markup& page, const std::string& id, const std::string& title) {
  page.open("section", {{"id", id}});
  page.element("h2", {}, title);
}

void write_search(Markup& page, const Page& content) {
  open_section(page, "search", "Search");
  write_facts(page, "facts", content.search);
  draw_tree(page, content.depths);
  if (!content.branchings.empty()) page.element("h4", {}, "Splits");
  write_facts(page, "facts", content.branchings);
  std::vector<std::pair<double, double>> bounds, open;
  for (const PageSample& sample : content.samples) {
    bounds.emplace_back(sample.seconds, sample.worst_bound);
    open.emplace_back(sample.seconds, static_cast<double>(sample.open));
  }
  draw_over_time(page, "Worst bound of the open subproblems", bounds);
  draw_over_time(page, "Open subproblems", open);
  if (!content.witness.empty()) {
    page.open("details");
    page.element("summary", {}, "Counterexample");
    write_facts(page, "facts", content.witness);
    page.close();
  }
  page.close();
}

void write_bounds(Markup& page, const Page& content) {
  open_section(page, "bounds", "Bounds");
  page.element("p", {{"class", "quiet"}}, content.bounds_note);
  draw_intervals(page, content.bounds);
  page.close();
}

void write_network(Markup& page, const Page& content) {
  open_section(page, "network", "Network");
  if (content.network) {
    draw_network(page, *content.network);
  } else {
    page.element("p", {{"class", "quiet"}}, "The command ended before the network was read.");
  }
  page.close();
}

void write_time(Markup& page, const Page& content) {
  open_section(page, "time", "Time");
  if (content.times.empty()) {
    page.element(
        "p", {{"class", "quiet"}},
        content.command == "compile"
            ? "Nothing was run: compile has no times. Bounds and verify with --report show what takes how long."
            : "The command ended before anything was run.");
  }
  for (const PageTimes& group : content.times) {
    double whole_s = 0;
    std::vector<Bar> bars;
    for (const PageTime& time : group.times) {
      whole_s += time.seconds;
      bars.push_back({time.name, "", time.seconds, time.note});
    }
    draw_bars(page, group.title, std::move(bars), whole_s);
  }
  page.close();
}

}  // namespace

std::string to_html(const Page& content) {
  Markup page;
  page.raw("<!DOCTYPE html>\n");
  page.open("html", {{"lang", "en"}});
  write_head(page, file_name(content.network_file) + " · boundflow " + content.command);
  page.open("body");
  page.open("header");
  write_summary(page, content);
  page.close();
  page.open("main");
  if (!content.search.empty()) write_search(page, content);
  if (!content.bounds.empty()) write_bounds(page, content);
  write_network(page, content);
  for (std::size_t i = 0; i < content.programs.size(); ++i) {
    open_section(page, fmt::format("program-{}", i), content.programs[i].name);
    write_program(page, content.programs[i], fmt::format("program-{}", i));
    page.close();
  }
  write_time(page, content);
  page.close();
  page.element("footer", {},
               "Sizes are in binary units (1 KiB = 1024 B). Times of ops and tasks are summed over all threads.");
  page.close();
  page.close();
  return page.finish();
}

}  // namespace boundflow
