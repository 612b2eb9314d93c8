#include "frontends/vnnlib/regions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <utility>

#include "base/limits.hpp"
#include "frontends/vnnlib/clauses.hpp"

namespace boundflow::vnnlib {
namespace {

// Bounds of all inputs in one array: slot 2i is the lower bound of X_i, 2i+1 its upper bound.
std::size_t slot_of(std::int64_t input, bool is_upper) {
  return 2 * static_cast<std::size_t>(input) + (is_upper ? 1 : 0);
}
bool is_upper(std::size_t slot) {
  return slot % 2 == 1;
}

// The different values that bound inputs. The walk compares bounds far more often than a file has some, and a
// comparison of rationals can cost a product of long numbers: it compares ranks instead, which of one input order as
// the values do.
struct RankedValues {
  std::vector<const Rational*> values;  // by rank
  std::vector<std::int32_t> rank_of;    // by number of the bound
};

RankedValues rank(const std::deque<Bound>& bounds) {
  struct Entry {
    std::int64_t input;
    double truncated;  // decides nearly always
    std::uint32_t bound;
  };
  std::vector<Entry> entries;
  entries.reserve(bounds.size());
  for (const Bound& bound : bounds) {
    entries.push_back({bound.input, bound.value.get_d(), static_cast<std::uint32_t>(entries.size())});
  }
  std::sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) {
    if (a.input != b.input) return a.input < b.input;
    if (a.truncated != b.truncated) return a.truncated < b.truncated;
    return bounds[a.bound].value < bounds[b.bound].value;
  });
  RankedValues result;
  result.rank_of.resize(bounds.size());
  const Bound* before = nullptr;
  for (const Entry& entry : entries) {
    const Bound& bound = bounds[entry.bound];
    if (before == nullptr || before->input != bound.input || before->value != bound.value) {
      result.values.push_back(&bound.value);
    }
    result.rank_of[entry.bound] = static_cast<std::int32_t>(result.values.size() - 1);
    before = &bound;
  }
  return result;
}

// The bounds in which a box differs from the common one, as slots and ranks, ascending by slot. Each is strictly
// tighter, so two boxes are equal exactly if their differences are.
using BoxDifference = std::vector<std::pair<std::size_t, std::int32_t>>;

// Walks over the choices of one disjunct in each disjunction that bounds inputs, depth first, with the box as an array
// that is tightened on the way down and restored from a trail on the way up. Its own stack: a file may have any number
// of disjunctions.
class RegionSplitter {
 public:
  RegionSplitter(const ParsedFile& parsed, const Deadline& deadline)
      : parsed_(parsed),
        deadline_(deadline),
        formula_(parsed.formula),
        expander_(parsed.formula, parsed.file, kClauseBytes.of(parsed.bytes)),
        max_regions_(std::min(static_cast<double>(kMaxRegions), kRegions.of(parsed.bytes))),
        max_bytes_(kRegionBytes.of(parsed.bytes)),
        max_visits_(kVisits.of(parsed.bytes)),
        ranked_(rank(parsed.formula.bounds())),
        bounds_(2 * static_cast<std::size_t>(parsed.formula.inputs()), kNone),
        missing_(bounds_.size()) {}

  std::vector<Region> run() {
    if (!enter(parsed_.violation)) return {};
    common_bounds_ = bounds_;
    common_trail_ = trail_.size();
    walk();
    return finish();
  }

 private:
  static constexpr std::int32_t kNone = -1;  // rank of a bound that is missing

  struct Strict {
    std::size_t opposite_slot;
    std::int32_t rank;
  };
  struct Change {
    std::size_t slot;
    std::int32_t before;
  };
  // Where every stack stood before a disjunct was entered.
  struct Marks {
    std::size_t trail, strict, atoms, plain, pending, position;
  };
  struct Frame {
    NodeId disjunction;
    std::size_t next;  // child
    Marks marks;
  };
  struct Draft {
    BoxDifference difference;
    std::vector<Clause> clauses;
  };

  // Adds a conjunction to the state; false if the box becomes empty.
  bool enter(NodeId id) {
    const Node& node = formula_.node(id);
    if (node.kind != NodeKind::And) return enter_conjunct(id);
    return std::all_of(node.children.begin(), node.children.end(),
                       [this](NodeId child) { return enter_conjunct(child); });
  }

  bool enter_conjunct(NodeId id) {
    const Node& node = formula_.node(id);
    switch (node.kind) {
      case NodeKind::True:
        return true;
      case NodeKind::False:
        return false;
      case NodeKind::Bound:
        return tighten(formula_.bound(node), ranked_.rank_of[node.item]);
      case NodeKind::Atom:
        atoms_.push_back(&formula_.atom(node));
        return true;
      case NodeKind::Or:
        (node.has_bounds ? pending_ : plain_).push_back(id);
        return true;
      case NodeKind::And:
        break;
    }
    throw InternalError("a conjunction inside a conjunction");
  }

  bool tighten(const Bound& bound, std::int32_t rank) {
    if (bound.strict) {
      strict_.push_back({slot_of(bound.input, !bound.is_upper), rank});
      atoms_.push_back(&formula_.atom_of(bound));
    }
    const std::size_t slot = slot_of(bound.input, bound.is_upper);
    const std::int32_t before = bounds_[slot];
    if (before != kNone && (bound.is_upper ? rank >= before : rank <= before)) return true;
    if (before == kNone) --missing_;
    trail_.push_back({slot, before});
    bounds_[slot] = rank;
    const std::int32_t opposite = bounds_[slot ^ 1];
    return opposite == kNone || !(bound.is_upper ? rank < opposite : rank > opposite);
  }

  Marks marks() const {
    return {trail_.size(), strict_.size(), atoms_.size(), plain_.size(), pending_.size(), position_};
  }

  void restore(const Marks& marks) {
    for (; trail_.size() > marks.trail; trail_.pop_back()) {
      const Change& change = trail_.back();
      if (change.before == kNone) ++missing_;
      bounds_[change.slot] = change.before;
    }
    strict_.resize(marks.strict);
    atoms_.resize(marks.atoms);
    plain_.resize(marks.plain);
    pending_.resize(marks.pending);
    position_ = marks.position;
  }

  void walk() {
    std::vector<Frame> frames;
    for (bool down = true; down || !frames.empty();) {
      if (down) {
        deadline_.check();
        if (position_ == pending_.size()) {
          emit();
        } else {
          const NodeId disjunction = pending_[position_++];
          frames.push_back({disjunction, 0, marks()});
        }
        down = false;
        continue;
      }
      Frame& frame = frames.back();
      restore(frame.marks);
      const std::vector<NodeId>& disjuncts = formula_.node(frame.disjunction).children;
      if (frame.next == disjuncts.size()) {
        frames.pop_back();
        continue;
      }
      const NodeId disjunct = disjuncts[frame.next++];
      visit(1 + formula_.node(disjunct).children.size());
      down = enter(disjunct);
    }
  }

  void visit(std::size_t conditions) {
    visits_ += static_cast<double>(conditions);
    if (visits_ > max_visits_) fail_too_large(fmt::format("combinations of more than {:.0f} conditions", max_visits_));
  }

  [[noreturn]] void fail_too_large(const std::string& why) const {
    throw InputError(
        SourceLocation{parsed_.file},
        fmt::format("too large: the disjunctions that bound inputs split into {}; split it into several files", why));
  }

  // All disjunctions that bound inputs are decided: the state is one box with what must hold in it.
  void emit() {
    if (missing_ > 0) fail_missing();
    visit(trail_.size() - common_trail_ + strict_.size());
    // x < v on a box that is pinned to v holds nowhere, although the closed box is not empty.
    for (const Strict& bound : strict_) {
      if (bounds_[bound.opposite_slot] == bound.rank) return;
    }
    expander_.append(atoms_, plain_, draft_for(difference()).clauses);
  }

  [[noreturn]] void fail_missing() const {
    const auto slot = static_cast<std::size_t>(std::find(bounds_.begin(), bounds_.end(), kNone) - bounds_.begin());
    throw InputError(parsed_.input_declarations[slot / 2],
                     fmt::format("X_{} has no {} bound{}; every input needs a lower and an upper one", slot / 2,
                                 is_upper(slot) ? "upper" : "lower",
                                 common_trail_ == trail_.size() ? "" : " in at least one disjunct"));
  }

  [[noreturn]] void fail_beyond_float32(std::size_t slot) const {
    throw InputError(parsed_.input_declarations[slot / 2],
                     fmt::format("the {} bound of X_{} is beyond the range of float32",
                                 is_upper(slot) ? "upper" : "lower", slot / 2));
  }

  BoxDifference difference() const {
    BoxDifference result;
    for (std::size_t i = common_trail_; i < trail_.size(); ++i)
      result.emplace_back(trail_[i].slot, bounds_[trail_[i].slot]);
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
  }

  Draft& draft_for(BoxDifference difference) {
    const auto known = draft_of_.find(difference);
    if (known != draft_of_.end()) return drafts_[known->second];
    if (static_cast<double>(drafts_.size()) >= max_regions_) {
      fail_too_large(fmt::format("more than {:.0f} boxes", max_regions_));
    }
    for (std::size_t slot = 0; slot < bounds_.size(); ++slot) {
      const Rational& value = value_of(bounds_[slot]);
      if (std::isinf(to_float_nearest(value))) fail_beyond_float32(slot);
      bytes_ += bytes_of(value);
    }
    if (bytes_ > max_bytes_) fail_too_large(fmt::format("boxes of more than {:.0f} bytes in total", max_bytes_));
    draft_of_.emplace(difference, drafts_.size());
    return drafts_.emplace_back(Draft{std::move(difference), {}});
  }

  const Rational& value_of(std::int32_t rank) const { return *ranked_.values[static_cast<std::size_t>(rank)]; }

  std::vector<Region> finish() {
    std::vector<Region> regions;
    regions.reserve(drafts_.size());
    std::vector<std::int32_t> box = common_bounds_;
    for (Draft& draft : drafts_) {
      for (const auto& [slot, rank] : draft.difference) box[slot] = rank;
      Region& region = regions.emplace_back();
      region.box.lower.reserve(box.size() / 2);
      region.box.upper.reserve(box.size() / 2);
      for (std::size_t slot = 0; slot < box.size(); ++slot) {
        (is_upper(slot) ? region.box.upper : region.box.lower).push_back(value_of(box[slot]));
      }
      region.clauses = std::move(draft.clauses);
      for (const auto& [slot, rank] : draft.difference) box[slot] = common_bounds_[slot];
    }
    return regions;
  }

  const ParsedFile& parsed_;
  const Deadline& deadline_;
  const Formula& formula_;
  ClauseExpander expander_;

  const double max_regions_;
  const double max_bytes_;
  const double max_visits_;
  double bytes_ = 0;   // of all boxes so far
  double visits_ = 0;  // conditions that were entered or stood where a box was complete
  const RankedValues ranked_;
  std::vector<std::int32_t> bounds_;  // ranks
  std::size_t missing_;               // slots without a bound
  std::vector<Change> trail_;
  std::vector<Strict> strict_;
  std::vector<const Atom*> atoms_;
  std::vector<NodeId> plain_;    // disjunctions without bounds on inputs
  std::vector<NodeId> pending_;  // disjunctions with such bounds; those from position_ on are undecided
  std::size_t position_ = 0;

  std::vector<std::int32_t> common_bounds_;
  std::size_t common_trail_ = 0;
  std::vector<Draft> drafts_;
  std::map<BoxDifference, std::size_t> draft_of_;
};

}  // namespace

std::vector<Region> split_into_regions(const ParsedFile& parsed, const Deadline& deadline) {
  return RegionSplitter(parsed, deadline).run();
}

}  // namespace boundflow::vnnlib
