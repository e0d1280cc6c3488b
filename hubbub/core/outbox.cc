#include "hubbub/core/outbox.h"

#include <utility>

#include "hubbub/base/assert.h"

namespace hubbub {
namespace {
constexpr std::size_t kRingFirst = 4;
constexpr std::size_t kRingKeep = 64;  // an emptied ring larger than this gives its memory back
}  // namespace

void Outbox::push(FrameRef frame, Lane lane) {
  if (tail_ - acked_ == ring_.size()) grow();
  unsent_bytes_ += frame->size();
  if (lane == Lane::reply) {
    unsent_reply_bytes_ += frame->size();
    ++unsent_replies_;
  }
  slot(tail_) = {std::move(frame), lane};
  ++tail_;
}

const Frame& Outbox::at(std::uint64_t index) const {
  HUBBUB_ASSERT(index >= acked_ && index < tail_);
  return *slot(index).frame;
}

void Outbox::mark_sent() {
  HUBBUB_ASSERT(sent_ < tail_);
  const Entry& entry = slot(sent_);
  const std::size_t size = entry.frame->size();
  unsent_bytes_ -= size;
  if (entry.lane == Lane::reply) {
    unsent_reply_bytes_ -= size;
    --unsent_replies_;
  }
  kept_bytes_ += size;
  ++sent_;
}

void Outbox::trim(std::uint64_t index) {
  HUBBUB_ASSERT(index <= sent_);
  while (acked_ < index) {
    const FrameRef gone = std::move(slot(acked_).frame);
    kept_bytes_ -= gone->size();
    ++acked_;
  }
  if (acked_ == tail_ && ring_.size() > kRingKeep) ring_ = {};
}

void Outbox::clear() {
  ring_ = {};
  acked_ = sent_ = tail_;
  unsent_bytes_ = unsent_reply_bytes_ = kept_bytes_ = 0;
  unsent_replies_ = 0;
}

void Outbox::grow() {
  std::vector<Entry> bigger(ring_.empty() ? kRingFirst : ring_.size() * 2);
  for (std::uint64_t i = acked_; i < tail_; ++i) bigger[i & (bigger.size() - 1)] = std::move(slot(i));
  ring_ = std::move(bigger);
}

void Outbox::check_invariants() const {
  HUBBUB_ASSERT(acked_ <= sent_ && sent_ <= tail_ && tail_ - acked_ <= ring_.size());
  std::size_t kept = 0;
  std::size_t unsent = 0;
  std::size_t reply_bytes = 0;
  std::uint64_t replies = 0;
  for (std::uint64_t i = acked_; i < tail_; ++i) {
    const Entry& entry = slot(i);
    (i < sent_ ? kept : unsent) += entry.frame->size();
    if (i < sent_ || entry.lane != Lane::reply) continue;
    reply_bytes += entry.frame->size();
    ++replies;
  }
  HUBBUB_ASSERT(kept == kept_bytes_ && unsent == unsent_bytes_);
  HUBBUB_ASSERT(reply_bytes == unsent_reply_bytes_ && replies == unsent_replies_);
}

}  // namespace hubbub
