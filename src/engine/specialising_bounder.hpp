#pragma once
// A Bounder that compiles the network again for the boxes that a search starts from, as soon as it asks about smaller
// ones: their neurons are dead where those of the whole boxes are, so every later subproblem runs the smaller program.

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/query_engine.hpp"

namespace boundflow {

class SpecialisingBounder final : public Bounder {
 public:
  struct Setup {
    std::shared_ptr<const Network> network;  // the general engine's
    std::shared_ptr<const Executor> executor;
    QueryEngine::Options options;
    std::vector<InputBox> boxes;  // that hold all boxes asked about later; with many of them nothing is specialised
    Semantics semantics = Semantics::Float32;  // of all queries
    // Called with the specialised engine and its network before it answers anything.
    std::function<void(QueryEngine&, std::shared_ptr<const Network>)> prepare = nullptr;
  };
  static constexpr std::size_t kMostBoxes = 16;
  // The smallest share of the neurons that has to be dead for the network to be compiled again.
  static constexpr double kWorthwhile = 0.1;

  // `general` and `table` outlive this.
  SpecialisingBounder(const QueryEngine& general, const OperatorTable& table, Setup setup);

  // The same bounds as those of the general engine, but for rounding. Queries over boxes of the setup go to the
  // general engine, and so do all if nothing was gained; which one answers depends on the query alone.
  void answer(const BoundQuery& query, const Deadline& deadline, BoundAnswer& answer) const override;

  // Of all neurons that activations read; 0 before a smaller box was asked about.
  std::int64_t removed() const { return removed_; }

 private:
  bool asks_about_smaller_boxes(const BoundQuery& query) const;
  void specialise_once(const Deadline& deadline) const;

  const QueryEngine& general_;
  const OperatorTable& table_;
  const Setup setup_;
  mutable std::mutex mutex_;
  mutable bool tried_ = false;
  mutable std::int64_t removed_ = 0;
  mutable std::unique_ptr<QueryEngine> special_;
};

}  // namespace boundflow
