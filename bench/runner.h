// Runs one workload: opens its links, warms up, measures for a time or a count, lets everything under way
// come home, and checks that nothing is missing. Single thread; this process and the server's are watched
// through their CPU clocks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "bench/workload.h"

namespace hubbub::bench {

struct RunOptions {
  double seconds = 2;          // of the measured window
  std::uint64_t messages = 0;  // the window ends after so many, too; 0: only by time
  double warmup_seconds = 0.5;
  pid_t server_pid = 0;  // 0: the server's CPU time is not measured
};

struct RunResult {
  std::uint64_t messages = 0;  // echoes or deliveries inside the window
  double seconds = 0;
  std::optional<double> server_us;     // server CPU time a message, user and system, all threads
  std::optional<double> server_share;  // of one core: 1.0 is a core fully used
  double own_share = 0;                // the generator's
  Histogram latency;
  // True if the generator had no time left while the server had: rates and latencies are then its own.
  [[nodiscard]] bool generator_bound() const { return own_share > 0.97 && server_share.value_or(0) < 0.9; }
};

[[nodiscard]] Outcome<RunResult> run(Workload& workload, const RunOptions& options);

}  // namespace hubbub::bench
