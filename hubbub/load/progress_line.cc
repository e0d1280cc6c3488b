#include "hubbub/load/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace hubbub::load {
namespace {
constexpr std::uint64_t kPeriodNs = 500'000'000;
}

ProgressLine::ProgressLine(bool wanted) : on_(wanted && ::isatty(STDERR_FILENO) == 1) {}

void ProgressLine::draw(std::uint64_t now, std::uint64_t done) {
  if (begin_ == 0) begin_ = last_at_ = now;
  const double period = static_cast<double>(now - last_at_) / 1e9;
  const double rate = period > 0 ? static_cast<double>(done - last_done_) / period : 0;
  fmt::print(stderr, "\r\x1b[K{:5.1f} s  {}  {} done  {:.0f}/s", static_cast<double>(now - begin_) / 1e9,
             phase_, done, rate);
  std::fflush(stderr);
  drawn_ = true;
  last_at_ = now;
  last_done_ = done;
  due_ = now + kPeriodNs;
}

void ProgressLine::clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

}  // namespace hubbub::load
