#include "hubbub/core/outbox.h"

#include <algorithm>
#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/base/frame_bulk.h"
#include "hubbub/base/held_memory.h"

namespace hubbub {
namespace {

constexpr std::uint32_t kRingFirst = 4;
constexpr std::uint32_t kRingKeep = 16;  // an emptied ring larger than this gives its memory back

// An entry has 28 bits for it; a serial beyond them (after as many topics) is not looked for again.
constexpr std::uint32_t kTopicMask = 0x0FFFFFFF;

std::uint32_t topic_of(Origin origin) { return origin.topic <= kTopicMask ? origin.topic : 0; }

}  // namespace

Outbox::~Outbox() {
  for (std::uint64_t i = acked_; i < tail_; ++i)
    if (holds(slot(i))) FrameRef::adopt(slot(i).frame);
  acked_ = tail_;
  resize(0);
}

void Outbox::push_hole(Origin origin, Lane lane, Millis now) {
  Entry& entry = append();
  entry.offset = origin.offset;
  entry.stamp = stamp_of(now);
  entry.topic = topic_of(origin) & kTopicMask;
  entry.lane = lane;
  entry.kind = Kind::hole;
}

void Outbox::count_in(const Entry& entry, bool unsent) {
  const std::size_t size = entry.frame->size();
  const bool kept = !unsent && entry.kind == Kind::frame;
  ++frames_;
  kept_ += kept;
  kept_bytes_ += kept ? size : 0;
  unsent_bytes_ += unsent ? size : 0;
  if (!unsent || entry.lane != Lane::reply) return;
  unsent_reply_bytes_ += size;
  ++unsent_replies_;
}

void Outbox::count_out(const Entry& entry, bool unsent) {
  const std::size_t size = entry.frame->size();
  const bool kept = !unsent && entry.kind == Kind::frame;
  --frames_;
  kept_ -= kept;
  kept_bytes_ -= kept ? size : 0;
  unsent_bytes_ -= unsent ? size : 0;
  if (!unsent || entry.lane != Lane::reply) return;
  unsent_reply_bytes_ -= size;
  --unsent_replies_;
}

void Outbox::mark_sent(std::size_t count) {
  for (; count > 0; --count) {
    HUBBUB_ASSERT(writable());
    const Entry& entry = slot(sent_);
    HUBBUB_ASSERT(holds(entry));
    if (entry.kind == Kind::frame && entry.lane != Lane::reply) [[likely]] {
      const std::size_t size = entry.frame->size();
      unsent_bytes_ -= size;
      kept_bytes_ += size;
      ++kept_;
    } else {
      count_out(entry, true);
      count_in(entry, false);
    }
    ++sent_;
    skip_rests();
  }
}

// The announcement that was just written stands for these.
void Outbox::skip_rests() {
  while (sent_ < tail_ && slot(sent_).kind == Kind::rest) ++sent_;
}

void Outbox::seal() {
  if (sealed_) return;
  sealed_ = true;
  seal_ = tail_;
}

// Also a message that was acknowledged may be asked for again, by a client that lost its count: then it is
// missing.
void Outbox::remove_first() {
  const Entry& entry = slot(acked_);
  if (entry.lane == Lane::reply) reply_lost_ = acked_ + 1;
  if (holds(entry)) {
    count_out(entry, acked_ >= sent_);
    ReleaseScope::release(entry.frame);
  }
  ++acked_;
  sent_ = std::max(sent_, acked_);
}

void Outbox::trim(std::uint64_t index) {
  HUBBUB_ASSERT(index <= sent_);
  let_go(index);
}

void Outbox::let_go(std::uint64_t index) {
  HUBBUB_ASSERT(index <= tail_ && (!sealed_ || index <= sent_));
  while (acked_ < index) remove_first();
  if (acked_ == tail_ && places_max_ > kRingKeep) resize(0);
}

bool Outbox::drop_oldest() {
  for (std::uint64_t i = std::max({drop_from_, acked_, sealed_ ? seal_ : 0}); i < tail_; ++i) {
    const Entry& entry = slot(i);
    drop_from_ = i + 1;
    if (entry.kind != Kind::frame || entry.lane != Lane::message) continue;
    make_hole(i);
    return true;
  }
  return false;
}

void Outbox::shed(Lane lane, std::uint64_t frames_max, std::size_t bytes_max) {
  HUBBUB_ASSERT(!sealed_);
  for (std::uint64_t i = acked_; i < tail_ && (frames_ > frames_max || bytes() > bytes_max); ++i)
    if (slot(i).kind == Kind::frame && slot(i).lane == lane) make_hole(i);
}

void Outbox::make_hole(std::uint64_t index) {
  Entry& entry = slot(index);
  count_out(entry, index >= sent_);
  const FrameRef gone = FrameRef::adopt(entry.frame);
  const Origin origin = gone->origin();
  entry.kind = Kind::hole;
  entry.topic = topic_of(origin) & kTopicMask;
  entry.offset = origin.offset;
}

void Outbox::withdraw_gaps() {
  HUBBUB_ASSERT(!sealed_);
  for (std::uint64_t i = acked_; i < tail_; ++i) {
    Entry& entry = slot(i);
    if (entry.kind != Kind::gap && entry.kind != Kind::rest) continue;
    if (entry.kind == Kind::gap) {
      count_out(entry, i >= sent_);
      FrameRef::adopt(entry.frame);
    }
    entry.kind = Kind::hole;
    entry.topic = 0;  // what it was is not known any more
    entry.offset = 0;
  }
}

Millis Outbox::oldest_age(Millis now) const {
  HUBBUB_ASSERT(acked_ < tail_);
  return static_cast<Millis>(static_cast<std::uint32_t>(stamp_of(now) - slot(acked_).stamp)) * kStampMs;
}

std::uint64_t Outbox::let_go_older(Millis age, Millis now, std::uint64_t end) {
  const std::uint64_t before = frames_;
  while (acked_ < end && oldest_age(now) > age) let_go(acked_ + 1);
  return before - frames_;
}

// --- Resume

Outbox::Replay Outbox::resume(std::uint64_t received, const Refill& refill, const MakeGap& make_gap) {
  HUBBUB_ASSERT(received <= sent_max() && !sealed_);
  Replay replay;
  withdraw_gaps();
  while (acked_ < received) remove_first();
  for (std::uint64_t i = acked_; i < sent_; ++i) {
    if (!holds(slot(i))) continue;
    count_out(slot(i), false);
    count_in(slot(i), true);
  }
  sent_before_ = sent_max();
  sent_ = acked_;
  drop_from_ = acked_;
  refill_holes(refill, replay);
  // What is gone right behind the client's count is told by the answer to its resume.
  bool replies = received < reply_lost_;
  while (acked_ < tail_ && !holds(slot(acked_))) {
    replies = replies || slot(acked_).lane == Lane::reply;
    remove_first();
  }
  if (acked_ > received) {
    replay.missing_to = acked_;
    replay.missing_replies = replies;
  }
  announce_holes(make_gap, replay);
  return replay;
}

void Outbox::refill_holes(const Refill& refill, Replay& replay) {
  for (std::uint64_t i = acked_; i < tail_; ++i) {
    const Entry& entry = slot(i);
    if (entry.kind != Kind::hole || entry.topic == 0) continue;
    FrameRef frame = refill(Origin{entry.topic, entry.offset});
    if (!frame) continue;
    fill(i, Kind::frame, std::move(frame));
    ++replay.from_history;
  }
}

void Outbox::fill(std::uint64_t index, Kind kind, FrameRef frame) {
  Entry& entry = slot(index);
  entry.frame = frame.release();
  entry.kind = kind;
  count_in(entry, index >= sent_);
}

void Outbox::announce_holes(const MakeGap& make_gap, Replay& replay) {
  for (std::uint64_t i = acked_; i < tail_;) {
    if (slot(i).kind != Kind::hole) {
      ++replay.from_ring;
      ++i;
      continue;
    }
    const std::uint64_t first = i;
    bool replies = false;
    for (; i < tail_ && slot(i).kind == Kind::hole; ++i) {
      replies = replies || slot(i).lane == Lane::reply;
      slot(i).kind = Kind::rest;
    }
    fill(first, Kind::gap, make_gap(first + 1, i, replies));
    replay.gaps = true;
  }
  replay.from_ring -= replay.from_history;
}

void Outbox::grow() {
  const std::uint32_t more = places_max_ == 0 ? kRingFirst : places_max_ * 2;
  HUBBUB_ASSERT(more > places_max_);
  resize(more);
}

void Outbox::resize(std::uint32_t places) {
  auto ring = places == 0 ? nullptr : std::make_unique_for_overwrite<Entry[]>(places);
  for (std::uint64_t i = acked_; i < tail_; ++i) ring[i & (places - 1)] = slot(i);
  ring_ = std::move(ring);
  HeldMemory::add((std::int64_t{places} - places_max_) * static_cast<std::int64_t>(sizeof(Entry)));
  places_max_ = places;
}

void Outbox::check_invariants() const {
  HUBBUB_ASSERT(acked_ <= sent_ && sent_max() <= tail_ && tail_ - acked_ <= places_max_);
  HUBBUB_ASSERT(!sealed_ || (sent_ <= seal_ && seal_ <= tail_));
  std::size_t kept = 0;
  std::size_t unsent = 0;
  std::size_t reply_bytes = 0;
  std::uint64_t replies = 0;
  std::uint64_t frames = 0;
  std::uint64_t kept_frames = 0;
  for (std::uint64_t i = acked_; i < tail_; ++i) {
    const Entry& entry = slot(i);
    if (!holds(entry)) continue;
    ++frames;
    kept_frames += i < sent_ && entry.kind == Kind::frame;
    if (i >= sent_) unsent += entry.frame->size();
    if (i < sent_ && entry.kind == Kind::frame) kept += entry.frame->size();
    if (i < sent_ || entry.lane != Lane::reply) continue;
    reply_bytes += entry.frame->size();
    ++replies;
  }
  HUBBUB_ASSERT(kept == kept_bytes_ && unsent == unsent_bytes_ && frames == frames_ && kept_frames == kept_);
  HUBBUB_ASSERT(reply_bytes == unsent_reply_bytes_ && replies == unsent_replies_);
}

}  // namespace hubbub
