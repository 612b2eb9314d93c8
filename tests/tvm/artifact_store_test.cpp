// What the folder of generated code gives back: what was written, whole, or nothing.
#include "exec/tvm/artifact_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "support/temp_folder.hpp"

namespace boundflow::generated {
namespace {

Digest key_of(std::uint8_t number) {
  Digest key{};
  key[0] = number;
  return key;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Store : public testing::Test {
 protected:
  std::string path(const Digest& key) const { return folder_.path("cache/" + to_hex(key) + ".kernel"); }
  void put(const Digest& key, const std::string& bytes) const { std::ofstream(path(key), std::ios::binary) << bytes; }

  TempFolder folder_;
  std::string cache_ = folder_.path("cache");
};

TEST_F(Store, ReturnsWhatWasWritten) {
  const std::string content("code\0with zeros", 15);
  ArtifactStore(cache_).write(key_of(1), content);
  EXPECT_EQ(ArtifactStore(cache_).read(key_of(1)), content);
  EXPECT_EQ(ArtifactStore(cache_).read(key_of(2)), std::nullopt);
}

TEST_F(Store, NeverReturnsAFlippedByte) {
  const ArtifactStore store(cache_);
  store.write(key_of(1), "object code");
  const std::string whole = read_file(path(key_of(1)));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    put(key_of(1), damaged);
    EXPECT_EQ(store.read(key_of(1)), std::nullopt) << "byte " << i;
    EXPECT_FALSE(std::filesystem::exists(path(key_of(1))));
  }
}

TEST_F(Store, NeverReturnsATruncatedFileOrAnotherKeysOne) {
  const ArtifactStore store(cache_);
  store.write(key_of(1), "object code");
  const std::string whole = read_file(path(key_of(1)));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    put(key_of(1), whole.substr(0, size));
    EXPECT_EQ(store.read(key_of(1)), std::nullopt) << size << " bytes";
  }
  put(key_of(2), whole);
  EXPECT_EQ(store.read(key_of(2)), std::nullopt);
}

TEST_F(Store, IsTheUsersAlone) {
  { const ArtifactStore store(cache_); }
  struct stat status {};
  ASSERT_EQ(stat(cache_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
  for (const mode_t mode : {0720, 0702, 0777}) {
    chmod(cache_.c_str(), mode);
    EXPECT_THROW(ArtifactStore{cache_}, UsageError) << std::oct << mode;
  }
  EXPECT_THROW(ArtifactStore{folder_.write("file", "")}, UsageError);
}

TEST_F(Store, ReadsNoFileThatOthersMayWrite) {
  const ArtifactStore store(cache_);
  store.write(key_of(1), "object code");
  chmod(path(key_of(1)).c_str(), 0666);
  EXPECT_EQ(store.read(key_of(1)), std::nullopt);
}

TEST_F(Store, FollowsNoLink) {
  const ArtifactStore store(cache_);
  store.write(key_of(1), "object code");
  std::filesystem::rename(path(key_of(1)), folder_.path("elsewhere"));
  std::filesystem::create_symlink(folder_.path("elsewhere"), path(key_of(1)));
  EXPECT_EQ(store.read(key_of(1)), std::nullopt);
}

TEST_F(Store, RemovesWhatWasUsedLongestAgo) {
  const ArtifactStore store(cache_, 3000);
  const auto age = [&](std::uint8_t number, int hours) {
    std::filesystem::last_write_time(path(key_of(number)),
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  for (const std::uint8_t number : {1, 2}) store.write(key_of(number), std::string(1000, 'x'));
  age(1, 2);
  age(2, 1);
  ASSERT_TRUE(store.read(key_of(1)));  // used now
  store.write(key_of(3), std::string(1000, 'x'));
  EXPECT_TRUE(store.read(key_of(1)));
  EXPECT_FALSE(store.read(key_of(2)));
  EXPECT_TRUE(store.read(key_of(3)));
}

TEST_F(Store, ServesWritersAndReadersAtTheSameTime) {
  const std::string content(100'000, 'c');
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const ArtifactStore store(cache_);  // each like a process of its own
      for (int i = 0; i < 50; ++i) {
        store.write(key_of(1), content);
        EXPECT_EQ(store.read(key_of(1)), content);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(cache_), {}), 1) << "unfinished files are left";
}

}  // namespace
}  // namespace boundflow::generated
