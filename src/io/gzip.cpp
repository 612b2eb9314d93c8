#include "io/gzip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

#include "base/error.hpp"

namespace boundflow {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& message) {
  throw InputError(SourceLocation{path}, message);
}

std::string read_raw(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) fail(path, "cannot read: is a directory");
  errno = 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) fail(path, fmt::format("cannot open: {}", std::strerror(errno)));

  std::string content;
  std::error_code no_size;
  const std::uintmax_t size = std::filesystem::file_size(path, no_size);
  if (!no_size) content.reserve(size);
  std::array<char, 1 << 16> buffer;
  // Read to the end rather than trust the size: a pipe has none.
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    content.append(buffer.data(), count);
    if (content.size() > kMaxFileBytes) fail(path, fmt::format("larger than {} bytes", kMaxFileBytes));
  }
  if (std::ferror(file.get())) fail(path, fmt::format("cannot read: {}", std::strerror(errno)));
  return content;
}

bool has_gzip_magic(std::string_view data) {
  return data.size() >= 2 && data[0] == '\x1f' && data[1] == '\x8b';
}

class Inflater {
 public:
  explicit Inflater(const std::string& path) : path_(path) {
    // 16: expect a gzip header and check the CRC of its trailer.
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) fail(path_, "cannot start to decompress");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Appends one member to `out`; returns what follows it.
  std::string_view member(std::string_view data, std::size_t limit, std::string& out) {
    inflateReset(&stream_);
    std::array<char, 1 << 16> buffer;
    for (int status = Z_OK; status != Z_STREAM_END;) {
      const std::size_t offered = std::min<std::size_t>(data.size(), 1u << 30);  // zlib counts in unsigned int
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
      stream_.avail_in = static_cast<uInt>(offered);
      stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream_.avail_out = static_cast<uInt>(buffer.size());
      status = inflate(&stream_, Z_NO_FLUSH);
      const std::size_t produced = buffer.size() - stream_.avail_out;
      data.remove_prefix(offered - stream_.avail_in);
      if (status == Z_MEM_ERROR) fail(path_, "not enough memory to decompress");
      if (status == Z_DATA_ERROR || status == Z_NEED_DICT || status == Z_STREAM_ERROR) {
        fail(path_, fmt::format("corrupt gzip data: {}", stream_.msg != nullptr ? stream_.msg : "unknown fault"));
      }
      if (produced > limit - out.size()) fail(path_, fmt::format("decompresses to more than {} bytes", limit));
      out.append(buffer.data(), produced);
      if (status != Z_STREAM_END && data.empty() && produced < buffer.size()) fail(path_, "truncated gzip data");
    }
    return data;
  }

 private:
  const std::string& path_;
  z_stream stream_{};
};

}  // namespace

std::string read_file(const std::string& path, std::size_t limit) {
  std::string raw = read_raw(path);
  if (!has_gzip_magic(raw)) return raw;
  limit = std::min(limit, static_cast<std::size_t>(kMaxInflation.of(raw.size())));
  std::string content;
  Inflater inflater(path);
  std::string_view rest = raw;
  while (has_gzip_magic(rest)) rest = inflater.member(rest, limit, content);
  // Archives may be padded with zeros; anything else behind the last member means that something was lost.
  if (rest.find_first_not_of('\0') != std::string_view::npos) fail(path, "corrupt gzip data: garbage at the end");
  return content;
}

}  // namespace boundflow
