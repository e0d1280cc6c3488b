// Topic: a name with subscribers and a position. A publication's position is (epoch, offset): offsets grow by
// one from 1; a topic that was forgotten while nobody used it comes back under another epoch, so equal
// offsets of different epochs are never mistaken for each other.
//
// Invariant: session S is in subscribers() exactly if S.subscriptions() has this topic, and each end knows
// the other's index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hubbub/base/timer_wheel.h"

namespace hubbub {

class Hub;
class Session;

// Where a topic's stream stands.
struct Position {
  std::string epoch;
  std::uint64_t offset = 0;
};

class Topic {
 public:
  struct Subscriber {
    Session* session;
    std::uint32_t index;  // of this topic in session->subscriptions()
  };

  Topic(Hub& hub, std::string name, std::string epoch);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Position position() const { return {epoch_, offset_}; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  std::uint64_t advance() { return ++offset_; }
  [[nodiscard]] const std::vector<Subscriber>& subscribers() const { return subscribers_; }

 private:
  friend class Hub;  // keeps both ends of a subscription in step
  Hub& hub_;
  std::string name_;
  std::string epoch_;
  std::uint64_t offset_ = 0;
  std::vector<Subscriber> subscribers_;
  Timer idle_timer_;  // armed while nobody subscribes
};

// 1-255 bytes of printable ASCII without spaces; names beginning with '$' are the hub's.
[[nodiscard]] bool topic_name_valid(std::string_view name) noexcept;

}  // namespace hubbub
