// Clock: where time comes from. Nothing in base, wire or core asks the operating system; tests and the
// simulator hand in a clock that stands still until told.
#pragma once

#include <cstdint>

namespace hubbub {

// Milliseconds on a clock that never goes back; its zero means nothing.
using Millis = std::int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic milliseconds. Read once a turn and passed along.
  [[nodiscard]] virtual Millis now_ms() const = 0;
  // Milliseconds since 1970-01-01T00:00:00Z; may step. Only for showing to people and peers.
  [[nodiscard]] virtual std::int64_t wall_ms() const = 0;
};

}  // namespace hubbub
