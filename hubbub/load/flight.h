// Flight: the messages of one sender that are under way, and since when. They are numbered from 0 in the
// order of sending; answers may come in another order. Times are nanoseconds of a monotonic clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hubbub/base/assert.h"

namespace hubbub::load {

class Flight {
 public:
  // The most messages between the oldest unanswered one and the newest, as a power of two. A sender stops
  // there.
  static constexpr std::uint64_t kSpanMax = 1U << 16U;

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  // The oldest message without an answer; sent() if there is none.
  [[nodiscard]] std::uint64_t oldest() const { return oldest_; }
  [[nodiscard]] std::uint64_t span() const { return sent_ - oldest_; }
  [[nodiscard]] bool full() const { return span() == kSpanMax; }

  // Returns the message's number. `since`: what its latency counts from, above 0. Not when full.
  std::uint64_t send(std::uint64_t since) {
    HUBBUB_ASSERT(!full());
    if (span() == since_.size()) grow();
    since_[sent_ & (since_.size() - 1)] = since;
    return sent_++;
  }

  // Since when message `number` was under way; nullopt if it was answered before.
  std::optional<std::uint64_t> answer(std::uint64_t number) {
    HUBBUB_ASSERT(number >= oldest_ && number < sent_);
    std::uint64_t& since = since_[number & (since_.size() - 1)];
    if (since == 0) return std::nullopt;
    const std::uint64_t value = since;
    since = 0;
    while (oldest_ < sent_ && since_[oldest_ & (since_.size() - 1)] == 0) ++oldest_;
    return value;
  }

 private:
  void grow() {
    std::vector<std::uint64_t> larger(since_.empty() ? 4 : since_.size() * 2);
    for (std::uint64_t i = oldest_; i < sent_; ++i) {
      larger[i & (larger.size() - 1)] = since_[i & (since_.size() - 1)];
    }
    since_ = std::move(larger);
  }

  std::vector<std::uint64_t> since_;  // ring, size a power of two; 0: answered
  std::uint64_t sent_ = 0;
  std::uint64_t oldest_ = 0;
};

}  // namespace hubbub::load
