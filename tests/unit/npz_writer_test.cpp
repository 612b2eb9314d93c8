#include "io/npz_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "io/npz.hpp"
#include "support/temp_folder.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;

TEST(NpzWriter, WhatIsWrittenReadsBack) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const std::vector<double> matrix{0.1, -0.0, kInf, -kInf, 5e-324, 1e308};
  NpzWriter writer;
  writer.add("matrix", {2, 3}, matrix);
  writer.add("vector", {1}, std::vector<double>{0.3});
  writer.add("scalar", {}, std::vector<double>{7});
  writer.add("nothing", {0, 4}, {});
  const TempFolder folder;
  const auto arrays = read_npz(folder.write("a.npz", writer.finish()));
  ASSERT_EQ(arrays.size(), 4U);
  EXPECT_THAT(arrays.at("matrix").shape, ElementsAre(2, 3));
  EXPECT_EQ(arrays.at("matrix").values, matrix);
  EXPECT_TRUE(std::signbit(arrays.at("matrix").values[1]));
  EXPECT_THAT(arrays.at("vector").shape, ElementsAre(1));
  EXPECT_THAT(arrays.at("vector").values, ElementsAre(0.3));
  EXPECT_TRUE(arrays.at("scalar").shape.empty());
  EXPECT_THAT(arrays.at("scalar").values, ElementsAre(7.0));
  EXPECT_THAT(arrays.at("nothing").shape, ElementsAre(0, 4));
  EXPECT_TRUE(arrays.at("nothing").values.empty());
}

TEST(NpzWriter, NanStaysNan) {
  NpzWriter writer;
  writer.add("x", {1}, std::vector<double>{std::numeric_limits<double>::quiet_NaN()});
  const TempFolder folder;
  EXPECT_TRUE(std::isnan(read_npz(folder.write("a.npz", writer.finish())).at("x").values[0]));
}

TEST(NpzWriter, EqualArraysAreEqualFiles) {
  NpzWriter first;
  NpzWriter second;
  for (NpzWriter* writer : {&first, &second}) writer->add("x", {2}, std::vector<double>{1, 2});
  EXPECT_EQ(first.finish(), second.finish());
  EXPECT_EQ(first.finish(), second.finish()) << "finishing twice gives the same";
}

TEST(NpzWriter, AnEmptyArchiveReads) {
  const TempFolder folder;
  EXPECT_TRUE(read_npz(folder.write("a.npz", NpzWriter().finish())).empty());
}

TEST(NpzWriter, ValuesThatDoNotFillTheShapeAreAnInternalError) {
  NpzWriter writer;
  try {
    writer.add("x", {2, 2}, std::vector<double>{1, 2, 3});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Internal);
  }
}

}  // namespace
}  // namespace boundflow
