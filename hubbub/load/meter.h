// Meter: what a run costs the server and the generator: readings of clocks and counters, and the differences
// of two.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hubbub/load/engine.h"
#include "hubbub/load/histogram.h"
#include "hubbub/load/options.h"
#include "hubbub/load/process_watch.h"
#include "hubbub/load/workload.h"

namespace hubbub::load {

// What was measured between two moments.
struct Window {
  std::uint64_t messages = 0;
  double seconds = 0;
  std::optional<double> server_us;     // CPU time a message, user and system
  std::optional<double> server_share;  // of one core: 1.0 is a core fully used
  double own_us = 0;                   // the generator's
  double own_share = 0;
  double wait_share = 0;  // the generator was ready and had no core
  double lag_us = 0;
  Histogram latency;

  [[nodiscard]] double per_s() const { return seconds > 0 ? static_cast<double>(messages) / seconds : 0; }
  // True if the generator had no time left while the server had: rates and latencies are then its own.
  [[nodiscard]] bool generator_bound() const {
    return own_share + wait_share > 0.97 && server_share.value_or(0) < 0.9;
  }
};

struct RssSample {
  double seconds = 0;
  std::uint64_t bytes = 0;
};

class Meter {
 public:
  // Fails if a process is not there.
  [[nodiscard]] static Outcome<Meter> of(const Options& options);

  [[nodiscard]] const ProcessWatch& processes() const { return processes_; }
  void begin(std::uint64_t messages);
  [[nodiscard]] Window end(std::uint64_t messages, const Engine& engine) const;

 private:
  struct Reading {
    std::uint64_t at = 0;
    std::uint64_t server_cpu = 0;
    std::uint64_t own_cpu = 0;
    std::uint64_t own_wait = 0;
    std::uint64_t messages = 0;
  };
  [[nodiscard]] Reading read(std::uint64_t messages) const;

  ProcessWatch processes_;
  Reading first_;
};

// Starts the workload, warms up, measures, stops, and waits until all that is under way has come. Fails if
// nothing came. `samples`: memory over time is added to it.
[[nodiscard]] Outcome<Window> measure(const Options& options, Engine& engine, Workload& workload,
                                      Meter& meter, std::vector<RssSample>* samples = nullptr);

}  // namespace hubbub::load
