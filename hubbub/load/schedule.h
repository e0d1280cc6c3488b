// Schedule: when messages of an open loop are due. The times depend on the rate alone, not on how the server
// or the generator is doing: a message that leaves late keeps its scheduled time, and its latency counts from
// there. So a stall is seen by every message that was due meanwhile, not only by the one that happened to be
// under way
// ("coordinated omission").
#pragma once

#include <cstdint>

namespace hubbub::load {

class Schedule {
 public:
  Schedule() = default;
  // The first message is due at `start`, in nanoseconds of any clock.
  Schedule(double per_s, std::uint64_t start) : per_s_(per_s), start_(start), next_(start) {}

  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] bool due(std::uint64_t now) const { return next_ <= now; }
  // The time of the message that is due; the next one is then waited for. Counted from the start each time:
  // no error adds up.
  std::uint64_t take() {
    const std::uint64_t scheduled = next_;
    ++taken_;
    next_ = start_ + static_cast<std::uint64_t>(static_cast<double>(taken_) * 1e9 / per_s_);
    return scheduled;
  }

 private:
  double per_s_ = 0;
  std::uint64_t start_ = 0;
  std::uint64_t next_ = UINT64_MAX;  // never
  std::uint64_t taken_ = 0;
};

}  // namespace hubbub::load
