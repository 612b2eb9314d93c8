#include "io/gzip.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "base/random.hpp"

namespace boundflow {
namespace {

std::string compress_member(const std::string& content) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
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

class ReadFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("boundflow_gzip_" + std::to_string(getpid()) + "_" +
                                                        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& content) {
    const std::string path = (folder_ / name).string();
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  static void expect_error(const std::string& path, const std::string& message,
                           std::size_t limit = kMaxDecompressedBytes) {
    try {
      read_file(path, limit);
      FAIL() << "accepted " << path;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), testing::StartsWith(path + ": "));
      EXPECT_THAT(error.what(), testing::HasSubstr(message));
    }
  }

  std::filesystem::path folder_;
};

// Several output buffers long, and not compressible to nothing.
std::string long_text() {
  Random random(5);
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += static_cast<char>('a' + random.integer(0, 15));
  return text;
}

TEST_F(ReadFile, PlainContentComesBackByteForByte) {
  EXPECT_EQ(read_file(write("empty", "")), "");
  const std::string bytes("a\0b\r\n\x1f", 6);
  EXPECT_EQ(read_file(write("bytes", bytes)), bytes);
  EXPECT_EQ(read_file(write("one_byte", "\x1f")), "\x1f");
}

TEST_F(ReadFile, GzippedContentIsRecognisedByItsMagicNotItsName) {
  const std::string text = long_text();
  EXPECT_EQ(read_file(write("a.gz", compress_member(text))), text);
  EXPECT_EQ(read_file(write("a.vnnlib", compress_member(text))), text);
  EXPECT_EQ(read_file(write("plain.gz", "not compressed")), "not compressed");
  EXPECT_EQ(read_file(write("nothing.gz", compress_member(""))), "");
}

TEST_F(ReadFile, ConcatenatedMembersAreConcatenated) {
  EXPECT_EQ(read_file(write("two.gz", compress_member("first ") + compress_member("") + compress_member("second"))),
            "first second");
  EXPECT_EQ(read_file(write("padded.gz", compress_member("text") + std::string(512, '\0'))), "text");
}

TEST_F(ReadFile, EveryTruncationIsAnError) {
  const std::string whole = compress_member("some text that is compressed, some text that is compressed");
  for (std::size_t length = 2; length < whole.size(); ++length) {
    expect_error(write("cut.gz", whole.substr(0, length)), "truncated gzip data");
  }
  expect_error(write("second.gz", whole + whole.substr(0, whole.size() - 1)), "truncated gzip data");
}

TEST_F(ReadFile, CorruptDataIsAnError) {
  const std::string whole = compress_member(long_text());
  std::string checksum = whole;
  checksum[checksum.size() - 6] ^= 1;
  expect_error(write("checksum.gz", checksum), "corrupt gzip data");
  std::string header = whole;
  header[2] = 7;  // compression method
  expect_error(write("header.gz", header), "corrupt gzip data");
  expect_error(write("garbage.gz", whole + "x"), "garbage at the end");
}

TEST_F(ReadFile, DecompressionStopsAtTheLimit) {
  const std::string path = write("bomb.gz", compress_member(std::string(1'000'000, 'x')));
  EXPECT_EQ(read_file(path, 1'000'000).size(), 1'000'000u);
  expect_error(path, "more than 999999 bytes", 999'999);
  const std::string members = write("members.gz", compress_member("12345") + compress_member("67890"));
  EXPECT_EQ(read_file(members, 10), "1234567890");
  expect_error(members, "more than 9 bytes", 9);
}

TEST_F(ReadFile, MissingAndUnreadableFilesAreNamed) {
  expect_error((folder_ / "missing").string(), "No such file");
  expect_error(folder_.string(), "is a directory");
}

}  // namespace
}  // namespace boundflow
