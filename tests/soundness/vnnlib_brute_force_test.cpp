// Random small formulas: what the text says at a point, by an evaluator of its own, against membership in the parsed
// regions and clauses, at every point of a grid on which all constants lie, so that boundaries are hit exactly.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"
#include "frontends/vnnlib/vnnlib.hpp"

namespace boundflow {
namespace {

// Coordinates of X_0, X_1, Y_0, Y_1, in halves. All arithmetic below is on small dyadic numbers: exact in double.
using Point = std::array<int, 4>;

struct Shape {
  int inputs = 1;
  int outputs = 1;
};

// A formula or an expression, as text and as a tree.
struct Tree {
  enum Kind {
    And,
    Or,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    Constant,
    Variable,
    Plus,
    Minus,
    Times,
    Divide
  } kind;
  std::vector<Tree> children;
  double value = 0;  // of a constant
  int variable = 0;  // index into Point
  std::string text;

  double evaluate(const Point& point) const {
    switch (kind) {
      case Constant:
        return value;
      case Variable:
        return point[static_cast<std::size_t>(variable)] / 2.0;
      case Plus:
      case Times: {
        double result = kind == Plus ? 0 : 1;
        for (const Tree& child : children) {
          result = kind == Plus ? result + child.evaluate(point) : result * child.evaluate(point);
        }
        return result;
      }
      case Minus: {
        double result = children[0].evaluate(point);
        if (children.size() == 1) return -result;
        for (std::size_t i = 1; i < children.size(); ++i) result -= children[i].evaluate(point);
        return result;
      }
      case Divide:
        return children[0].evaluate(point) / children[1].evaluate(point);
      default:
        ADD_FAILURE() << "not an expression";
        return 0;
    }
  }

  bool holds(const Point& point) const {
    if (kind == And || kind == Or) {
      for (const Tree& child : children) {
        if (child.holds(point) == (kind == Or)) return kind == Or;
      }
      return kind == And;
    }
    for (std::size_t i = 0; i + 1 < children.size(); ++i) {
      const double a = children[i].evaluate(point);
      const double b = children[i + 1].evaluate(point);
      const bool fine = kind == Less           ? a < b
                        : kind == LessEqual    ? a <= b
                        : kind == Greater      ? a > b
                        : kind == GreaterEqual ? a >= b
                                               : a == b;
      if (!fine) return false;
    }
    return true;
  }
};

Tree list(Tree::Kind kind, const std::string& name, std::vector<Tree> children) {
  Tree tree{kind, std::move(children), 0, 0, "(" + name};
  for (const Tree& child : tree.children) tree.text += " " + child.text;
  tree.text += ")";
  return tree;
}

class Generator {
 public:
  Generator(Random& random, Shape shape) : random_(random), shape_(shape) {}

  // Numbers of halves, in several spellings.
  Tree constant(int low, int high) {
    const auto halves = static_cast<int>(random_.integer(low, high));
    const int magnitude = std::abs(halves);
    std::string text = std::to_string(magnitude / 2) + (magnitude % 2 == 1 ? ".5" : random_.coin() ? "" : ".0");
    if (random_.integer(0, 4) == 0) text = std::to_string(5 * magnitude) + "e-1";
    if (halves < 0) text = random_.coin() ? "-" + text : "(- " + text + ")";
    return {Tree::Constant, {}, halves / 2.0, 0, text};
  }

  Tree variable() {
    const auto which = static_cast<int>(random_.integer(0, shape_.inputs + shape_.outputs - 1));
    return which < shape_.inputs ? input(which) : output(which - shape_.inputs);
  }
  static Tree input(int i) { return {Tree::Variable, {}, 0, i, "X_" + std::to_string(i)}; }
  static Tree output(int i) { return {Tree::Variable, {}, 0, 2 + i, "Y_" + std::to_string(i)}; }

  Tree expression(int depth) {
    if (depth == 0 || random_.integer(0, 2) == 0) return random_.coin() ? variable() : constant(-2, 2);
    switch (random_.integer(0, 5)) {
      case 0:
        return list(Tree::Plus, "+", {expression(depth - 1), expression(depth - 1)});
      case 1:
        return list(Tree::Plus, "+", {expression(depth - 1), expression(depth - 1), expression(0)});
      case 2:
        return list(Tree::Minus, "-", {expression(depth - 1), expression(depth - 1)});
      case 3:
        return list(Tree::Minus, "-", {expression(depth - 1)});
      case 4: {
        Tree factor = constant(-6, 6);
        Tree operand = expression(depth - 1);
        return random_.coin() ? list(Tree::Times, "*", {factor, operand}) : list(Tree::Times, "*", {operand, factor});
      }
      default: {
        static const int kPowers[] = {-4, -2, 1, 4};  // halves: quotients stay dyadic
        const int halves = kPowers[random_.integer(0, 3)];
        const Tree divisor{Tree::Constant, {}, halves / 2.0, 0, halves == 1 ? "0.5" : std::to_string(halves / 2)};
        return list(Tree::Divide, "/", {expression(depth - 1), divisor});
      }
    }
  }

  Tree relation(std::vector<Tree> operands) {
    static const char* const kNames[] = {"<", "<=", ">", ">=", "=", "=="};
    static const Tree::Kind kKinds[] = {Tree::Less,         Tree::LessEqual, Tree::Greater,
                                        Tree::GreaterEqual, Tree::Equal,     Tree::Equal};
    const std::int64_t which = random_.integer(0, 19) == 0 ? random_.integer(4, 5) : random_.integer(0, 3);
    return list(kKinds[which], kNames[which], std::move(operands));
  }

  Tree atom() {
    switch (random_.integer(0, 5)) {
      case 0:
      case 1: {  // a bound on one input
        Tree x = input(static_cast<int>(random_.integer(0, shape_.inputs - 1)));
        Tree bound = constant(-2, 2);
        return random_.coin() ? relation({x, bound}) : relation({bound, x});
      }
      case 2:
        return relation({output(static_cast<int>(random_.integer(0, shape_.outputs - 1))), constant(-2, 2)});
      case 3:
        return relation({expression(1), expression(1), expression(1)});
      default:
        return relation({expression(2), expression(2)});
    }
  }

  Tree formula(int depth) {
    if (depth == 0 || random_.integer(0, 4) == 0) return atom();
    std::vector<Tree> children;
    const std::int64_t arity = random_.integer(1, 3);
    for (std::int64_t i = 0; i < arity; ++i) children.push_back(formula(depth - 1));
    return random_.coin() ? list(Tree::And, "and", children) : list(Tree::Or, "or", children);
  }

  // -1 <= X <= 1 or narrower for every input, as assertions on their own or as conjuncts.
  std::vector<Tree> box() {
    std::vector<Tree> bounds;
    for (int i = 0; i < shape_.inputs; ++i) {
      bounds.push_back(list(Tree::GreaterEqual, ">=", {input(i), constant(-2, 0)}));
      bounds.push_back(list(Tree::LessEqual, "<=", {input(i), constant(-1, 2)}));
    }
    return bounds;
  }

 private:
  Random& random_;
  Shape shape_;
};

// Atoms and boxes over points in halves, in integers: sum of c x + c y + 2 r with denominators cleared.
std::int64_t integer(const Rational& q) {
  EXPECT_EQ(q.get_den(), 1);
  EXPECT_TRUE(q.get_num().fits_slong_p());
  return q.get_num().get_si();
}

struct IntegerAtom {
  std::array<std::int64_t, 4> coefficients{};
  std::int64_t constant = 0;
  bool strict = false;

  explicit IntegerAtom(const Atom& atom) : strict(atom.strict) {
    mpz_class common = atom.constant.get_den();
    for (const auto* terms : {&atom.inputs, &atom.outputs}) {
      for (const LinearTerm& term : *terms) common = lcm(common, term.coefficient.get_den());
    }
    for (const LinearTerm& term : atom.inputs) {
      coefficients[static_cast<std::size_t>(term.index)] = integer(term.coefficient * common);
    }
    for (const LinearTerm& term : atom.outputs) {
      coefficients[static_cast<std::size_t>(2 + term.index)] = integer(term.coefficient * common);
    }
    constant = integer(2 * atom.constant * common);
  }

  bool holds(const Point& point) const {
    std::int64_t sum = constant;
    for (std::size_t i = 0; i < 4; ++i) sum += coefficients[i] * point[i];
    return strict ? sum < 0 : sum <= 0;
  }
};

struct IntegerClause {
  std::vector<IntegerAtom> atoms;
  std::vector<std::vector<IntegerClause>> choices;

  explicit IntegerClause(const Clause& clause) {
    for (const Atom& atom : clause.atoms) atoms.emplace_back(atom);
    for (const auto& choice : clause.choices) choices.emplace_back(choice.begin(), choice.end());
  }

  bool holds(const Point& point) const {
    return std::all_of(atoms.begin(), atoms.end(), [&](const IntegerAtom& atom) { return atom.holds(point); }) &&
           std::all_of(choices.begin(), choices.end(), [&](const auto& choice) {
             return std::any_of(choice.begin(), choice.end(),
                                [&](const IntegerClause& clause) { return clause.holds(point); });
           });
  }
};

struct IntegerRegion {
  // low <= 2 * denominator-cleared coordinate, as atoms.
  std::vector<IntegerAtom> box;
  std::vector<IntegerClause> clauses;

  explicit IntegerRegion(const Region& region) : clauses(region.clauses.begin(), region.clauses.end()) {
    for (std::size_t i = 0; i < region.box.lower.size(); ++i) {
      const auto index = static_cast<std::int64_t>(i);
      box.emplace_back(Atom{{{index, -1}}, {}, region.box.lower[i], false});
      box.emplace_back(Atom{{{index, 1}}, {}, -region.box.upper[i], false});
    }
  }

  bool holds(const Point& point) const {
    return std::all_of(box.begin(), box.end(), [&](const IntegerAtom& atom) { return atom.holds(point); }) &&
           std::any_of(clauses.begin(), clauses.end(),
                       [&](const IntegerClause& clause) { return clause.holds(point); });
  }
};

void check_atoms(const Clause& clause) {
  for (const Atom& atom : clause.atoms) {
    ASSERT_GT(atom.inputs.size() + atom.outputs.size(), 0u) << "a constant atom was kept";
    ASSERT_TRUE(atom.strict || atom.inputs.size() != 1 || !atom.outputs.empty()) << "a bound was left in a clause";
    for (const auto* terms : {&atom.inputs, &atom.outputs}) {
      for (std::size_t i = 0; i < terms->size(); ++i) {
        ASSERT_NE((*terms)[i].coefficient, 0);
        if (i > 0) {
          ASSERT_LT((*terms)[i - 1].index, (*terms)[i].index);
        }
      }
    }
  }
  for (const auto& choice : clause.choices) {
    for (const Clause& alternative : choice) check_atoms(alternative);
  }
}

// What property.hpp promises about the form.
void check_form(const Property& property) {
  for (std::size_t r = 0; r < property.regions.size(); ++r) {
    const Region& region = property.regions[r];
    ASSERT_FALSE(region.clauses.empty());
    for (std::size_t i = 0; i < region.box.lower.size(); ++i) ASSERT_LE(region.box.lower[i], region.box.upper[i]);
    for (std::size_t s = 0; s < r; ++s) {
      const DecimalBox& other = property.regions[s].box;
      ASSERT_FALSE(other.lower == region.box.lower && other.upper == region.box.upper) << "two regions with one box";
    }
    for (const Clause& clause : region.clauses) check_atoms(clause);
  }
}

struct Tally {
  int formulas = 0;
  int with_choices = 0;
  int with_several_regions = 0;
  std::int64_t points_inside = 0;
  std::int64_t points_outside = 0;
};

// All assertions of one file against its property, at every point of the grid {-1.5, -1, ..., 1.5}.
void compare(const Shape& shape, const std::vector<Tree>& assertions, Tally& tally) {
  std::string text;
  for (int i = 0; i < shape.inputs; ++i) text += "(declare-const X_" + std::to_string(i) + " Real)\n";
  for (int i = 0; i < shape.outputs; ++i) text += "(declare-const Y_" + std::to_string(i) + " Real)\n";
  for (const Tree& assertion : assertions) text += "(assert " + assertion.text + ")\n";
  SCOPED_TRACE(text);
  const Property property = parse_vnnlib(text, "random.vnnlib", shape.inputs, shape.outputs);
  ASSERT_NO_FATAL_FAILURE(check_form(property));
  const std::vector<IntegerRegion> regions(property.regions.begin(), property.regions.end());

  ++tally.formulas;
  if (regions.size() > 1) ++tally.with_several_regions;
  for (const Region& region : property.regions) {
    if (std::any_of(region.clauses.begin(), region.clauses.end(), [](const Clause& c) { return !c.choices.empty(); })) {
      ++tally.with_choices;
      break;
    }
  }
  constexpr int kReach = 3;
  const auto reach = [](bool used) { return used ? kReach : 0; };
  Point p{};
  for (p[0] = -kReach; p[0] <= kReach; ++p[0]) {
    for (p[1] = -reach(shape.inputs > 1); p[1] <= reach(shape.inputs > 1); ++p[1]) {
      for (p[2] = -kReach; p[2] <= kReach; ++p[2]) {
        for (p[3] = -reach(shape.outputs > 1); p[3] <= reach(shape.outputs > 1); ++p[3]) {
          const bool expected =
              std::all_of(assertions.begin(), assertions.end(), [&](const Tree& a) { return a.holds(p); });
          const bool actual =
              std::any_of(regions.begin(), regions.end(), [&](const IntegerRegion& region) { return region.holds(p); });
          ++(expected ? tally.points_inside : tally.points_outside);
          ASSERT_EQ(actual, expected) << "at (" << p[0] << ", " << p[1] << ", " << p[2] << ", " << p[3] << ") halves\n"
                                      << print(property);
        }
      }
    }
  }
}

Shape random_shape(Random& random) {
  return {static_cast<int>(random.integer(1, 2)), static_cast<int>(random.integer(1, 2))};
}

void shuffle(std::vector<Tree>& trees, Random& random) {
  for (std::size_t i = trees.size(); i > 1; --i) {
    std::swap(trees[i - 1], trees[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(i) - 1))]);
  }
}

TEST(VnnlibBruteForce, CommonBoxBesideNestedFormulas) {
  Random random(11);
  Tally tally;
  for (int round = 0; round < 2500; ++round) {
    const Shape shape = random_shape(random);
    Generator generator(random, shape);
    std::vector<Tree> assertions = generator.box();
    if (random.coin()) assertions = {list(Tree::And, "and", assertions)};
    for (std::int64_t i = random.integer(1, 3); i > 0; --i) assertions.push_back(generator.formula(3));
    shuffle(assertions, random);
    ASSERT_NO_FATAL_FAILURE(compare(shape, assertions, tally)) << "round " << round;
  }
  EXPECT_GT(tally.points_inside, 10'000);
  EXPECT_GT(tally.points_outside, 10'000);
  EXPECT_GT(tally.with_several_regions, 300);
}

TEST(VnnlibBruteForce, BoxesInsideDisjunctions) {
  Random random(12);
  Tally tally;
  for (int round = 0; round < 1500; ++round) {
    const Shape shape = random_shape(random);
    Generator generator(random, shape);
    std::vector<Tree> disjuncts;
    std::vector<Tree> box = generator.box();
    for (std::int64_t i = random.integer(1, 4); i > 0; --i) {
      if (random.coin()) box = generator.box();  // else the box of the disjunct before
      std::vector<Tree> conjuncts = box;
      conjuncts.push_back(generator.formula(2));
      shuffle(conjuncts, random);
      disjuncts.push_back(list(Tree::And, "and", conjuncts));
    }
    std::vector<Tree> assertions = {list(Tree::Or, "or", disjuncts)};
    if (random.coin()) assertions.push_back(generator.formula(2));
    shuffle(assertions, random);
    ASSERT_NO_FATAL_FAILURE(compare(shape, assertions, tally)) << "round " << round;
  }
  EXPECT_GT(tally.points_inside, 5'000);
  EXPECT_GT(tally.points_outside, 5'000);
  EXPECT_GT(tally.with_several_regions, 300);
}

TEST(VnnlibBruteForce, ProductsTooLargeToExpand) {
  Random random(13);
  Tally tally;
  for (int round = 0; round < 150; ++round) {
    const Shape shape = random_shape(random);
    Generator generator(random, shape);
    std::vector<Tree> assertions = generator.box();
    // Mostly outputs, and wide enough for some points to satisfy all of them.
    for (std::int64_t i = random.integer(12, 16); i > 0; --i) {
      std::vector<Tree> disjuncts;
      for (int k = 0; k < 2; ++k) {
        Tree y = Generator::output(static_cast<int>(random.integer(0, shape.outputs - 1)));
        Tree sum = list(Tree::Plus, "+", {y, random.coin() ? Generator::input(0) : generator.constant(-1, 1)});
        Tree atom = generator.relation({sum, generator.constant(-2, 2)});
        disjuncts.push_back(random.integer(0, 5) == 0
                                ? list(Tree::And, "and", {atom, generator.relation({y, generator.variable()})})
                                : atom);
      }
      disjuncts.push_back(generator.relation({Generator::output(0), generator.constant(-2, 2)}));
      if (random.integer(0, 9) == 0) disjuncts.push_back(generator.formula(1));
      assertions.push_back(list(Tree::Or, "or", disjuncts));
    }
    // Below a disjunction as well: choices inside of clauses inside of choices.
    if (random.coin()) {
      std::vector<Tree> conjuncts(assertions.begin() + 2 * shape.inputs, assertions.end());
      assertions.resize(2 * static_cast<std::size_t>(shape.inputs));
      assertions.push_back(list(Tree::Or, "or", {list(Tree::And, "and", conjuncts), generator.atom()}));
    }
    shuffle(assertions, random);
    ASSERT_NO_FATAL_FAILURE(compare(shape, assertions, tally)) << "round " << round;
  }
  EXPECT_GT(tally.with_choices, 75);
  EXPECT_GT(tally.points_inside, 1'000);
  EXPECT_GT(tally.points_outside, 1'000);
}

TEST(VnnlibBruteForce, MissingBoundsAreAnErrorOrTheFormulaIsExact) {
  Random random(14);
  Tally tally;
  int refused = 0;
  for (int round = 0; round < 1500; ++round) {
    const Shape shape = random_shape(random);
    Generator generator(random, shape);
    std::vector<Tree> assertions = generator.box();
    shuffle(assertions, random);
    assertions.resize(assertions.size() - static_cast<std::size_t>(random.integer(0, 1)));
    assertions.push_back(generator.formula(3));
    try {
      ASSERT_NO_FATAL_FAILURE(compare(shape, assertions, tally)) << "round " << round;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("bound"), std::string::npos) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(tally.formulas, 500);
}

}  // namespace
}  // namespace boundflow
