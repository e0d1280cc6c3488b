// Report: what a run found, for people and as JSON (docs/bench.md has the fields).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hubbub/load/meter.h"
#include "hubbub/load/options.h"

namespace hubbub::load {

// What slow-readers adds.
struct SlowReaders {
  Window baseline;          // without stalled readers
  std::uint64_t ended = 0;  // stalled connections that the server has closed
  std::vector<RssSample> rss;
};

// What resume adds.
struct Resumed {
  double all_back_ms = 0;
  std::uint64_t missed = 0;
  std::uint64_t twice = 0;
  std::uint64_t refused = 0;
};

struct Report {
  Window window;
  std::uint64_t rss_before = 0;  // of the server, before the first connection
  std::uint64_t rss_open = 0;    // with all connections open
  std::uint64_t errors = 0;
  std::string error;  // the first one
  std::optional<SlowReaders> slow_readers;
  std::optional<Resumed> resumed;
};

[[nodiscard]] std::string report_text(const Options& options, const Report& report);
// One line, with its end.
[[nodiscard]] std::string report_json(const Options& options, const Report& report);
// A run that ended before there was anything to report.
[[nodiscard]] std::string failure_json(const Options& options, const std::string& error);

}  // namespace hubbub::load
