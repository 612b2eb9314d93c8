#include "io/npz.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "base/error.hpp"
#include "support/npy_bytes.hpp"
#include "support/temp_folder.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string raw_deflate(const std::string& content) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string result(deflateBound(&stream, content.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

// A zip archive, written field by field so that tests can lie in any of them.
struct ZipMember {
  std::string name;
  std::string content;
  bool deflated = false;
  bool zip64 = false;  // sizes and offset only in zip64 fields, as numpy writes with force_zip64
  int flags = 0;
  int method = -1;                     // if not what `deflated` says
  long long size = -1;                 // if not the content's
  unsigned long long wrong_check = 0;  // xored into the checksum
  std::string local_name = {};         // if not `name`
};

std::string zip(const std::vector<ZipMember>& members, const std::string& comment = "", bool zip64_end = false) {
  std::string body;
  std::string directory;
  for (const ZipMember& m : members) {
    const std::string data = m.deflated ? raw_deflate(m.content) : m.content;
    const unsigned long long size = m.size >= 0 ? static_cast<unsigned long long>(m.size) : m.content.size();
    const std::string& local_name = m.local_name.empty() ? m.name : m.local_name;
    const unsigned long long check =
        crc32_z(0, reinterpret_cast<const Bytef*>(m.content.data()), m.content.size()) ^ m.wrong_check;
    const std::string sizes = m.zip64 ? little_endian(0xffffffff, 4) + little_endian(0xffffffff, 4)
                                      : little_endian(data.size(), 4) + little_endian(size, 4);
    const std::string fields = little_endian(m.flags, 2) + little_endian(m.method >= 0 ? m.method : m.deflated * 8, 2) +
                               little_endian(0, 4) + little_endian(check, 4) + sizes;
    const std::string sizes64 = little_endian(size, 8) + little_endian(data.size(), 8);
    const std::string local_extra = m.zip64 ? little_endian(1, 2) + little_endian(16, 2) + sizes64 : "";
    // An unrelated field first: readers must walk the list.
    const std::string extra = m.zip64 ? little_endian(0x7777, 2) + little_endian(3, 2) + "abc" + little_endian(1, 2) +
                                            little_endian(24, 2) + sizes64 + little_endian(body.size(), 8)
                                      : "";
    const unsigned long long offset = m.zip64 ? 0xffffffff : body.size();
    directory += "PK\1\2" + little_endian(45, 2) + little_endian(45, 2) + fields + little_endian(m.name.size(), 2) +
                 little_endian(extra.size(), 2) + little_endian(0, 2) + little_endian(0, 2) + little_endian(0, 2) +
                 little_endian(0, 4) + little_endian(offset, 4) + m.name + extra;
    body += "PK\3\4" + little_endian(45, 2) + fields + little_endian(local_name.size(), 2) +
            little_endian(local_extra.size(), 2) + local_name + local_extra + data;
  }
  const unsigned long long start = body.size();
  std::string end64;
  if (zip64_end) {
    end64 = "PK\6\6" + little_endian(44, 8) + little_endian(45, 2) + little_endian(45, 2) + little_endian(0, 8) +
            little_endian(members.size(), 8) + little_endian(members.size(), 8) + little_endian(directory.size(), 8) +
            little_endian(start, 8) + "PK\6\7" + little_endian(0, 4) + little_endian(start + directory.size(), 8) +
            little_endian(1, 4);
  }
  const unsigned long long count = zip64_end ? 0xffff : members.size();
  return body + directory + end64 + "PK\5\6" + little_endian(0, 4) + little_endian(count, 2) + little_endian(count, 2) +
         little_endian(zip64_end ? 0xffffffff : directory.size(), 4) +
         little_endian(zip64_end ? 0xffffffff : start, 4) + little_endian(comment.size(), 2) + comment;
}

class Npz : public testing::Test {
 protected:
  std::map<std::string, Array> read(const std::string& bytes, std::size_t limit = kMaxDecompressedBytes) {
    return read_npz(folder_.write("a.npz", bytes), limit);
  }
  void expect_error(const std::string& bytes, const std::string& message, const std::string& member = "",
                    std::size_t limit = kMaxDecompressedBytes) {
    SCOPED_TRACE(message);
    try {
      read(bytes, limit);
      FAIL() << "accepted";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), testing::StartsWith(folder_.path("a.npz") + ": "));
      EXPECT_THAT(error.what(), HasSubstr(message));
      EXPECT_THAT(error.what(), HasSubstr(member));
    }
  }

  TempFolder folder_;
  const std::string x_ = npy_array<float>("<f4", "(2,)", {1, 2});
  const std::string y_ = npy_array<double>("<f8", "(1, 1)", {0.1});
};

TEST_F(Npz, StoredDeflatedAndZip64MembersRead) {
  for (const bool deflated : {false, true}) {
    for (const bool zip64 : {false, true}) {
      const auto arrays = read(zip({{"x.npy", x_, deflated, zip64}, {"a/y.npy", y_, deflated, zip64}}));
      ASSERT_EQ(arrays.size(), 2u);
      EXPECT_THAT(arrays.at("x").values, ElementsAre(1.0, 2.0));
      EXPECT_THAT(arrays.at("a/y").shape, ElementsAre(1, 1));
      EXPECT_THAT(arrays.at("a/y").values, ElementsAre(0.1));
    }
  }
}

TEST_F(Npz, CommentsZip64EndsAndEmptyArchivesRead) {
  EXPECT_EQ(read(zip({{"x.npy", x_}}, "a comment PK\5\6 with a trap")).size(), 1u);
  EXPECT_EQ(read(zip({{"x.npy", x_, true, true}}, "", true)).size(), 1u);
  EXPECT_TRUE(read(zip({}).insert(0, "")).empty());
}

TEST_F(Npz, LargeMembersInflateAcrossBuffers) {
  std::vector<double> values(200'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i * i % 1013);
  const auto arrays = read(zip({{"v.npy", npy_array("<f8", "(200000,)", values), true}}));
  EXPECT_EQ(arrays.at("v").values, values);
}

TEST_F(Npz, EveryTruncationIsAnError) {
  const std::string whole = zip({{"x.npy", x_, true}, {"y.npy", y_, false, true}}, "", true);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(read(whole.substr(0, length)), InputError) << length;
  }
}

TEST_F(Npz, NoFlippedByteIsReadAsOtherNumbers) {
  const std::string whole = zip({{"x.npy", x_, true}, {"y.npy", y_}});
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ 0x55);
    try {
      // What still reads (dates, versions, attributes) has the same content.
      for (const auto& [name, array] : read(broken)) {
        if (array.values.size() == 2) {
          EXPECT_THAT(array.values, ElementsAre(1.0, 2.0)) << at;
        } else {
          EXPECT_THAT(array.values, ElementsAre(0.1)) << at;
        }
      }
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 250);
}

TEST_F(Npz, FaultsNameTheMember) {
  ZipMember checksum{"x.npy", x_, true};
  checksum.wrong_check = 1;
  expect_error(zip({{"y.npy", y_}, checksum}), "wrong checksum", "'x.npy'");
  ZipMember shorter{"x.npy", x_, true};
  shorter.size = static_cast<long long>(x_.size()) - 1;
  expect_error(zip({shorter}), "is corrupt", "'x.npy'");
  ZipMember longer{"x.npy", x_, true};
  longer.size = static_cast<long long>(x_.size()) + 1;
  expect_error(zip({longer}), "is corrupt", "'x.npy'");
  ZipMember stored{"x.npy", x_};
  stored.size = static_cast<long long>(x_.size()) + 1;
  expect_error(zip({stored}), "two different sizes", "'x.npy'");
  ZipMember encrypted{"x.npy", x_};
  encrypted.flags = 1;
  expect_error(zip({encrypted}), "is encrypted", "'x.npy'");
  ZipMember method{"x.npy", x_};
  method.method = 12;
  expect_error(zip({method}), "compression method 12", "'x.npy'");
  ZipMember renamed{"x.npy", x_};
  renamed.local_name = "z.npy";
  expect_error(zip({renamed}), "another name", "'x.npy'");
  expect_error(zip({{"readme.txt", "hello"}}), "is no .npy array", "'readme.txt'");
  expect_error(zip({{"x.npy", x_}, {"x.npy", x_}}), "occurs twice", "'x.npy'");
  expect_error(zip({{"x.npy", npy_array<float>(">f4", "(1,)", {1})}}), ">f4", "'x.npy'");
}

TEST_F(Npz, WhatIsNoArchiveIsRefused) {
  expect_error("", "expected a NumPy .npz file");
  expect_error(x_, "expected a NumPy .npz file");
  expect_error("PK and nothing more, though long enough", "no end record");
}

TEST_F(Npz, TheLimitCoversTheWholeArchive) {
  const std::string zeros = npy_array("<f8", "(4096,)", std::vector<double>(4096));
  const std::string two = zip({{"a.npy", zeros, true}, {"b.npy", zeros, true}});
  EXPECT_EQ(read(two, 2 * zeros.size()).size(), 2u);
  expect_error(two, "takes the archive over", "'b.npy'", 2 * zeros.size() - 1);
  ZipMember liar{"a.npy", zeros, true};
  liar.zip64 = true;
  liar.size = 1LL << 60;
  expect_error(zip({liar}), "takes the archive over", "'a.npy'");
}

}  // namespace
}  // namespace boundflow
