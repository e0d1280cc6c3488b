#include "hubbub/load/process_watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace hubbub::load {
namespace {

std::uint64_t read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

// smaps_rollup is exact; statm, which everybody may read, lags by some pages a core.
std::uint64_t rss_of(pid_t pid) {
  std::ifstream exact(fmt::format("/proc/{}/smaps_rollup", pid));
  for (std::string line; std::getline(exact, line);) {
    if (line.starts_with("Rss:")) return std::strtoull(line.c_str() + 4, nullptr, 10) * 1024;
  }
  std::ifstream rough(fmt::format("/proc/{}/statm", pid));
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  rough >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::uint64_t now_ns() { return read_clock(CLOCK_MONOTONIC); }
std::uint64_t unix_us() { return read_clock(CLOCK_REALTIME) / 1000; }
std::uint64_t own_cpu_ns() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

std::uint64_t own_wait_ns() {
  std::ifstream file("/proc/self/schedstat");
  std::uint64_t ran = 0;
  std::uint64_t waited = 0;
  file >> ran >> waited;
  return waited;
}

Outcome<ProcessWatch> ProcessWatch::of(const std::vector<pid_t>& pids) {
  ProcessWatch out;
  for (const pid_t pid : pids) {
    clockid_t clock = 0;
    if (::clock_getcpuclockid(pid, &clock) != 0)
      return Failure(fmt::format("--pid: there is no process {}", pid));
    out.pids_.push_back(pid);
    out.clocks_.push_back(clock);
  }
  return out;
}

std::uint64_t ProcessWatch::cpu_ns() const {
  std::uint64_t sum = 0;
  for (const clockid_t clock : clocks_) sum += read_clock(clock);
  return sum;
}

std::uint64_t ProcessWatch::rss_bytes() const {
  std::uint64_t sum = 0;
  for (const pid_t pid : pids_) sum += rss_of(pid);
  return sum;
}

}  // namespace hubbub::load
