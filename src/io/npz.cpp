// The zip format: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5. Everything is found through the central directory.
#include "io/npz.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace boundflow {

namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kEnd64Locator = 0x07064b50;
constexpr std::uint64_t kIn64 = 0xffffffff;  // the true value stands in a zip64 field
constexpr std::size_t kEndSize = 22;
constexpr std::string_view kSuffix = ".npy";

struct Member {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t checksum = 0;
  std::uint64_t compressed = 0;
  std::uint64_t size = 0;
  std::uint64_t header = 0;  // where the local header stands
};

class Archive {
 public:
  Archive(std::string_view bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  std::vector<Member> members() const {
    const Directory directory = find_directory();
    std::vector<Member> result;
    std::uint64_t at = directory.start;
    for (std::uint64_t i = 0; i < directory.count; ++i) {
      if (number(at, 4) != kCentralHeader) fail(fmt::format("corrupt zip archive: no directory entry at byte {}", at));
      Member member;
      member.flags = static_cast<std::uint16_t>(number(at + 8, 2));
      member.method = static_cast<std::uint16_t>(number(at + 10, 2));
      member.checksum = static_cast<std::uint32_t>(number(at + 16, 4));
      member.compressed = number(at + 20, 4);
      member.size = number(at + 24, 4);
      member.header = number(at + 42, 4);
      const std::uint64_t name_length = number(at + 28, 2);
      const std::uint64_t extra_length = number(at + 30, 2);
      member.name = part(at + 46, name_length);
      read_zip64(member, part(at + 46 + name_length, extra_length));
      at += 46 + name_length + extra_length + number(at + 32, 2);
      result.push_back(std::move(member));
    }
    return result;
  }

  std::string content(const Member& member, std::size_t limit) const {
    if ((member.flags & 1) != 0) fail(member, "is encrypted");
    if (member.size > limit) fail(member, fmt::format("takes the archive over {} bytes", limit));
    if (!has(member.header, 30) || number(member.header, 4) != kLocalHeader) fail(member, "has no local header");
    const std::uint64_t name_length = number(member.header + 26, 2);
    const std::uint64_t start = member.header + 30 + name_length + number(member.header + 28, 2);
    if (!has(member.header + 30, name_length) || part(member.header + 30, name_length) != member.name) {
      fail(member, "has another name in its local header");
    }
    if (!has(start, member.compressed)) fail(member, "is truncated");
    const std::string_view data = part(start, member.compressed);
    std::string content;
    if (member.method == 0) {
      if (member.compressed != member.size) fail(member, "is stored with two different sizes");
      content = data;
    } else if (member.method == 8) {
      content = inflated(member, data);
    } else {
      fail(member, fmt::format("uses compression method {}; expected stored or deflated", member.method));
    }
    if (crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()) != member.checksum) {
      fail(member, "is corrupt: wrong checksum");
    }
    return content;
  }

  [[noreturn]] void fail(const Member& member, const std::string& message) const {
    fail(fmt::format("member '{}' {}", member.name, message));
  }

 private:
  struct Directory {
    std::uint64_t count;
    std::uint64_t start;
  };

  [[noreturn]] void fail(const std::string& message) const { throw InputError({.file = path_}, message); }

  bool has(std::uint64_t at, std::uint64_t length) const { return at <= bytes_.size() && length <= bytes_.size() - at; }
  std::string_view part(std::uint64_t at, std::uint64_t length) const {
    if (!has(at, length)) fail("truncated zip archive");
    return bytes_.substr(at, length);
  }
  static std::uint64_t little_endian(std::string_view text) {
    std::uint64_t value = 0;
    for (std::size_t i = text.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(text[i]);
    return value;
  }
  std::uint64_t number(std::uint64_t at, std::uint64_t width) const { return little_endian(part(at, width)); }

  Directory find_directory() const {
    if (bytes_.substr(0, 2) != "PK") fail("expected a NumPy .npz file (a zip archive)");
    // The end record is the last thing but for a comment, whose length it states.
    for (std::uint64_t comment = 0; comment <= 0xffff && has(0, kEndSize + comment); ++comment) {
      const std::uint64_t at = bytes_.size() - kEndSize - comment;
      if (number(at, 4) != kEnd || number(at + 20, 2) != comment) continue;
      const Directory directory{number(at + 10, 2), number(at + 16, 4)};
      if (directory.count != 0xffff && directory.start != kIn64) return directory;
      if (at < 20 || number(at - 20, 4) != kEnd64Locator) return directory;
      const std::uint64_t end64 = number(at - 20 + 8, 8);
      if (!has(end64, 56) || number(end64, 4) != kEnd64) fail("corrupt zip archive: no zip64 end record");
      return {number(end64 + 32, 8), number(end64 + 48, 8)};
    }
    fail("truncated zip archive: it has no end record");
  }

  void read_zip64(Member& member, std::string_view extra) const {
    if (member.size != kIn64 && member.compressed != kIn64 && member.header != kIn64) return;
    while (extra.size() >= 4) {
      const std::uint64_t length = little_endian(extra.substr(2, 2));
      if (length > extra.size() - 4) break;
      std::string_view fields = extra.substr(4, length);
      if (little_endian(extra.substr(0, 2)) == 1) {
        for (std::uint64_t* value : {&member.size, &member.compressed, &member.header}) {
          if (*value != kIn64) continue;
          if (fields.size() < 8) fail(member, "has no zip64 size");
          *value = little_endian(fields.substr(0, 8));
          fields.remove_prefix(8);
        }
        return;
      }
      extra.remove_prefix(4 + length);
    }
    fail(member, "has no zip64 size");
  }

  std::string inflated(const Member& member, std::string_view data) const {
    z_stream stream{};
    if (inflateInit2(&stream, -15) != Z_OK) fail(member, "cannot be decompressed: out of memory");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, &inflateEnd);
    // One byte more than stated, so that a longer content shows.
    std::string content(member.size + 1, '\0');
    std::size_t written = 0;
    int status = Z_OK;
    while (status == Z_OK) {
      constexpr std::size_t kAtOnce = std::size_t{1} << 30;  // zlib counts in unsigned int
      const auto offered = static_cast<uInt>(std::min(data.size(), kAtOnce));
      const auto room = static_cast<uInt>(std::min(content.size() - written, kAtOnce));
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
      stream.avail_in = offered;
      stream.next_out = reinterpret_cast<Bytef*>(content.data() + written);
      stream.avail_out = room;
      status = inflate(&stream, Z_NO_FLUSH);
      data.remove_prefix(offered - stream.avail_in);
      written += room - stream.avail_out;
    }
    if (status != Z_STREAM_END || written != member.size || !data.empty()) {
      fail(member, fmt::format("is corrupt: {} of {} bytes decompressed", written, member.size));
    }
    content.resize(member.size);
    return content;
  }

  std::string_view bytes_;
  const std::string& path_;
};

}  // namespace

std::map<std::string, Array> read_npz(const std::string& path, std::size_t limit) {
  const std::string bytes = read_file(path, limit);
  limit = std::min(limit, static_cast<std::size_t>(kMaxArchiveInflation.of(bytes.size())));
  const Archive archive(bytes, path);
  std::map<std::string, Array> arrays;
  for (const Member& member : archive.members()) {
    if (!member.name.ends_with(kSuffix)) archive.fail(member, "is no .npy array");
    const std::string content = archive.content(member, limit);
    limit -= content.size();
    const std::string name = member.name.substr(0, member.name.size() - kSuffix.size());
    if (!arrays.try_emplace(name, parse_npy(content, fmt::format("{}: member '{}'", path, member.name))).second) {
      archive.fail(member, "occurs twice");
    }
  }
  return arrays;
}

}  // namespace boundflow
