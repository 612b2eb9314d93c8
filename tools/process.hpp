#pragma once
// What the command sets up for its whole process, since the library touches none of it: signals, standard streams, the
// memory limit.

#include <atomic>
#include <cstdint>

namespace boundflow {

// Raised by Ctrl-C (SIGINT), SIGTERM and SIGHUP; a second signal ends the process at once, with exit code 130.
const std::atomic<bool>& interrupt_flag();

// Installs these, unless the parent has them ignored (nohup, background jobs). A write to a closed pipe or beyond a
// limit on file sizes becomes an error of that write instead of a signal. Streams that are closed are opened so that
// no file takes their place.
void prepare_process();

// Has the system refuse memory beyond `bytes`, whatever it is asked for: an allocation then fails, and the process is
// not killed for it. `threads`: their stacks are reserved and hardly used, and do not count.
void limit_memory(std::int64_t bytes, int threads);

// A line of progress on the terminal behind standard error, erased when it ends, by a second signal too.
class ProgressLine {
 public:
  ~ProgressLine() { erase(); }
  // Replaces the line.
  void show(const char* text);
  void erase();
};

}  // namespace boundflow
