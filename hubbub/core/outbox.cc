#include "hubbub/core/outbox.h"

#include <utility>

#include "hubbub/base/assert.h"

namespace hubbub {
namespace {
constexpr std::size_t kRingFirst = 4;
constexpr std::size_t kRingKeep = 64;  // an emptied ring larger than this gives its memory back
}  // namespace

void Outbox::push(FrameRef frame) {
  if (tail_ - acked_ == ring_.size()) grow();
  unsent_bytes_ += frame->size();
  slot(tail_) = std::move(frame);
  ++tail_;
}

const Frame& Outbox::at(std::uint64_t index) const {
  HUBBUB_ASSERT(index >= acked_ && index < tail_);
  return *slot(index);
}

void Outbox::mark_sent() {
  HUBBUB_ASSERT(sent_ < tail_);
  const std::size_t size = slot(sent_)->size();
  unsent_bytes_ -= size;
  kept_bytes_ += size;
  ++sent_;
}

void Outbox::trim(std::uint64_t index) {
  HUBBUB_ASSERT(index <= sent_);
  while (acked_ < index) {
    FrameRef gone = std::move(slot(acked_));
    kept_bytes_ -= gone->size();
    ++acked_;
  }
  if (acked_ == tail_ && ring_.size() > kRingKeep) ring_ = {};
}

void Outbox::clear() {
  ring_ = {};
  acked_ = sent_ = tail_;
  unsent_bytes_ = kept_bytes_ = 0;
}

void Outbox::grow() {
  std::vector<FrameRef> bigger(ring_.empty() ? kRingFirst : ring_.size() * 2);
  for (std::uint64_t i = acked_; i < tail_; ++i) bigger[i & (bigger.size() - 1)] = std::move(slot(i));
  ring_ = std::move(bigger);
}

void Outbox::check_invariants() const {
  HUBBUB_ASSERT(acked_ <= sent_ && sent_ <= tail_ && tail_ - acked_ <= ring_.size());
  std::size_t kept = 0;
  std::size_t unsent = 0;
  for (std::uint64_t i = acked_; i < tail_; ++i) (i < sent_ ? kept : unsent) += slot(i)->size();
  HUBBUB_ASSERT(kept == kept_bytes_ && unsent == unsent_bytes_);
}

}  // namespace hubbub
