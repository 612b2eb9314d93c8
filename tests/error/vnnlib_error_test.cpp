#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "base/error.hpp"
#include "frontends/vnnlib/vnnlib.hpp"

namespace boundflow {
namespace {

struct Malformed {
  const char* name;
  std::string text;
  std::string message;  // the whole of it, or its beginning where it ends in "..."
  bool declare = true;  // put the declarations of X_0, X_1, Y_0 into line 1
};

void PrintTo(const Malformed& malformed, std::ostream* out) {
  *out << malformed.name;
}

std::string repeat(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

const std::string kDeclarations = "(declare-const X_0 Real) (declare-const X_1 Real) (declare-const Y_0 Real)\n";
const std::string kBox = "(assert (<= 0 X_0 1)) (assert (<= 0 X_1 1))\n";

class MalformedVnnlib : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedVnnlib, IsRefusedAtItsPlace) {
  const Malformed& malformed = GetParam();
  try {
    parse_vnnlib((malformed.declare ? kDeclarations : "") + malformed.text, "p.vnnlib", 2, 1);
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_EQ(error.code(), ExitCode::BadInput);
    if (malformed.message.ends_with("...")) {
      EXPECT_THAT(error.what(), testing::StartsWith(malformed.message.substr(0, malformed.message.size() - 3)));
    } else {
      EXPECT_STREQ(error.what(), malformed.message.c_str());
    }
  }
}

const Malformed kMalformed[] = {
    // Parentheses and characters.
    {"UnclosedCommand", "(assert (<= Y_0 1)",
     "p.vnnlib:2:1: this '(' is never closed: found the end of the file, expected ')'"},
    {"UnclosedAnd", "\n (assert (and (<= Y_0 1)", "p.vnnlib:3:10: this '(' is never closed..."},
    {"UnclosedRelation", "(assert (<= Y_0", "p.vnnlib:2:9: this '(' is never closed..."},
    {"UnclosedSum", "(assert (<= (+ Y_0 1", "p.vnnlib:2:13: this '(' is never closed..."},
    {"UnclosedIgnoredCommand", "(set-info :x", "p.vnnlib:2:1: this '(' is never closed..."},
    {"ExtraClosingParenthesis", "(assert (<= Y_0 1)))", "p.vnnlib:2:20: unbalanced ')': no '(' is open here"},
    {"TrailingGarbage", kBox + "(assert (<= Y_0 1)) garbage",
     "p.vnnlib:3:21: expected a command such as (assert ...), found 'garbage'"},
    {"UnexpectedCharacter", "(assert (<= Y_0 #b1))", "p.vnnlib:2:17: unexpected character '#'"},
    {"BinaryFile", std::string("PK\x03\x04", 4), "p.vnnlib:1:3: unexpected byte 0x03; is this a text file?", false},
    {"BinaryByte", std::string("\x08\x01", 2), "p.vnnlib:1:1: unexpected byte 0x08; is this a text file?", false},
    {"UnclosedString", "(set-info \"x)", "p.vnnlib:2:11: this \" is never closed"},
    {"CommentHidesTheEnd", "(assert (<= Y_0 1) ; )", "p.vnnlib:2:1: this '(' is never closed..."},
    // Commands.
    {"UnknownCommand", "(push 1)", "p.vnnlib:2:2: unknown command 'push'; expected declare-const or assert"},
    {"NoCommand", "()", "p.vnnlib:2:2: expected the name of a command, found ')'"},
    {"CommandIsAList", "((assert))", "p.vnnlib:2:2: expected the name of a command, found '('"},
    {"AssertWithoutFormula", "(assert)",
     "p.vnnlib:2:8: expected a formula (and, or, <=, <, >=, > or = in parentheses), found ')'"},
    {"AssertWithTwoFormulas", "(assert (<= Y_0 1) (<= Y_0 2))",
     "p.vnnlib:2:20: expected ')' (assert takes one formula), found '('"},
    {"AssertAfterCheckSat", "(check-sat)(assert (<= Y_0 1))",
     "p.vnnlib:2:13: 'assert' after check-sat is not supported"},
    {"DeclareAfterExit", "(exit)\n(declare-const Y_1 Real)",
     "p.vnnlib:3:2: 'declare-const' after exit is not supported"},
    {"Version2", "(vnnlib-version <2.0>)",
     "p.vnnlib:1:2: 'vnnlib-version' belongs to VNN-LIB 2.0, which is not supported yet; expected VNN-LIB 1.0", false},
    {"Version2Network", "; q\n(declare-network f (declare-input X float32 [1,5]))",
     "p.vnnlib:2:2: 'declare-network' belongs to VNN-LIB 2.0, which is not supported yet...", false},
    // Declarations.
    {"DeclaredTwice", "(declare-const X_0 Real)", "p.vnnlib:2:16: 'X_0' is declared twice; first in line 1"},
    {"InputBeyondTheNetwork", "(declare-const X_2 Real)",
     "p.vnnlib:2:16: 'X_2' is declared, but the network has 2 inputs"},
    {"OutputBeyondTheNetwork", "(declare-const Y_1 Real)",
     "p.vnnlib:2:16: 'Y_1' is declared, but the network has 1 outputs"},
    {"HugeIndex", "(declare-const X_99999999999999999999 Real)",
     "p.vnnlib:2:16: expected a variable X_i or Y_i, found 'X_99999999999999999999'"},
    {"ForeignName", "(declare-const Z_0 Real)", "p.vnnlib:2:16: expected a variable X_i or Y_i, found 'Z_0'"},
    {"LeadingZero", "(declare-const X_01 Real)", "p.vnnlib:2:16: expected a variable X_i or Y_i, found 'X_01'"},
    {"NegativeIndex", "(declare-const X_-0 Real)", "p.vnnlib:2:16: expected a variable X_i or Y_i, found 'X_-0'"},
    {"ForeignSort", "(declare-const X_0 Int)", "p.vnnlib:2:20: expected the sort Real, found 'Int'"},
    {"SortMissing", "(declare-const X_0)", "p.vnnlib:2:19: expected the sort Real, found ')'"},
    {"DeclarationTooLong", "(declare-const X_0 Real Real)",
     "p.vnnlib:2:25: expected ')' (a declaration has a name and a sort), found 'Real'"},
    {"FunctionWithParameters", "(declare-fun X_0 (Real) Real)",
     "p.vnnlib:2:19: expected ')' (a variable has no parameters), found 'Real'"},
    {"TooFewInputs", "(declare-const X_0 Real)\n (declare-const Y_0 Real)",
     "p.vnnlib:2:17: the network has 2 inputs, but 1 are declared: X_1 is missing", false},
    {"NoOutputs", "(declare-const X_0 Real)(declare-const X_1 Real)",
     "p.vnnlib:1:40: the network has 1 outputs, but 0 are declared: Y_0 is missing", false},
    {"EmptyFile", "", "p.vnnlib:1:1: the network has 2 inputs, but 0 are declared: X_0 is missing", false},
    // Formulas.
    {"UndeclaredOutput", "(assert (<= Y_7 1))", "p.vnnlib:2:13: 'Y_7' is not declared"},
    {"UsedBeforeItsDeclaration", "(assert (<= X_0 1))" + kDeclarations, "p.vnnlib:1:13: 'X_0' is not declared", false},
    {"EmptyAnd", "(assert (and))", "p.vnnlib:2:10: 'and' needs at least one argument"},
    {"EmptyOr", "(assert (and (<= Y_0 1) (or)))", "p.vnnlib:2:26: 'or' needs at least one argument"},
    {"Not", "(assert (not (<= Y_0 1)))",
     "p.vnnlib:2:10: 'not' is not supported; supported are and, or, <=, <, >=, > or = over linear expressions"},
    {"Implication", "(assert (=> (<= Y_0 1) (<= Y_0 2)))", "p.vnnlib:2:10: '=>' is not supported..."},
    {"Let", "(assert (let ((a 1)) (<= Y_0 a)))", "p.vnnlib:2:10: 'let' is not supported..."},
    {"IfThenElse", "(assert (ite true true true))", "p.vnnlib:2:10: 'ite' is not supported..."},
    {"UnknownFormula", "(assert (less Y_0 1))", "p.vnnlib:2:10: expected and, or, <=, <, >=, > or =, found 'less'"},
    {"FormulaIsAVariable", "(assert Y_0)", "p.vnnlib:2:9: expected a formula..."},
    {"FormulaIsASum", "(assert (+ Y_0 1))", "p.vnnlib:2:10: expected and, or, <=, <, >=, > or =, found '+'"},
    {"VariableUnderAnd", "(assert (and Y_0))", "p.vnnlib:2:14: expected a formula..."},
    {"EqualityOfFormulas", "(assert (= (and true) true))", "p.vnnlib:2:13: expected one of +, -, *, /, found 'and'"},
    {"RelationOfOne", "(assert (<= Y_0))", "p.vnnlib:2:10: '<=' needs at least two arguments"},
    {"RelationOfNone", "(assert (=))", "p.vnnlib:2:10: '=' needs at least two arguments"},
    {"NestedTooDeep", "(assert " + repeat("(and ", 1001) + "true" + repeat(")", 1002),
     "p.vnnlib:2:5009: nested more than 1000 levels deep"},
    {"NestedFarTooDeep", "(assert " + repeat("(or", 3'000'000), "p.vnnlib:2:3009: nested more than 1000 levels deep"},
    {"SumNestedTooDeep", "(assert (<= " + repeat("(+ ", 100'000), "p.vnnlib:2:3010: nested more than 1000 levels deep"},
    // Expressions.
    {"BadNumber", "(assert (<= Y_0 1.2.3))",
     "p.vnnlib:2:17: expected a number, X_i, Y_i or one of +, -, *, / applied to such, found '1.2.3'"},
    {"NumberWithoutDigits", "(assert (<= Y_0 .5))", "p.vnnlib:2:17: expected a number, X_i, Y_i..."},
    {"NotANumber", "(assert (<= Y_0 nan))", "p.vnnlib:2:17: expected a number, X_i, Y_i..."},
    {"Infinity", "(assert (<= Y_0 inf))", "p.vnnlib:2:17: expected a number, X_i, Y_i..."},
    {"HugeExponent", "(assert (<= Y_0 1e999999999))", "p.vnnlib:2:17: '1e999999999' is too long: numbers may have..."},
    {"StringInExpression", "(assert (<= Y_0 \"1\"))", "p.vnnlib:2:17: expected a number, X_i, Y_i..."},
    {"QuotedVariable", "(assert (<= |Y_0| 1))", "p.vnnlib:2:13: expected a number, X_i, Y_i..."},
    {"UnknownFunction", "(assert (<= (abs Y_0) 1))", "p.vnnlib:2:14: expected one of +, -, *, /, found 'abs'"},
    {"ProductOfVariables", "(assert (<= (* X_0 Y_0) 1))",
     "p.vnnlib:2:20: product of two variables: only linear arithmetic is supported"},
    {"SquareOfADifference", "(assert (<= (* (- X_0 1) 2 X_0) 1))", "p.vnnlib:2:28: product of two variables..."},
    {"DivisionByAVariable", "(assert (<= (/ 1 Y_0) 1))", "p.vnnlib:2:18: division by a variable..."},
    {"DivisionByZero", "(assert (<= (/ Y_0 (- 1 1)) 1))", "p.vnnlib:2:20: division by zero"},
    {"EmptySum", "(assert (<= (+) 1))", "p.vnnlib:2:14: '+' needs at least one argument"},
    {"EmptyDifference", "(assert (<= (-) 1))", "p.vnnlib:2:14: '-' needs at least one argument"},
    {"ProductOfOne", "(assert (<= (* Y_0) 1))", "p.vnnlib:2:14: '*' needs at least two arguments"},
    {"QuotientOfOne", "(assert (<= (/ Y_0) 1))", "p.vnnlib:2:14: '/' needs at least two arguments"},
    {"EmptyList", "(assert (<= () 1))", "p.vnnlib:2:14: expected one of +, -, *, /, found ')'"},
    // Boxes.
    {"UpperBoundMissing", "(assert (<= 0 X_0 1)) (assert (>= X_1 0)) (assert (<= Y_0 1))",
     "p.vnnlib:1:41: X_1 has no upper bound; every input needs a lower and an upper one"},
    {"LowerBoundMissing", "(assert (<= X_0 1)) (assert (<= 0 X_1 1))",
     "p.vnnlib:1:16: X_0 has no lower bound; every input needs a lower and an upper one"},
    {"BoundMissingInOneDisjunct", "(assert (<= 0 X_0 1)) (assert (or (<= 0 X_1 1) (and (<= X_1 1) (<= Y_0 0))))",
     "p.vnnlib:1:41: X_1 has no lower bound in at least one disjunct; every input needs a lower and an upper one"},
    {"BoundMissingInADisjunctOfOutputs", "(assert (<= 0 X_0 1)) (assert (or (<= 0 X_1 1) (<= Y_0 0)))",
     "p.vnnlib:1:41: X_1 has no lower bound..."},
    {"BoundOverTwoInputsIsNone", "(assert (<= 0 X_0 1)) (assert (<= X_0 X_1 1))",
     "p.vnnlib:1:41: X_1 has no lower bound..."},
};

INSTANTIATE_TEST_SUITE_P(Table, MalformedVnnlib, testing::ValuesIn(kMalformed),
                         [](const testing::TestParamInfo<Malformed>& info) { return info.param.name; });

// Expects a refusal for size, quickly and without the memory that the whole would take.
void expect_too_large(const std::string& text, std::int64_t inputs, const std::string& message) {
  try {
    parse_vnnlib(text, "large.vnnlib", inputs, 1);
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("large.vnnlib: too large: "));
    EXPECT_THAT(error.what(), testing::HasSubstr(message));
  }
}

TEST(LargeVnnlib, ManyWideBoxesAreRefused) {
  std::string text = "(declare-const Y_0 Real)";
  for (int i = 0; i < 5000; ++i) {
    const std::string x = "X_" + std::to_string(i);
    text += "(declare-const " + x + " Real)(assert (<= 0 " + x + " 1))";
  }
  text += "(assert (or";
  for (int i = 1; i < 2000; ++i) text += " (<= X_0 " + std::to_string(i) + "e-4)";
  expect_too_large(text + "))", 5000, "boxes of more than");
}

TEST(LargeVnnlib, BoxesTimesClausesAreRefused) {
  std::string boxes = "(assert (or";
  std::string clauses = "(assert (or";
  for (int i = 1; i < 2100; ++i) {
    boxes += " (<= X_0 " + std::to_string(i) + "e-4)";
    clauses += " (<= Y_0 " + std::to_string(i) + ")";
  }
  expect_too_large(kDeclarations + kBox + boxes + "))" + clauses + "))", 2, "atoms");
}

}  // namespace
}  // namespace boundflow
