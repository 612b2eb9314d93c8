#include "io/npy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/npy_bytes.hpp"
#include "support/temp_folder.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;

void expect_error(const std::string& bytes, const std::string& message) {
  SCOPED_TRACE(message);
  try {
    parse_npy(bytes, "a.npy");
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("a.npy: "));
    EXPECT_THAT(error.what(), testing::HasSubstr(message));
  }
}

TEST(Npy, EveryElementTypeIsReadExactly) {
  EXPECT_THAT(parse_npy(npy_array<float>("<f4", "(2,)", {0.1F, -3}), "a").values, ElementsAre(0.1F, -3.0));
  EXPECT_THAT(parse_npy(npy_array<double>("<f8", "(2,)", {0.1, 1e300}), "a").values, ElementsAre(0.1, 1e300));
  EXPECT_THAT(parse_npy(npy_array<std::int32_t>("<i4", "(2,)", {-7, 1 << 30}), "a").values,
              ElementsAre(-7.0, 1073741824.0));
  EXPECT_THAT(parse_npy(npy_array<std::int64_t>("<i8", "(2,)", {-7, std::int64_t{1} << 40}), "a").values,
              ElementsAre(-7.0, 0x1p40));
  EXPECT_THAT(parse_npy(npy_array<unsigned char>("|b1", "(3,)", {1, 0, 1}), "a").values, ElementsAre(1.0, 0.0, 1.0));
}

TEST(Npy, ShapesOfAnyRank) {
  const Array matrix = parse_npy(npy_array<float>("<f4", "(2, 3)", {1, 2, 3, 4, 5, 6}), "a");
  EXPECT_THAT(matrix.shape, ElementsAre(2, 3));
  EXPECT_THAT(matrix.values, ElementsAre(1, 2, 3, 4, 5, 6));
  const Array scalar = parse_npy(npy_array<double>("<f8", "()", {2.5}), "a");
  EXPECT_THAT(scalar.shape, ElementsAre());
  EXPECT_THAT(scalar.values, ElementsAre(2.5));
  const Array empty = parse_npy(npy_array<double>("<f8", "(0, 4)", {}), "a");
  EXPECT_THAT(empty.shape, ElementsAre(0, 4));
  EXPECT_TRUE(empty.values.empty());
}

TEST(Npy, FortranOrderIsBroughtToRowMajorOrder) {
  const auto read = [](const std::string& shape, const std::vector<float>& values) {
    return parse_npy(npy_file(npy_header("<f4", shape, "True"), raw_bytes(values)), "a").values;
  };
  EXPECT_THAT(read("(2, 3)", {1, 4, 2, 5, 3, 6}), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(read("(2, 2, 2)", {111, 211, 121, 221, 112, 212, 122, 222}),
              ElementsAre(111, 112, 121, 122, 211, 212, 221, 222));
  EXPECT_THAT(read("(3,)", {1, 2, 3}), ElementsAre(1, 2, 3));
  EXPECT_THAT(read("()", {7}), ElementsAre(7));
  EXPECT_THAT(read("(0, 2)", {}), ElementsAre());
}

TEST(Npy, TextStandsApartFromNumbers) {
  const Array array = parse_npy(npy_array<std::uint32_t>("<U3", "(2,)", {'a', 'b', 'c', 'd', 0, 0}), "a");
  EXPECT_THAT(array.texts, ElementsAre("abc", "d"));
  EXPECT_TRUE(array.values.empty());
}

TEST(Npy, LaterFormatVersionsHaveALongerLength) {
  for (const int major : {2, 3}) {
    const Array array = parse_npy(npy_file(npy_header("<f4", "(1,)"), raw_bytes<float>({4}), major), "a");
    EXPECT_THAT(array.values, ElementsAre(4.0)) << major;
  }
}

TEST(Npy, EveryTruncationIsAnError) {
  const std::string whole = npy_array<float>("<f4", "(2, 2)", {1, 2, 3, 4});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(parse_npy(whole.substr(0, length), "a.npy"), InputError) << length;
  }
  expect_error(whole + '\0', "expected 16 bytes of data, found 17");
}

TEST(Npy, WhatIsNotUnderstoodIsRefusedByName) {
  expect_error("PK\3\4 not an array", "expected a NumPy .npy file");
  expect_error(npy_array<float>(">f4", "(1,)", {1}), ">f4");
  expect_error(npy_file(npy_header("<f2", "(1,)"), "ab"), "<f2");
  expect_error(npy_file(npy_header("|O", "(1,)"), "abcdefgh"), "|O");
  expect_error(npy_file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "abcd"), "dtype");
  expect_error(npy_file(npy_header("<f4", "(1, 2)", "Maybe"), raw_bytes<float>({1, 2})), "fortran_order");
  expect_error(npy_array<std::uint32_t>("<U2", "(1,)", {'a', 0xe9}), "ASCII");
  expect_error(npy_file(npy_header("<U", "(1,)"), ""), "<U");
  expect_error(npy_file(npy_header("<f44", "(1,)"), raw_bytes<float>({1})), "<f44");
  expect_error(npy_file("{'descr': '<f4', 'shape': (1,), }", raw_bytes<float>({1})), "fortran_order");
  expect_error(npy_file("{'descr': '<f4', 'fortran_order': False, }", raw_bytes<float>({1})), "shape");
}

TEST(Npy, AbsurdShapesDoNotAllocate) {
  expect_error(npy_file(npy_header("<f4", "(99999999999999999999,)"), ""), "absurdly large");
  expect_error(npy_file(npy_header("<f4", "(1048576, 1048576, 2)"), ""), "absurdly large");
  expect_error(npy_file(npy_header("<f4", "(1000000,)"), "abcd"), "expected 4000000 bytes of data, found 4");
}

TEST(Npy, FilesAreReadAndNamed) {
  const TempFolder folder;
  const std::string path = folder.write("x.npy", npy_array<float>("<f4", "(1,)", {1.5}));
  EXPECT_THAT(read_npy(path).values, ElementsAre(1.5));
  try {
    read_npy(folder.path("missing.npy"));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("missing.npy"));
  }
}

}  // namespace
}  // namespace boundflow
