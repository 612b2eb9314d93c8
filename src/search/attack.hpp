#pragma once
// The attack: projected gradient descent (Madry et al. 2018) with restarts, on the violation itself: a clause is an AND
// of rows <= 0, so the quantity to bring to zero is its largest row, or the sum of its positive rows.

#include <functional>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "search/specification.hpp"

namespace boundflow {

struct AttackOptions {
  std::int64_t restarts = 64;  // points per round, spread over the clauses
  int steps = 40;
  double first_step = 0.25;  // of the box's width
  double last_step = 0.002;
};

// Called for each point that violates the specification as far as floating point values tell; true ends the attack.
using Candidate = std::function<bool(std::span<const double> point)>;

// Attacks the clauses over their box from random points and from `seeds` ([k, inputs]). Returns true if `candidate`
// accepted a point.
bool attack(const Specification& specification, std::span<const double> seeds, const Evaluator& evaluator,
            const AttackOptions& options, Random& random, const Deadline& deadline, const Candidate& candidate);

}  // namespace boundflow
