#include "ir/tensor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace boundflow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Tensor, ElementCountOfScalarsVectorsAndEmptyShapes) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 3}), 6);
  EXPECT_EQ(element_count({2, 0, 3}), 0);
}

TEST(Tensor, ElementCountRefusesNegativeAndAbsurdShapes) {
  EXPECT_THROW(element_count({2, -1}), InputError);
  EXPECT_THROW(element_count({std::int64_t{1} << 41}), InputError);
  EXPECT_THROW(element_count({std::int64_t{1} << 32, std::int64_t{1} << 32}), InputError);
  // A zero does not hide dimensions whose strides would overflow.
  EXPECT_THROW(element_count({std::int64_t{1} << 32, 0, std::int64_t{1} << 32}), InputError);
}

TEST(Tensor, RowMajorStrides) {
  EXPECT_THAT(row_major_strides({2, 3, 4}), ElementsAre(12, 4, 1));
  EXPECT_THAT(row_major_strides({}), IsEmpty());
}

TEST(Tensor, DtypeFollowsTheData) {
  EXPECT_EQ(Tensor({1}, std::vector<float>{1}).dtype(), DType::Float32);
  EXPECT_EQ(Tensor({1}, std::vector<double>{1}).dtype(), DType::Float64);
  EXPECT_EQ(Tensor({1}, std::vector<std::int64_t>{1}).dtype(), DType::Int64);
  EXPECT_EQ(Tensor({1}, std::vector<bool>{true}).dtype(), DType::Bool);
}

TEST(Tensor, PrintsItsType) {
  EXPECT_EQ(to_string(Tensor({1, 2}, std::vector<float>{1, 2}).type()), "float32[1, 2]");
  EXPECT_EQ(to_string(TensorType{DType::Bool, {}}), "bool[]");
}

TEST(Tensor, DataMustFillTheShape) {
  EXPECT_THROW(Tensor({2, 2}, std::vector<float>{1, 2, 3}), InternalError);
  EXPECT_THROW(Tensor({2}, std::vector<float>{1, 2}).reshaped({3}), InternalError);
}

TEST(Tensor, CopiesShareTheirElements) {
  const Tensor tensor({2}, std::vector<float>{1, 2});
  const Tensor copy = tensor;
  EXPECT_EQ(&copy.data(), &tensor.data());
  EXPECT_EQ(&tensor.reshaped({2, 1}).data(), &tensor.data());
  EXPECT_EQ(Tensor().type(), (TensorType{DType::Float32, {0}}));
}

TEST(Tensor, ElementsAsDoubles) {
  const Tensor tensor({2, 2}, std::vector<float>{0.1F, -2, 3, 4});
  EXPECT_EQ(tensor.at(0), static_cast<double>(0.1F));
  EXPECT_EQ(tensor.to_doubles()[1], -2);
  EXPECT_THROW(tensor.at(4), InternalError);
  EXPECT_THROW(tensor.int64s(), InternalError);
  EXPECT_EQ(Tensor({}, std::vector<bool>{true}).at(0), 1);
}

TEST(Tensor, GathersEveryDtype) {
  EXPECT_THAT(Tensor({3}, std::vector<float>{1, 2, 3}).gathered({2}, {2, 0}).to_doubles(), ElementsAre(3, 1));
  EXPECT_THAT(Tensor({2}, std::vector<bool>{true, false}).gathered({3}, {0, 1, 0}).to_doubles(), ElementsAre(1, 0, 1));
  EXPECT_THAT(Tensor({2}, std::vector<std::int64_t>{7, 8}).gathered({1}, {1}).int64s(), ElementsAre(8));
  EXPECT_THROW(Tensor({2}, std::vector<float>{1, 2}).gathered({1}, {2}), InternalError);
  EXPECT_THROW(Tensor({2}, std::vector<float>{1, 2}).gathered({1}, {-1}), InternalError);
}

TEST(Tensor, FindsNanAndInfinity) {
  EXPECT_TRUE(Tensor({2}, std::vector<float>{1, 2}).is_finite());
  EXPECT_FALSE(Tensor({2}, std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()}).is_finite());
  EXPECT_FALSE(Tensor({1}, std::vector<double>{-std::numeric_limits<double>::infinity()}).is_finite());
  EXPECT_TRUE(Tensor({1}, std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max()}).is_finite());
}

}  // namespace
}  // namespace boundflow
