#include "tools/output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "support/temp_folder.hpp"

namespace boundflow {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int files_in(const std::string& folder) {
  const std::filesystem::directory_iterator files(folder);
  return static_cast<int>(std::distance(begin(files), end(files)));
}

// Files may not grow beyond `bytes`, as if the disk were full.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_{};
};

TEST(Output, AFileIsWrittenAndReplaced) {
  const TempFolder folder;
  const std::string path = folder.path("r.json");
  for (const std::string& text : {std::string("first"), std::string(1 << 20, 'x'), std::string()}) {
    write_result(path, text);
    EXPECT_EQ(content_of(path), text);
  }
  EXPECT_EQ(files_in(folder.path("")), 1);
}

TEST(Output, WhatDoesNotFitLeavesWhatWasThere) {
  const TempFolder folder;
  const std::string path = folder.write("r.json", "before");
  {
    const SmallDisk disk(1000);
    EXPECT_THAT([&] { write_result(path, std::string(1001, 'x')); },
                ThrowsMessage<OutputError>(HasSubstr("cannot write '" + path + "': File too large")));
  }
  EXPECT_EQ(content_of(path), "before");
  EXPECT_EQ(files_in(folder.path("")), 1);
}

TEST(Output, DevicesAreWrittenInPlace) {
  EXPECT_NO_THROW(write_result("/dev/null", "text"));
  EXPECT_THROW(write_result("/dev/full", "text"), OutputError);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(Output, AFolderThatIsGoneIsNamed) {
  const TempFolder folder;
  EXPECT_THAT([&] { write_result(folder.path("none/r.json"), "text"); },
              ThrowsMessage<OutputError>(HasSubstr("none/r.json': No such file or directory")));
}

TEST(Output, ChecksLeaveNothingBehind) {
  const TempFolder folder;
  const std::string there = folder.write("there", "before");
  check_outputs({{"--a", there}, {"--b", folder.path("new")}, {"--c", ""}, {"--d", "/dev/null"}, {"--e", "/dev/null"}},
                {folder.path("input"), ""});
  EXPECT_EQ(content_of(there), "before");
  EXPECT_EQ(files_in(folder.path("")), 1);
  EXPECT_THROW(check_outputs({{"--a", there}}, {there}), UsageError);
  EXPECT_THROW(check_outputs({{"--a", folder.path("x")}, {"--b", folder.path("./x")}}, {}), UsageError);
  EXPECT_THROW(check_outputs({{"--a", folder.path("none/x")}}, {}), UsageError);
  EXPECT_THROW(check_outputs({{"--a", folder.path("")}}, {}), UsageError);
}

TEST(Output, OneFailureDoesNotKeepTheOthers) {
  Results results;
  EXPECT_EQ(results.exit_code(ExitCode::Interrupted), 130);
  int written = 0;
  testing::internal::CaptureStderr();
  results.attempt([&] { ++written; });
  results.attempt([] { throw OutputError("the disk is full"); });
  results.attempt([] { throw UsageError("never mind"); });
  results.attempt([&] { ++written; });
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("the disk is full"));
  EXPECT_EQ(written, 2);
  EXPECT_EQ(results.exit_code(ExitCode::Interrupted), 70);
}

}  // namespace
}  // namespace boundflow
