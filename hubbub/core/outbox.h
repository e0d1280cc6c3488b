// Outbox: what a session's client has not acknowledged yet, in order. Send queue and replay buffer in one: a
// ring of frame references with three cursors, counted in messages since the session's epoch began:
//
//     acked <= sent <= tail      [acked, sent) written, kept for replay      [sent, tail) not written yet
//
// Holds references only: a publish to a thousand outboxes exists once. One thread. Bounds are the caller's
// (Session).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hubbub/base/frame.h"

namespace hubbub {

// Why a message is in the outbox. Replies answer the client's own calls and never count against the bounds on
// what others send it.
enum class Lane : std::uint8_t { message, reply };

class Outbox {
 public:
  void push(FrameRef frame, Lane lane = Lane::message);

  [[nodiscard]] std::uint64_t acked() const { return acked_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t tail() const { return tail_; }
  [[nodiscard]] std::uint64_t unsent() const { return tail_ - sent_; }
  [[nodiscard]] std::size_t unsent_bytes() const { return unsent_bytes_; }
  // The part of the unsent that are replies.
  [[nodiscard]] std::uint64_t unsent_replies() const { return unsent_replies_; }
  [[nodiscard]] std::size_t unsent_reply_bytes() const { return unsent_reply_bytes_; }
  [[nodiscard]] std::uint64_t kept() const { return sent_ - acked_; }
  [[nodiscard]] std::size_t kept_bytes() const { return kept_bytes_; }

  // The frame with that number; acked() <= index < tail(). Dies when it is trimmed.
  [[nodiscard]] const Frame& at(std::uint64_t index) const;
  // The frame at sent() has been handed to the socket whole.
  void mark_sent();
  // Lets go of everything before `index` (<= sent()).
  void trim(std::uint64_t index);

  // Lets go of everything, written or not, and goes on counting from tail().
  void clear();

  // Asserts acked <= sent <= tail and that the byte sums equal the frames'. O(n): for tests and the
  // simulator.
  void check_invariants() const;

 private:
  struct Entry {
    FrameRef frame;
    Lane lane = Lane::message;
  };
  [[nodiscard]] Entry& slot(std::uint64_t index) { return ring_[index & (ring_.size() - 1)]; }
  [[nodiscard]] const Entry& slot(std::uint64_t index) const { return ring_[index & (ring_.size() - 1)]; }
  void grow();

  std::vector<Entry> ring_;  // size 0 or a power of two
  std::uint64_t acked_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t tail_ = 0;
  std::uint64_t unsent_replies_ = 0;
  std::size_t unsent_bytes_ = 0;
  std::size_t unsent_reply_bytes_ = 0;
  std::size_t kept_bytes_ = 0;
};

}  // namespace hubbub
