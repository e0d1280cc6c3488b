// What processes use: CPU time and resident memory of the server under test (by process id; the sums of
// several), and of the generator itself.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <vector>

#include "hubbub/load/outcome.h"

namespace hubbub::load {

// Nanoseconds since some moment, monotonic; never 0.
[[nodiscard]] std::uint64_t now_ns();
// Microseconds of unix time.
[[nodiscard]] std::uint64_t unix_us();

// CPU time so far, in nanoseconds, all threads, ended ones too.
[[nodiscard]] std::uint64_t own_cpu_ns();
// Time this process was ready to run and had to wait for a core, in nanoseconds.
[[nodiscard]] std::uint64_t own_wait_ns();

class ProcessWatch {
 public:
  // The error names the process that is not there.
  [[nodiscard]] static Outcome<ProcessWatch> of(const std::vector<pid_t>& pids);

  // False: no process was named, all values are 0.
  [[nodiscard]] bool watches() const { return !pids_.empty(); }
  // The process CPU clock has nanoseconds and is exact while threads run; /proc/PID/stat counts ticks.
  [[nodiscard]] std::uint64_t cpu_ns() const;
  [[nodiscard]] std::uint64_t rss_bytes() const;

 private:
  std::vector<pid_t> pids_;
  std::vector<clockid_t> clocks_;
};

}  // namespace hubbub::load
