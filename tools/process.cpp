#include "tools/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.hpp"

namespace boundflow {

namespace {

constexpr char kEraseLine[] = "\r\x1b[K";

std::atomic<bool> interrupted{false};
std::atomic<bool> line_shown{false};
static_assert(std::atomic<bool>::is_always_lock_free, "the signal handler needs lock-free flags");

void on_signal(int) {
  if (!interrupted.exchange(true)) return;
  if (line_shown) {
    [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, kEraseLine, std::strlen(kEraseLine));
  }
  ::_exit(static_cast<int>(ExitCode::Interrupted));
}

void handle(int signal_number) {
  struct sigaction before {};
  ::sigaction(signal_number, nullptr, &before);
  if (before.sa_handler == SIG_IGN) return;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal_number, &action, nullptr);
}

}  // namespace

const std::atomic<bool>& interrupt_flag() {
  return interrupted;
}

void prepare_process() {
  // Opened the wrong way round: reading standard input ends at once, writing to the others fails.
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF) {
      ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) handle(number);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
}

void limit_memory(std::int64_t bytes, int threads) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  // Sanitizers reserve terabytes for their shadow.
  static_cast<void>(bytes);
  static_cast<void>(threads);
#else
  // The limit is on what is reserved for data; the pages of the program itself count for the user, but not for it.
  constexpr std::int64_t kProgram = std::int64_t{18} << 20;
  constexpr std::int64_t kLeastData = std::int64_t{16} << 20;
  constexpr std::int64_t kStack = std::int64_t{8} << 20;
  const std::int64_t data = std::max(bytes - kProgram, kLeastData) + threads * kStack;
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_DATA, &limit) != 0) return;
  limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(data));
  ::setrlimit(RLIMIT_DATA, &limit);
#endif
}

void ProgressLine::show(const char* text) {
  line_shown = true;
  std::fprintf(stderr, "\r%s", text);
}

void ProgressLine::erase() {
  if (line_shown.exchange(false)) std::fputs(kEraseLine, stderr);
}

}  // namespace boundflow
