// Wrong verdicts of other tools came from properties whose and/or structure was read as something else: every case here
// goes through the files and the whole of verify(), and its answer is plain from the text. The network is y = x.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/verify_case.hpp"

namespace boundflow {
namespace {

OnnxModel identity_model() {
  return dense_model(2, {{{1, 0, 0, 1}, {0, 0}, false}});
}

const std::string kBox = input_bounds(0, "0", "1") + input_bounds(1, "0", "1");

struct Case {
  const char* name;
  std::string assertions;  // behind the declarations
  const char* verdict;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class VnnlibStructure : public testing::TestWithParam<Case> {};

TEST_P(VnnlibStructure, VerdictFollowsTheText) {
  const Case& c = GetParam();
  const VerifyResult result = verify_case(identity_model(), declarations(2, 2) + c.assertions);
  EXPECT_EQ(result.verdict, c.verdict) << result.reason;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, VnnlibStructure,
    testing::Values(
        Case{"assertions_are_a_conjunction", kBox + "(assert (>= Y_0 0.9))(assert (<= Y_0 0.1))", "unsat"},
        Case{"and_is_no_or", kBox + "(assert (and (>= Y_0 0.9) (<= Y_0 0.1)))", "unsat"},
        Case{"or_is_no_and", kBox + "(assert (or (>= Y_0 0.9) (<= Y_0 -0.1)))", "sat"},
        Case{"or_of_impossibles", kBox + "(assert (or (>= Y_0 1.1) (<= Y_1 -0.1)))", "unsat"},
        Case{"two_ors_are_multiplied",
             kBox + "(assert (or (>= Y_0 0.9) (>= Y_1 0.9)))"
                    "(assert (or (<= (+ Y_0 Y_1) 0.8) (>= (+ Y_0 Y_1) 2.1)))",
             "unsat"},
        Case{"two_ors_that_agree_in_one_pair",
             kBox + "(assert (or (>= Y_0 1.5) (>= Y_1 0.9)))"
                    "(assert (or (<= Y_1 -1) (<= Y_0 0.1)))",
             "sat"},
        Case{"or_of_ands", kBox + "(assert (or (and (>= Y_0 0.9) (<= Y_0 0.8)) (and (>= Y_1 0.9) (<= Y_1 0.8))))",
             "unsat"},
        Case{"and_inside_or_inside_and",
             kBox + "(assert (and (<= Y_1 0.2) (or (and (>= Y_0 0.9) (>= Y_1 0.3)) (and (<= Y_0 0.1) (>= Y_1 0.1)))))",
             "sat"},
        Case{"boxes_inside_one_and",
             "(assert (and (>= X_0 0) (<= X_0 1) (>= X_1 0) (<= X_1 1)))"
             "(assert (or (>= Y_0 1.1) (>= Y_1 1.1)))",
             "unsat"},
        Case{"boxes_inside_or",
             "(assert (or (and (>= X_0 0) (<= X_0 0.2) (>= X_1 0) (<= X_1 1))"
             "            (and (>= X_0 0.8) (<= X_0 1) (>= X_1 0) (<= X_1 1))))"
             "(assert (>= Y_0 0.3))(assert (<= Y_0 0.7))",
             "unsat"},
        Case{"boxes_inside_or_with_outputs",
             "(assert (or (and (>= X_0 0) (<= X_0 0.2) (>= X_1 0) (<= X_1 1) (>= Y_0 0.5))"
             "            (and (>= X_0 0.8) (<= X_0 1) (>= X_1 0) (<= X_1 1) (<= Y_0 0.5))))",
             "unsat"},
        Case{"second_box_of_an_or",
             "(assert (or (and (>= X_0 0) (<= X_0 0.2) (>= X_1 0) (<= X_1 1) (>= Y_0 0.5))"
             "            (and (>= X_0 0.8) (<= X_0 1) (>= X_1 0) (<= X_1 1) (>= Y_0 0.5))))",
             "sat"},
        Case{"inputs_and_outputs_in_one_atom", kBox + "(assert (>= Y_0 (+ X_0 0.01)))", "unsat"},
        Case{"inputs_and_outputs_swapped", kBox + "(assert (>= Y_0 (+ X_1 0.01)))", "sat"},
        Case{"reversed_operands", kBox + "(assert (<= 0.9 Y_0))(assert (>= 0.1 Y_1))", "sat"},
        Case{"repeated_bounds_intersect", kBox + "(assert (<= X_0 0.5))(assert (>= Y_0 0.6))", "unsat"},
        Case{"contradictory_bounds", kBox + "(assert (>= X_0 2))(assert (>= Y_0 -5))", "unsat"}),
    [](const testing::TestParamInfo<Case>& info) { return std::string(info.param.name); });

// What cannot be read must not be skipped: a swallowed assertion changes the property.
TEST(VnnlibStructure, AnAssertionThatIsNotUnderstoodIsAnError) {
  for (const std::string assertion : {"(assert (=> (>= Y_0 2) (>= Y_1 2)))", "(assert (>= (* X_0 Y_0) 2))",
                                      "(assert (>= Y_7 2))", "(assert (>= Y_0 2)", "(assert (ite (>= Y_0 2) 1 2))"}) {
    EXPECT_THROW(verify_case(identity_model(), declarations(2, 2) + kBox + assertion), InputError) << assertion;
  }
}

// Without bounds on an input there is no box to search.
TEST(VnnlibStructure, AnUnboundedInputIsNeverProved) {
  try {
    const VerifyResult result =
        verify_case(identity_model(), declarations(2, 2) + input_bounds(0, "0", "1") + "(assert (>= Y_0 2))");
    EXPECT_NE(result.verdict, "sat");
  } catch (const InputError&) {
    SUCCEED();
  }
}

}  // namespace
}  // namespace boundflow
