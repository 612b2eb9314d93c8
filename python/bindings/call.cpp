#include "python/bindings/call.hpp"

#include <nanobind/nanobind.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace boundflow::python {

namespace nb = nanobind;

namespace {

// A thread that runs one job at a time and waits for the next. It ends with the process.
class Worker {
 public:
  Worker() {
    std::thread([this] { serve(); }).detach();
  }

  void start(std::function<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      job_ = std::move(job);
    }
    given_.notify_one();
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    while (true) {
      given_.wait(lock, [&] { return static_cast<bool>(job_); });
      const std::function<void()> job = std::exchange(job_, nullptr);
      lock.unlock();
      job();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable given_;
  std::function<void()> job_;
};

// Workers without a job. A thread of its own costs more than a small call; threads do not survive a fork.
class IdleWorkers {
 public:
  Worker& take() {
    const std::lock_guard lock(mutex_);
    if (process_ != getpid()) {
      idle_.clear();
      process_ = getpid();
    }
    if (idle_.empty()) return *new Worker;  // its thread never ends
    Worker* worker = idle_.back();
    idle_.pop_back();
    return *worker;
  }
  void give_back(Worker& worker) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(&worker);
  }

 private:
  std::mutex mutex_;
  pid_t process_ = 0;
  std::vector<Worker*> idle_;
};

// Never destroyed: workers may be in a call while the process ends.
IdleWorkers& idle_workers() {
  static IdleWorkers& workers = *new IdleWorkers;
  return workers;
}

// What the calling thread and the worker share.
struct Call {
  std::mutex mutex;
  std::condition_variable news;
  bool done = false;
  std::optional<Progress> latest;
  std::exception_ptr thrown;
  std::atomic<bool> interrupt{false};
};

}  // namespace

void run_interruptibly(const std::function<void(const VerifyHooks&)>& work,
                       const std::function<void(const Progress&)>& progress) {
  constexpr std::chrono::milliseconds kPatience(50);
  Call call;
  VerifyHooks hooks;
  hooks.interrupt = &call.interrupt;
  if (progress) {
    hooks.progress = [&call](const Progress& report) {
      {
        const std::lock_guard lock(call.mutex);
        call.latest = report;
      }
      call.news.notify_one();
    };
  }
  std::exception_ptr raised;
  // With the GIL: what Python has to say meanwhile.
  const auto attend = [&](const std::optional<Progress>& report) {
    if (raised) return;
    try {
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
      if (report) progress(*report);
    } catch (...) {
      raised = std::current_exception();
      call.interrupt = true;
    }
  };
  {
    const nb::gil_scoped_release without_gil;
    Worker& worker = idle_workers().take();
    worker.start([&] {
      std::exception_ptr thrown;
      try {
        work(hooks);
      } catch (...) {
        thrown = std::current_exception();
      }
      // Under the lock until the end: the caller's stack goes once it sees that this is done.
      const std::lock_guard lock(call.mutex);
      call.thrown = std::move(thrown);
      call.done = true;
      call.news.notify_one();
    });
    std::unique_lock lock(call.mutex);
    while (!call.done) {
      call.news.wait_for(lock, kPatience, [&] { return call.done || call.latest; });
      if (call.done) break;
      const std::optional<Progress> report = std::exchange(call.latest, std::nullopt);
      lock.unlock();
      {
        const nb::gil_scoped_acquire with_gil;
        attend(report);
      }
      lock.lock();
    }
    idle_workers().give_back(worker);
  }
  attend(call.latest);
  if (raised) std::rethrow_exception(raised);
  if (call.thrown) std::rethrow_exception(call.thrown);
}

bool CallTimes::are_short(const void* asked, const std::string& kind) const {
  const auto found = seconds_.find({asked, kind});
  return found != seconds_.end() && found->second < kShort_s;
}

void CallTimes::note(const void* asked, const std::string& kind, double seconds) {
  constexpr std::size_t kMostKinds = 1024;
  if (seconds_.size() > kMostKinds) seconds_.clear();
  seconds_[{asked, kind}] = seconds;
}

}  // namespace boundflow::python
