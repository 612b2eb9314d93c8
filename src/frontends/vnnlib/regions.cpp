#include "frontends/vnnlib/regions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
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

// The bounds in which a box differs from the common one, ascending by slot. Each is strictly tighter, so two boxes are
// equal exactly if their differences are.
using BoxDifference = std::vector<std::pair<std::size_t, const Rational*>>;

std::size_t hash_of(const BoxDifference& difference) {
  std::size_t hash = 0;
  const auto mix = [&hash](std::size_t value) { hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL + (hash >> 29); };
  for (const auto& [slot, value] : difference) {
    mix(slot);
    mix(static_cast<std::size_t>(std::int64_t{sgn(*value)} + 1));
    mix(mpz_getlimbn(value->get_num_mpz_t(), 0));
    mix(mpz_getlimbn(value->get_den_mpz_t(), 0));
  }
  return hash;
}

bool equal(const BoxDifference& a, const BoxDifference& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && (x.second == y.second || *x.second == *y.second);
  });
}

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
        bounds_(2 * static_cast<std::size_t>(parsed.formula.inputs()), nullptr),
        missing_(bounds_.size()) {}

  std::vector<Region> run() {
    if (!enter(parsed_.violation)) return {};
    common_bounds_ = bounds_;
    common_trail_ = trail_.size();
    walk();
    return finish();
  }

 private:
  struct Change {
    std::size_t slot;
    const Rational* before;
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
        return tighten(formula_.bound(node));
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

  bool tighten(const Bound& bound) {
    if (bound.strict) {
      strict_.push_back(&bound);
      atoms_.push_back(&formula_.atom_of(bound));
    }
    const std::size_t slot = slot_of(bound.input, bound.is_upper);
    const Rational* before = bounds_[slot];
    if (before != nullptr && (bound.is_upper ? bound.value >= *before : bound.value <= *before)) return true;
    if (before == nullptr) --missing_;
    trail_.push_back({slot, before});
    bounds_[slot] = &bound.value;
    const Rational* opposite = bounds_[slot ^ 1];
    return opposite == nullptr || !(bound.is_upper ? bound.value < *opposite : bound.value > *opposite);
  }

  Marks marks() const {
    return {trail_.size(), strict_.size(), atoms_.size(), plain_.size(), pending_.size(), position_};
  }

  void restore(const Marks& marks) {
    for (; trail_.size() > marks.trail; trail_.pop_back()) {
      const Change& change = trail_.back();
      if (change.before == nullptr) ++missing_;
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
    std::size_t visits = 0;
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
      visits += 1 + formula_.node(disjunct).children.size();
      if (visits > kMaxVisits) fail_too_large(fmt::format("combinations of more than {} conditions", kMaxVisits));
      down = enter(disjunct);
    }
  }

  [[noreturn]] void fail_too_large(const std::string& why) const {
    throw InputError(
        SourceLocation{parsed_.file},
        fmt::format("too large: the disjunctions that bound inputs split into {}; split it into several files", why));
  }

  // All disjunctions that bound inputs are decided: the state is one box with what must hold in it.
  void emit() {
    if (missing_ > 0) fail_missing();
    // x < v on a box that is pinned to v holds nowhere, although the closed box is not empty.
    for (const Bound* bound : strict_) {
      const Rational& opposite = *bounds_[slot_of(bound->input, !bound->is_upper)];
      if (opposite == bound->value) return;
    }
    expander_.append(atoms_, plain_, draft_for(difference()).clauses);
  }

  [[noreturn]] void fail_missing() const {
    const auto slot = static_cast<std::size_t>(std::find(bounds_.begin(), bounds_.end(), nullptr) - bounds_.begin());
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
    const std::size_t hash = hash_of(difference);
    const auto [first, last] = by_hash_.equal_range(hash);
    for (auto it = first; it != last; ++it) {
      if (equal(drafts_[it->second].difference, difference)) return drafts_[it->second];
    }
    if (static_cast<double>(drafts_.size()) >= max_regions_) {
      fail_too_large(fmt::format("more than {:.0f} boxes", max_regions_));
    }
    for (std::size_t slot = 0; slot < bounds_.size(); ++slot) {
      if (std::isinf(to_float_nearest(*bounds_[slot]))) fail_beyond_float32(slot);
      bytes_ += bytes_of(*bounds_[slot]);
    }
    if (bytes_ > max_bytes_) fail_too_large(fmt::format("boxes of more than {:.0f} bytes in total", max_bytes_));
    by_hash_.emplace(hash, drafts_.size());
    return drafts_.emplace_back(Draft{std::move(difference), {}});
  }

  std::vector<Region> finish() {
    std::vector<Region> regions;
    regions.reserve(drafts_.size());
    std::vector<const Rational*> box = common_bounds_;
    for (Draft& draft : drafts_) {
      for (const auto& [slot, value] : draft.difference) box[slot] = value;
      Region& region = regions.emplace_back();
      region.box.lower.reserve(box.size() / 2);
      region.box.upper.reserve(box.size() / 2);
      for (std::size_t slot = 0; slot < box.size(); ++slot) {
        (is_upper(slot) ? region.box.upper : region.box.lower).push_back(*box[slot]);
      }
      region.clauses = std::move(draft.clauses);
      for (const auto& [slot, value] : draft.difference) box[slot] = common_bounds_[slot];
    }
    return regions;
  }

  const ParsedFile& parsed_;
  const Deadline& deadline_;
  const Formula& formula_;
  ClauseExpander expander_;

  const double max_regions_;
  const double max_bytes_;
  double bytes_ = 0;  // of all boxes so far
  std::vector<const Rational*> bounds_;
  std::size_t missing_;  // slots without a bound
  std::vector<Change> trail_;
  std::vector<const Bound*> strict_;
  std::vector<const Atom*> atoms_;
  std::vector<NodeId> plain_;    // disjunctions without bounds on inputs
  std::vector<NodeId> pending_;  // disjunctions with such bounds; those from position_ on are undecided
  std::size_t position_ = 0;

  std::vector<const Rational*> common_bounds_;
  std::size_t common_trail_ = 0;
  std::vector<Draft> drafts_;
  std::unordered_multimap<std::size_t, std::size_t> by_hash_;
};

}  // namespace

std::vector<Region> split_into_regions(const ParsedFile& parsed, const Deadline& deadline) {
  return RegionSplitter(parsed, deadline).run();
}

}  // namespace boundflow::vnnlib
