#pragma once
// A Bounder that compiles the network again for the boxes that a search starts from, as soon as it asks about smaller
// ones: what is dead, active or fixed in the whole boxes is so in them, so every later subproblem runs the smaller
// program.

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/query_engine.hpp"

namespace boundflow {

// What a network is specialised with.
struct SpecialisationSetup {
  std::shared_ptr<const Network> network;  // the general engine's
  std::shared_ptr<const Executor> executor;
  QueryEngine::Options options;
  std::vector<InputBox> boxes;               // that hold all boxes asked about later
  Semantics semantics = Semantics::Float32;  // of all queries
  bool merge = true;                         // products of matrices too (passes/specialise)
  // Called with the specialised engine and its network before it answers anything.
  std::function<void(QueryEngine&, std::shared_ptr<const Network>)> prepare = nullptr;
};

// The engine of the network specialised to the boxes, and the share of the multiplications that is gone; no engine
// where that is too small for a compilation. StoppedError when the deadline passes before.
struct SpecialisedEngine {
  std::unique_ptr<QueryEngine> engine;
  double saved = 0;
};
SpecialisedEngine specialised_engine(const QueryEngine& general, const OperatorTable& table,
                                     const SpecialisationSetup& setup, const Deadline& deadline);

class SpecialisingBounder final : public Bounder {
 public:
  using Setup = SpecialisationSetup;
  static constexpr std::size_t kMostBoxes = 16;  // with more of them nothing is specialised
  // The smallest share of the network's multiplications that has to go for it to be compiled again.
  static constexpr double kWorthwhile = 0.1;

  // `general` and `table` outlive this.
  SpecialisingBounder(const QueryEngine& general, const OperatorTable& table, Setup setup);

  // Bounds of the same network: those of the general engine but for rounding, and for interval steps that lose less
  // through fewer layers. Queries over boxes of the setup go to the
  // general engine, and so do all if nothing was gained; which one answers depends on the query alone.
  void answer(const BoundQuery& query, const Deadline& deadline, BoundAnswer& answer) const override;

  // The share of the network's multiplications that is gone; 0 before a smaller box was asked about.
  double saved() const { return saved_; }
  // The engine that answers about smaller boxes; nullptr while the general one does.
  const QueryEngine* special() const { return special_.get(); }

 private:
  bool asks_about_smaller_boxes(const BoundQuery& query) const;
  void specialise_once(const Deadline& deadline) const;

  const QueryEngine& general_;
  const OperatorTable& table_;
  const Setup setup_;
  mutable std::mutex mutex_;
  mutable bool tried_ = false;
  mutable double saved_ = 0;
  mutable std::unique_ptr<QueryEngine> special_;
};

}  // namespace boundflow
