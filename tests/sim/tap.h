// Tap: looks at a session's outbox after each turn and remembers which message has which number, so that what
// its client gets (or is told it will not get) can be held against what was pushed. A message that was pushed
// and let go in one turn is not seen: its number stays unknown.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "hubbub/core/outbox.h"

namespace hubbub::sim {

class Tap {
 public:
  void look(const Outbox& outbox);
  // The text of the message with that number, or nullptr if unknown.
  [[nodiscard]] const std::string* text(std::uint64_t number) const;
  // The number of the last message pushed.
  [[nodiscard]] std::uint64_t last() const { return seen_; }
  // Up to there nobody will ask.
  void forget(std::uint64_t number) { texts_.erase(texts_.begin(), texts_.upper_bound(number)); }

 private:
  std::uint64_t seen_ = 0;
  std::map<std::uint64_t, std::string> texts_;
};

// The frame of message `number`, or null if it is not kept (or was replaced by an announcement).
[[nodiscard]] const Frame* kept_message(const Outbox& outbox, std::uint64_t number);

}  // namespace hubbub::sim
