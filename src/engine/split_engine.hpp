#pragma once
// A SplitBounder over one box: bounds of all values are found once, subproblems differ in splits, multipliers and
// lines, which are optimised by projected steps along gradients that need no tape (docs/architecture.md).

#include <algorithm>

#include "base/rounding.hpp"
#include "engine/query_engine.hpp"
#include "engine/share_steps.hpp"
#include "ir/split_query.hpp"

namespace boundflow {

struct LinearFunctions;

class SplitEngine final : public SplitBounder {
 public:
  // `engine`: compiled with Options::splits, and with split programs. StoppedError when the deadline passes before the
  // box is bounded.
  SplitEngine(std::shared_ptr<const QueryEngine> engine, const InputBox& box, Semantics semantics,
              const Deadline& deadline);
  ~SplitEngine() override;

  bool bound(const LinearSpec& spec, std::span<SplitSubproblem* const> subproblems, const SplitEffort& effort,
             const Deadline& deadline, std::vector<SplitAnswer>& answers) const override;
  std::vector<Narrowed> narrow_halves(const LinearSpec& spec, const SplitSubproblem& parent,
                                      std::span<const SplitPoint> splits, const Deadline& deadline) const override;
  std::optional<LeafOptimum> optimum(const LinearSpec& spec, const SplitSubproblem& leaf,
                                     const Deadline& deadline) const override;
  std::unique_ptr<SplitBounder> within(std::span<const NeuronSplit> splits) const override;
  std::vector<NeuronRange> ranges_at(std::span<const double> point, const Deadline& deadline) const override;
  std::vector<std::int32_t> layers() const override;
  std::int64_t bytes_per_subproblem() const override;
  std::int64_t held_bytes() const override;

  struct Refinement {
    SplitEffort effort;        // for each row
    int splits = 0;            // of each row at most, by the signs of neurons of earlier layers
    SplitEffort split_effort;  // for each half
  };
  // Tightens the bounds of unstable neurons, layer by layer, with slopes of their own for each (Xu et al. 2021), and
  // with splits, until all are done or `limit` is reached. To be called before the first `bound`. Returns how many
  // bounds got better.
  std::int64_t refine(const Refinement& refinement, const RefinementLimit& limit);
  bool refine(int stage, const RefinementLimit& limit) override;

  // Of one subproblem, what a step would follow: the derivative of its nominal bound by each share (in the order of the
  // subproblem's slopes) and by each multiplier. Where lines or corners change, one of several.
  struct Gradients {
    bool complete = false;
    SplitAnswer answer;
    std::vector<float> slopes;
    std::vector<float> multipliers;
  };
  Gradients gradients(const LinearSpec& spec, SplitSubproblem subproblem, const Deadline& deadline) const;
  // The same for the row `sign` e_i, i = subproblem.row as stored, of the layer that split program `program` > 0
  // bounds.
  Gradients gradients(std::size_t program, double sign, SplitSubproblem subproblem, const Deadline& deadline) const;

  // What is known of each value in all subproblems (in those within the splits that are assumed), by ValueId and as
  // stored.
  std::span<const GivenValue> given() const { return given_; }

  // How many lines a subproblem chooses (SplitSubproblem::slopes).
  std::int64_t choices() const { return free_.size() * sides_; }

  void trace(std::shared_ptr<Trace> trace) { trace_ = std::move(trace); }

 private:
  // What else is known of a neuron with lines to choose from over the box.
  struct FreeRange {
    std::int32_t layer = 0;
    double lower = 0;
    double upper = 0;
    // The shares of subproblems that have none.
    float start_below = 0;
    float start_above = 0;
  };
  struct Workspace;
  SplitEngine(const SplitEngine& around, std::span<const NeuronSplit> splits);
  std::vector<GivenValue> values_over(std::span<const double> lower, std::span<const double> upper,
                                      const Deadline& deadline) const;
  // Rows of one program: the query's, or a layer's.
  struct RowSource {
    const CompiledProgram& program;
    const std::vector<bool>& meets;  // by layer: whether rows go through its activation
    const LinearSpec* spec = nullptr;
    std::span<const double> signs = {};  // per subproblem, of a layer's
  };
  // A row of a layer on its way to a better bound: subproblems that cover the box, whose worst bound is the row's.
  struct RowTree {
    struct Leaf {
      SplitSubproblem subproblem;
      double bound = -kInfinity;
      std::vector<SplitPoint> candidates;
    };
    double sign = 1;
    std::vector<Leaf> leaves;

    std::size_t worst() const {
      return static_cast<std::size_t>(std::min_element(leaves.begin(), leaves.end(),
                                                       [](const Leaf& a, const Leaf& b) { return a.bound < b.bound; }) -
                                      leaves.begin());
    }
    double bound() const { return leaves[worst()].bound; }
  };
  void find_free();
  void begin_contraction();
  Gradients gradients(const RowSource& source, SplitSubproblem& subproblem, const Deadline& deadline) const;
  std::int64_t neurons_met(std::size_t program) const;
  bool bound_leaves(std::size_t program, std::span<RowTree::Leaf* const> leaves, std::span<const double> signs,
                    SplitEffort effort, const Deadline& deadline) const;
  bool split_rows(std::size_t program, std::span<RowTree> trees, int splits, const SplitEffort& effort,
                  const Deadline& deadline) const;
  bool bound_rows(const RowSource& source, std::span<SplitSubproblem* const> subproblems, const SplitEffort& effort,
                  const Deadline& deadline, std::vector<SplitAnswer>& answers) const;
  // In engine/split_narrowing.cpp: bounds of a subproblem's own.
  bool contradicts(const SplitSubproblem& subproblem) const;
  bool can_narrow(const LinearSpec* spec, const SplitSubproblem& subproblem) const;
  std::size_t coordinate(std::size_t position) const;  // of the input, by where it is stored
  bool begin_own(const SplitSubproblem& subproblem, bool narrows, ValueBounds& own) const;
  void cut(std::size_t at, double lower, double upper, ValueBounds& own) const;
  bool own(const RowSource& source, std::span<SplitSubproblem* const> subproblems, bool clips, const ValueBounds* base,
           const Deadline& deadline, Workspace& workspace) const;
  void narrow(const LinearSpec& spec, const SplitSubproblem& subproblem, std::size_t b, Workspace& workspace) const;
  bool clip(std::size_t n, double bound, Workspace& workspace) const;
  bool clip_by_rows(const RowSource& source, std::span<SplitSubproblem* const> subproblems, const Deadline& deadline,
                    Workspace& workspace) const;
  void keep_box(const ValueBounds& own, SplitSubproblem& subproblem) const;
  NeuronRange range_of(std::size_t free, std::size_t b, const Workspace& workspace) const;

  // In engine/split_leaf.cpp.
  bool functions_of(const LinearSpec& spec, std::span<SplitSubproblem* const> subproblems, const Deadline& deadline,
                    LinearFunctions& functions) const;

  // In engine/split_steps.cpp: what follows from a sweep.
  const LineChoice* lines_of(std::size_t free, std::size_t side, const NeuronRange& range, LineChoices& own) const;
  float share_gradient(std::size_t free, std::size_t side, std::size_t b, float lambda, float z, const Workspace& w,
                       LineChoices& own) const;
  void share_gradients(std::size_t n, std::size_t side, Workspace& workspace) const;
  void mark_split(std::size_t b, Workspace& workspace) const;
  void improve(std::size_t n, int step, double length, Workspace& workspace) const;
  template <class Visit>
  void for_each_narrowed(std::size_t b, const Workspace& workspace, const Visit& visit) const;
  double score(std::size_t free, std::size_t n, const Workspace& workspace, LineChoices& own) const;
  void rank(std::size_t n, Workspace& workspace, SplitAnswer& answer) const;
  void keep_best(std::size_t b, Workspace& workspace) const;
  void take_best(std::size_t b, const Workspace& workspace, SplitSubproblem& subproblem) const;
  static float multiplier_gradient(const SplitTerm& split, float z);

  bool give(const RowSource& source, const Deadline& deadline, Workspace& workspace) const;
  void load(std::span<SplitSubproblem* const> subproblems, Workspace& workspace) const;
  enum class Walk { Alone, AloneWithForms, AndSweep, AndMinimizers };
  void aim(std::span<SplitSubproblem* const> subproblems, Workspace& workspace) const;
  bool walk(const RowSource& source, Walk kind, const Deadline& deadline, Workspace& workspace) const;
  bool start(const RowSource& source, std::span<SplitSubproblem* const> subproblems, bool clips,
             const Deadline& deadline, Workspace& workspace, const ValueBounds* base = nullptr) const;
  const crown::NeuronLayer& layer_of(std::int32_t neuron) const;

  std::shared_ptr<const QueryEngine> engine_;
  const std::vector<crown::NeuronLayer>& layers_;
  const CompiledProgram& program_;  // of the query's rows
  const Contraction* contraction_;  // or nullptr
  ContractionBase contraction_base_;
  const Semantics semantics_;
  std::vector<double> lower_;  // the box
  std::vector<double> upper_;
  double widest_ = 0;  // of its coordinates
  ValueId input_;
  Order input_order_;
  std::vector<std::int32_t> positions_;  // of the input's coordinates, as stored
  std::vector<GivenValue> given_;
  std::vector<NeuronSplit> assumed_;    // that all subproblems have
  bool nothing_left_ = false;           // within what is assumed
  std::vector<std::vector<bool>> met_;  // per program, as RowSource::meets
  std::int64_t neurons_ = 0;
  FreeNeurons free_;
  std::vector<FreeRange> ranges_;      // of free_
  TurnRanges turn_ranges_;             // likewise
  std::vector<KnownChoices> choices_;  // FreeNeurons::known
  std::int64_t sides_ = 1;             // 2 if any has a choice above as well
  std::vector<std::int32_t> place_;    // by neuron: in free_, or -1
  std::shared_ptr<Trace> trace_;
  mutable Pool<Workspace> workspaces_;
};

}  // namespace boundflow
