#pragma once
// What passes over networks and passes over programs have in common: the budget of rewrites, what a user says of them,
// and the rounds in which a table of them runs.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/deadline.hpp"
#include "base/trace.hpp"

namespace boundflow {

// How many rewrites the passes of one run have made, and how many they may make (`--pass-limit`).
class RewriteBudget {
 public:
  explicit RewriteBudget(std::int64_t limit = std::numeric_limits<std::int64_t>::max()) : limit_(limit) {}
  // Asked right before each rewrite, which is counted; false: it must not be made.
  bool take() { return taken_ < limit_ && ++taken_ > 0; }
  std::int64_t taken() const { return taken_; }

 private:
  std::int64_t limit_;
  std::int64_t taken_ = 0;
};

template <class Ir>
struct PassOptions {
  std::set<std::string, std::less<>> disabled = {};               // names of passes that do not run
  std::int64_t limit = std::numeric_limits<std::int64_t>::max();  // of rewrites, all passes together
  // Called after each pass of which some rewrite was made, and after the first round for the others.
  std::function<void(std::string_view pass, const Ir& result)> after = nullptr;
  std::shared_ptr<Trace> trace = nullptr;
};

// Runs the passes of a table, which have names, in their order, again and again until none of them finds anything to
// rewrite. `run(pass, budget)` runs one on `ir` and verifies what it leaves. StoppedError when the deadline passes on
// the way.
template <class Ir, class Passes, class Run>
void run_in_rounds(const Ir& ir, const Passes& passes, const PassOptions<Ir>& options, const Deadline& deadline,
                   const Run& run) {
  RewriteBudget budget(options.limit);
  std::int64_t before_round = -1;
  for (bool first = true; budget.taken() != before_round; first = false) {
    before_round = budget.taken();
    for (const auto& pass : passes) {
      deadline.check();
      if (options.disabled.contains(pass.name)) continue;
      const std::int64_t before = budget.taken();
      {
        const TraceSpan span(options.trace.get(), SpanKind::Pass, pass.name);
        run(pass, budget);
      }
      if (options.after && (first || budget.taken() != before)) options.after(pass.name, ir);
    }
  }
}

}  // namespace boundflow
