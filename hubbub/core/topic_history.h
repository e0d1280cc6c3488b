// TopicHistory: the latest publications of one topic as the very frames that went to its subscribers, oldest
// first, bounded by number, bytes and age. Lets latecomers catch up, topic.history answer, and a session's
// outbox get back what it had to let go.
//
// Invariants (check_invariants): the offsets kept follow each other without a hole and end at the latest one
// appended; bytes() is the sum of the frames' sizes; an empty history holds no memory. Asks no clock: time is
// given, and what is too old goes at the next append() or expire().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "hubbub/base/clock.h"
#include "hubbub/base/frame.h"
#include "hubbub/base/held_memory.h"

namespace hubbub {

struct Limits;

class TopicHistory {
 public:
  struct Kept {
    FrameRef frame;
    std::size_t data_size = 0;
    Millis at = 0;
  };

  // False if one of history.* is 0: then nothing is to be appended.
  [[nodiscard]] static bool wanted(const Limits& limits);

  // Keeps a topic.message frame whose Origin::offset follows last(). `data_size` is the length of its `data`,
  // which ends the params. Older ones, or this one if it alone is too much, go until history.messages,
  // history.bytes and history.age hold.
  void append(FrameRef frame, std::size_t data_size, Millis now, const Limits& limits);
  // Lets go of what is as old as history.age.
  void expire(Millis now, Millis age_max);
  void clear() { *this = TopicHistory(); }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Offsets kept are first() <= offset <= last(); not to be asked of an empty history.
  [[nodiscard]] std::uint64_t first() const { return last_ + 1 - size_; }
  [[nodiscard]] std::uint64_t last() const { return last_; }
  // When the oldest was appended; not to be asked of an empty history.
  [[nodiscard]] Millis oldest() const { return slot(first()).at; }

  // The publication with that offset, or nullptr. Valid until the next append() or expire().
  [[nodiscard]] const FrameRef* frame(std::uint64_t offset) const;
  // Those with that offset and later, oldest first.
  [[nodiscard]] std::vector<Kept> from(std::uint64_t offset) const;
  // Its data as it was published, raw JSON out of the frame; first() <= offset <= last().
  [[nodiscard]] std::string_view data(std::uint64_t offset) const;

  void check_invariants() const;

 private:
  [[nodiscard]] Kept& slot(std::uint64_t offset) { return ring_[offset & (ring_.size() - 1)]; }
  [[nodiscard]] const Kept& slot(std::uint64_t offset) const { return ring_[offset & (ring_.size() - 1)]; }
  void drop_oldest();
  void grow();
  void use(std::vector<Kept> ring);

  std::vector<Kept> ring_;  // size 0 or a power of two
  HeldBytes held_;          // ring_'s
  std::uint64_t last_ = 0;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace hubbub
