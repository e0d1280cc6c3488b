// SystemClock: Clock of the operating system: CLOCK_MONOTONIC and CLOCK_REALTIME.
#pragma once

#include <chrono>

#include "hubbub/base/clock.h"

namespace hubbub {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Millis now_ms() const override {
    return count(std::chrono::steady_clock::now().time_since_epoch());
  }
  [[nodiscard]] std::int64_t wall_ms() const override {
    return count(std::chrono::system_clock::now().time_since_epoch());
  }

 private:
  template <class Duration>
  static std::int64_t count(Duration since) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  }
};

}  // namespace hubbub
