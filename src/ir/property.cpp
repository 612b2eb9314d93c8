#include "ir/property.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace boundflow {
namespace {

// Exact: a decimal where there is one, else a fraction.
std::string number(const Rational& q) {
  if (std::optional<std::string> decimal = exact_decimal(q)) return *decimal;
  return q.get_str();
}

// Appends "+ 2*X_0" with the sign as an operator between terms and as a prefix in front of the first.
void append_term(std::string& text, const Rational& coefficient, const std::string& variable) {
  const bool negative = sgn(coefficient) < 0;
  const Rational magnitude = abs(coefficient);
  text += text.empty() ? (negative ? "-" : "") : (negative ? " - " : " + ");
  if (variable.empty()) {
    text += number(magnitude);
  } else {
    text += magnitude == 1 ? variable : number(magnitude) + "*" + variable;
  }
}

std::string print(const Atom& atom) {
  std::string sum;
  for (const LinearTerm& term : atom.inputs) append_term(sum, term.coefficient, fmt::format("X_{}", term.index));
  for (const LinearTerm& term : atom.outputs) append_term(sum, term.coefficient, fmt::format("Y_{}", term.index));
  if (atom.constant != 0 || sum.empty()) append_term(sum, atom.constant, "");
  return sum + (atom.strict ? " < 0" : " <= 0");
}

void print(const Clause& clause, std::size_t indent, std::string& text) {
  const std::string margin(indent, ' ');
  if (clause.atoms.empty() && clause.choices.empty()) text += margin + "true\n";
  for (const Atom& atom : clause.atoms) text += margin + print(atom) + "\n";
  for (const std::vector<Clause>& choice : clause.choices) {
    text += margin + "one of\n";
    for (const Clause& alternative : choice) {
      text += margin + "  clause\n";
      print(alternative, indent + 4, text);
    }
  }
}

// The float32 that stands for a bound in execution. A network cannot be fed with an infinity.
double executed(const Rational& bound, std::size_t input) {
  const double nearest = to_float_nearest(bound);
  if (std::isinf(nearest)) {
    throw InputError(fmt::format("the bound {} of input X_{} is beyond the range of float32", number(bound), input));
  }
  return nearest;
}

bool has_input_terms(const std::vector<Clause>& clauses) {
  return std::any_of(clauses.begin(), clauses.end(), [](const Clause& clause) {
    return std::any_of(clause.atoms.begin(), clause.atoms.end(),
                       [](const Atom& atom) { return !atom.inputs.empty(); }) ||
           std::any_of(clause.choices.begin(), clause.choices.end(),
                       [](const std::vector<Clause>& choice) { return has_input_terms(choice); });
  });
}

}  // namespace

bool has_input_terms(const Region& region) {
  return has_input_terms(region.clauses);
}

std::string print(const Property& property) {
  std::string text = fmt::format("property of {} inputs and {} outputs, {} regions\n", property.input_count,
                                 property.output_count, property.regions.size());
  for (std::size_t r = 0; r < property.regions.size(); ++r) {
    const Region& region = property.regions[r];
    text += fmt::format("region {}\n", r);
    for (std::size_t i = 0; i < region.box.lower.size(); ++i) {
      text += fmt::format("  {} <= X_{} <= {}\n", number(region.box.lower[i]), i, number(region.box.upper[i]));
    }
    for (const Clause& clause : region.clauses) {
      text += "  clause\n";
      print(clause, 4, text);
    }
  }
  return text;
}

// Rounding to float32 is monotone: what [l, u] is executed as lies in [fl(l), fl(u)], and the hull of both intervals is
// the smallest one that holds every decimal and its float.
InputBox outward_box(const DecimalBox& box) {
  ensure(box.lower.size() == box.upper.size(), "a box needs as many lower as upper bounds");
  InputBox result;
  result.lower.reserve(box.lower.size());
  result.upper.reserve(box.upper.size());
  for (std::size_t i = 0; i < box.lower.size(); ++i) {
    result.lower.push_back(std::min(to_double_down(box.lower[i]), executed(box.lower[i], i)));
    result.upper.push_back(std::max(to_double_up(box.upper[i]), executed(box.upper[i], i)));
  }
  return result;
}

}  // namespace boundflow
