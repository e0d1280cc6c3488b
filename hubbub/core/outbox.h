// Outbox: what a session's client has not acknowledged yet, in order. Send queue and replay buffer in one: a
// ring of frame references with three cursors, counted in messages since the session's epoch began:
//
//     acked <= sent <= tail      [acked, sent) written, kept for replay      [sent, tail) not written yet
//
// The message at index i has number i + 1. A place in the ring never moves: where a message was let go to
// keep a bound, a hole stays, until resume() fills it from elsewhere or puts an announcement (session.gap)
// there, which stands for all the places of its run.
//
// Invariants (check_invariants): the byte sums equal the frames'; at `sent` stands a frame, or nothing that
// may be written; holes exist only where no connection writes. Holds references only: a publish to a thousand
// outboxes exists once. One thread. Bounds are the caller's (Session).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "hubbub/base/assert.h"
#include "hubbub/base/clock.h"
#include "hubbub/base/frame.h"

namespace hubbub {

// Why a message is in the outbox, which decides what goes first when there is too much.
enum class Lane : std::uint8_t {
  message,  // publications, broadcasts, presence: the first to go
  direct,   // session.send: its sender was told that it is queued
  reply,    // answers to the client's own calls: never counted against the bounds on what others send it
};

class Outbox {
 public:
  Outbox() = default;
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // `now` is what let_go_older() compares with.
  void push(FrameRef frame, Lane lane = Lane::message, Millis now = 0) {
    Entry& entry = append();
    const std::size_t size = frame->size();
    entry.frame = frame.release();
    entry.stamp = stamp_of(now);
    entry.topic = 0;
    entry.lane = lane;
    entry.kind = Kind::frame;
    ++frames_;
    unsent_bytes_ += size;
    if (lane != Lane::reply) return;
    unsent_reply_bytes_ += size;
    ++unsent_replies_;
  }
  // Counts a message that is not kept. Only while no connection writes, or behind its seal.
  void push_hole(Origin origin, Lane lane, Millis now);

  [[nodiscard]] std::uint64_t acked() const { return acked_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  // The furthest sent() ever was: no client can have more.
  [[nodiscard]] std::uint64_t sent_max() const { return sent_ > sent_before_ ? sent_ : sent_before_; }
  [[nodiscard]] std::uint64_t tail() const { return tail_; }
  [[nodiscard]] std::uint64_t unsent() const { return tail_ - sent_; }
  [[nodiscard]] std::size_t unsent_bytes() const { return unsent_bytes_; }
  // The part of the unsent that are replies.
  [[nodiscard]] std::uint64_t unsent_replies() const { return unsent_replies_; }
  [[nodiscard]] std::size_t unsent_reply_bytes() const { return unsent_reply_bytes_; }
  // Messages that are written and not acknowledged, and their bytes; announcements apart.
  // The next push makes the ring larger.
  [[nodiscard]] bool ring_full() const { return places() == places_max_; }
  [[nodiscard]] std::uint64_t kept() const { return kept_; }
  [[nodiscard]] std::size_t kept_bytes() const { return kept_bytes_; }
  // Frames in the ring, and their bytes; holes are places without one. Announcements are frames, their bytes
  // count until they are written.
  [[nodiscard]] std::uint64_t frames() const { return frames_; }
  [[nodiscard]] std::size_t bytes() const { return kept_bytes_ + unsent_bytes_; }
  [[nodiscard]] std::uint64_t places() const { return tail_ - acked_; }

  // --- For the connection

  // Up to where it may write: [sent, write_end) is what it has to write.
  [[nodiscard]] std::uint64_t write_end() const { return sealed_ ? seal_ : tail_; }
  [[nodiscard]] bool writable() const { return sent_ < write_end(); }
  // The frame at that place, acked() <= index < tail(); null for a place that an announcement before it
  // stands for. Dies when it is trimmed.
  [[nodiscard]] const Frame* at(std::uint64_t index) const {
    HUBBUB_ASSERT(index >= acked_ && index < tail_);
    const Entry& entry = slot(index);
    HUBBUB_ASSERT(entry.kind != Kind::hole);
    return holds(entry) ? entry.frame : nullptr;
  }
  // Something was let go at that place, acked() <= index < tail(), and nothing stands there yet.
  [[nodiscard]] bool is_hole(std::uint64_t index) const { return slot(index).kind == Kind::hole; }
  // The next `count` frames from sent() on have been handed to the socket whole.
  void mark_sent(std::size_t count = 1);
  // What is pushed from now on is not for this connection.
  void seal();
  // No connection writes any more.
  void unseal() {
    sealed_ = false;
    drop_from_ = 0;  // what stands before the seal may be dropped again
  }

  // --- For the session

  // The client has everything before `index` (<= sent()).
  void trim(std::uint64_t index);
  // Lets go of everything before `index` to keep a bound; beyond sent() only while nobody writes.
  void let_go(std::uint64_t index);
  // Lets go of the oldest of Lane::message, leaving a hole; false if there is none that no connection may be
  // writing.
  bool drop_oldest();
  // Leaves holes in place of the oldest of `lane` until at most that many frames and bytes are left, if so
  // many can be dropped. Nobody may be writing.
  void shed(Lane lane, std::uint64_t frames_max, std::size_t bytes_max);
  // Announcements become holes again, which the next resume() announces, so that they take no room from
  // messages meanwhile. Nobody may be writing.
  void withdraw_gaps();
  // let_go() of what was pushed longer than `age` ago, up to `end`. Returns how many frames.
  std::uint64_t let_go_older(Millis age, Millis now, std::uint64_t end);
  // Whether the oldest place has a message that must not go for others: an answer, or one sent to this
  // client.
  [[nodiscard]] bool owes_first() const {
    return acked_ < tail_ && holds(slot(acked_)) && slot(acked_).lane != Lane::message;
  }
  // How long ago the oldest place was pushed (in steps of kStampMs). The ring must not be empty.
  [[nodiscard]] Millis oldest_age(Millis now) const;

  struct Replay {
    std::uint64_t missing_to = 0;    // messages up to this number are gone for good; 0: none
    bool missing_replies = false;    // answers may have been among them
    bool gaps = false;               // an announcement stands in what will be sent
    std::uint64_t from_ring = 0;     // messages that will be sent again or for the first time
    std::uint64_t from_history = 0;  // of places that were filled again
  };
  using Refill = std::function<FrameRef(Origin)>;  // null: not there any more
  using MakeGap = std::function<FrameRef(std::uint64_t from, std::uint64_t to, bool replies)>;
  // The client comes back and has `received` (<= sent_max()) messages: what follows will be written again.
  // Fills holes through `refill` and announces the others with what `make_gap` makes, but for those right
  // behind `received`, which the caller announces (missing_to). Nobody may be writing.
  [[nodiscard]] Replay resume(std::uint64_t received, const Refill& refill, const MakeGap& make_gap);

  // Loads what the next push() will touch; for whoever pushes one frame to many.
  void prefetch_tail() const {
    if (ring_) __builtin_prefetch(&slot(tail_ + 1), 1);
  }
  // Likewise for the next write, and for what leaves the ring after it.
  void prefetch_sent() const {
    if (!ring_) return;
    constexpr std::uint64_t kEntriesInLine = 64 / sizeof(Entry);
    const std::uint64_t most = std::min<std::uint64_t>(tail_ - sent_, 8 * kEntriesInLine);
    for (std::uint64_t i = 0; i < most; i += kEntriesInLine) {
      __builtin_prefetch(&slot(sent_ + i), 0);
      __builtin_prefetch(&slot(acked_ + i), 0);
    }
  }

  // Asserts the order of the cursors and recounts everything. O(n): for tests and the simulator.
  void check_invariants() const;

  static constexpr Millis kStampMs = 16;

 private:
  enum class Kind : std::uint8_t {
    frame,
    hole,  // let go; `offset` and `topic` tell what it was, if it was a publication
    gap,   // a frame that announces what was let go
    rest,  // covered by the announcement before it
  };
  struct Entry {
    union {
      const Frame* frame;    // Kind::frame and Kind::gap: one reference is ours
      std::uint64_t offset;  // Kind::hole
    };
    std::uint32_t stamp;  // in steps of kStampMs, modulo 2^32
    std::uint32_t topic : 28;
    Lane lane : 2;
    Kind kind : 2;
  };
  [[nodiscard]] static bool holds(const Entry& entry) {
    return entry.kind == Kind::frame || entry.kind == Kind::gap;
  }
  static_assert(sizeof(Entry) == 16, "a thousand of these may be kept for each session");

  [[nodiscard]] Entry& slot(std::uint64_t index) { return ring_[index & (places_max_ - 1)]; }
  [[nodiscard]] const Entry& slot(std::uint64_t index) const { return ring_[index & (places_max_ - 1)]; }
  [[nodiscard]] Entry& append() {
    if (tail_ - acked_ == places_max_) [[unlikely]]
      grow();
    return slot(tail_++);
  }
  [[nodiscard]] static std::uint32_t stamp_of(Millis now) {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(now) / kStampMs);
  }
  void grow();
  // The ring has that many places from now on, at least as many as are used.
  void resize(std::uint32_t places);
  void count_in(const Entry& entry, bool unsent);
  void count_out(const Entry& entry, bool unsent);
  void remove_first();
  void make_hole(std::uint64_t index);
  void fill(std::uint64_t index, Kind kind, FrameRef frame);
  void skip_rests();
  void refill_holes(const Refill& refill, Replay& replay);
  void announce_holes(const MakeGap& make_gap, Replay& replay);

  // What every push and every write touches stands first.
  std::unique_ptr<Entry[]> ring_;
  std::uint64_t acked_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t tail_ = 0;
  std::size_t unsent_bytes_ = 0;
  std::size_t unsent_reply_bytes_ = 0;
  std::size_t kept_bytes_ = 0;
  std::uint32_t places_max_ = 0;  // of ring_: 0 or a power of two; all counts of its places are below
  std::uint32_t unsent_replies_ = 0;
  std::uint32_t frames_ = 0;
  std::uint32_t kept_ = 0;         // of frames_
  std::uint64_t sent_before_ = 0;  // how far sent_ was before it went back
  std::uint64_t seal_ = 0;         // with sealed_: where the connection stops
  std::uint64_t drop_from_ = 0;    // before this nothing is left to drop
  std::uint64_t reply_lost_ = 0;   // number of the last reply that left the ring; 0: none
  bool sealed_ = false;
};

}  // namespace hubbub
