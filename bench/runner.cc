#include "bench/runner.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <fmt/format.h>

namespace hubbub::bench {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kStallNs = 5 * kSecond;  // without any answer for so long, the run fails
constexpr std::size_t kReadBytes = 256 * 1024;
constexpr int kWaitMs = 50;

std::uint64_t read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t now_ns() { return read_clock(CLOCK_MONOTONIC); }

// What a window is the difference of two of. The process CPU clock has nanoseconds, counts every thread, also
// ended ones, and is exact while they run; /proc/PID/stat counts ticks, and schedstat lags behind a running
// thread.
struct Reading {
  std::uint64_t at = 0;
  std::uint64_t server_cpu = 0;
  std::uint64_t own_cpu = 0;
  std::uint64_t messages = 0;
};

class Runner {
 public:
  Runner(Workload& workload, const RunOptions& options) : workload_(workload), options_(options) {}
  ~Runner() {
    if (epoll_ >= 0) ::close(epoll_);
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  Outcome<RunResult> run() {
    if (auto ready = prepare(); !ready) return std::unexpected(std::move(ready.error()));
    const auto warmup_ns = static_cast<std::uint64_t>(options_.warmup_seconds * static_cast<double>(kSecond));
    const auto window_ns = static_cast<std::uint64_t>(options_.seconds * static_cast<double>(kSecond));
    const std::uint64_t begin = now_ns();
    progress_at_ = begin;
    if (auto started = workload_.start(begin); !started) return std::unexpected(std::move(started.error()));
    if (auto fine = turns_until(begin + warmup_ns, 0); !fine) return std::unexpected(std::move(fine.error()));
    workload_.latency().clear();
    const Reading first = read();
    const std::uint64_t count = options_.messages == 0 ? 0 : first.messages + options_.messages;
    if (auto fine = turns_until(first.at + window_ns, count); !fine)
      return std::unexpected(std::move(fine.error()));
    const Reading last = read();
    RunResult result = difference(first, last);
    workload_.stop();
    while (workload_.outstanding() > 0) {
      if (auto fine = turn(); !fine) return std::unexpected(std::move(fine.error()));
    }
    if (result.messages == 0) return std::unexpected("no message was answered inside the measured window");
    return result;
  }

 private:
  Outcome<void> prepare() {
    if (options_.server_pid != 0 && ::clock_getcpuclockid(options_.server_pid, &server_clock_) != 0) {
      return std::unexpected(fmt::format("no process {}", options_.server_pid));
    }
    if (auto opened = workload_.open(); !opened) return opened;
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    writing_.resize(workload_.links().size());
    for (std::size_t i = 0; i < writing_.size(); ++i) watch(EPOLL_CTL_ADD, i, EPOLLIN);
    return {};
  }

  // Ends at `until`, or once `count` messages are done (0: any number).
  Outcome<void> turns_until(std::uint64_t until, std::uint64_t count) {
    while (now_ns() < until && (count == 0 || workload_.done() < count)) {
      if (auto fine = turn(); !fine) return fine;
    }
    return {};
  }

  Outcome<void> turn() {
    std::array<epoll_event, 1024> events;
    const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), kWaitMs);
    const std::uint64_t done = workload_.done();
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const auto link = static_cast<std::size_t>(event.data.u64);
      if (auto fine = on_event(link, event.events); !fine) {
        return std::unexpected(fmt::format("connection {}: {}", link, fine.error()));
      }
    }
    const std::uint64_t now = now_ns();
    if (auto fine = workload_.end_of_turn(now); !fine) return fine;
    if (!writing_.empty()) follow_unsent(writing_.size() - 1);
    if (workload_.done() > done) progress_at_ = now;
    if (now - progress_at_ > kStallNs) {
      return std::unexpected(fmt::format("nothing came for {} s; {} messages done, {} missing",
                                         kStallNs / kSecond, workload_.done(), workload_.outstanding()));
    }
    return {};
  }

  Outcome<void> on_event(std::size_t index, std::uint32_t events) {
    Link& link = workload_.links()[index];
    if ((events & EPOLLOUT) != 0) {
      if (auto sent = link.on_writable(); !sent) return sent;
    }
    if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
      const std::uint64_t now = now_ns();
      const auto on_text = [&](std::string_view text) { return workload_.on_text(index, text, now); };
      if (auto read = link.on_readable(buffer_, on_text); !read) return read;
      if (auto sent = workload_.after_read(index, now); !sent) return sent;
    }
    follow_unsent(index);
    return {};
  }

  // Asks for writability exactly while a link has something unsent.
  void follow_unsent(std::size_t index) {
    const bool unsent = workload_.links()[index].unsent();
    if (unsent == (writing_[index] != 0)) return;
    writing_[index] = unsent ? 1 : 0;
    watch(EPOLL_CTL_MOD, index, unsent ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void watch(int operation, std::size_t index, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = index;
    ::epoll_ctl(epoll_, operation, workload_.links()[index].fd(), &event);
  }

  Reading read() const {
    return {now_ns(), options_.server_pid != 0 ? read_clock(server_clock_) : 0,
            read_clock(CLOCK_PROCESS_CPUTIME_ID), workload_.done()};
  }

  RunResult difference(const Reading& first, const Reading& last) {
    RunResult result;
    result.messages = last.messages - first.messages;
    const auto elapsed = static_cast<double>(last.at - first.at);
    const auto server_cpu = static_cast<double>(last.server_cpu - first.server_cpu);
    result.seconds = elapsed / static_cast<double>(kSecond);
    result.own_share = static_cast<double>(last.own_cpu - first.own_cpu) / elapsed;
    if (options_.server_pid != 0 && result.messages > 0) {
      result.server_us = server_cpu / 1000 / static_cast<double>(result.messages);
      result.server_share = server_cpu / elapsed;
    }
    result.latency = workload_.latency();
    return result;
  }

  Workload& workload_;
  RunOptions options_;
  clockid_t server_clock_ = 0;
  int epoll_ = -1;
  std::vector<std::uint8_t> writing_;  // as links: EPOLLOUT asked for
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  std::uint64_t progress_at_ = 0;
};

}  // namespace

Outcome<RunResult> run(Workload& workload, const RunOptions& options) {
  return Runner(workload, options).run();
}

}  // namespace hubbub::bench
