#include "hubbub/core/topic_history.h"

#include <algorithm>
#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/core/limits.h"

namespace hubbub {
namespace {
constexpr std::size_t kRingFirst = 4;
constexpr std::string_view kBehindData = "}}";  // what closes params and message
}  // namespace

bool TopicHistory::wanted(const Limits& limits) {
  return limits.history_messages > 0 && limits.history_bytes > 0 && limits.history_age_ms > 0;
}

void TopicHistory::append(FrameRef frame, std::size_t data_size, Millis now, const Limits& limits) {
  const std::uint64_t offset = frame->origin().offset;
  HUBBUB_ASSERT(wanted(limits) && (empty() || offset == last_ + 1));
  HUBBUB_ASSERT(data_size + kBehindData.size() <= frame->payload().size());
  expire(now, limits.history_age_ms);
  const std::size_t more = frame->size();
  while (!empty() && (size_ >= limits.history_messages || bytes_ + more > limits.history_bytes))
    drop_oldest();
  last_ = offset;
  if (more > limits.history_bytes) {
    use({});  // all before it is gone as well: no hole
    return;
  }
  if (size_ == ring_.size()) grow();
  slot(offset) = {std::move(frame), data_size, now};
  ++size_;
  bytes_ += more;
}

void TopicHistory::expire(Millis now, Millis age_max) {
  while (!empty() && now - oldest() >= age_max) drop_oldest();
  if (empty()) use({});
}

void TopicHistory::drop_oldest() {
  const FrameRef gone = std::exchange(slot(first()).frame, {});
  bytes_ -= gone->size();
  --size_;
}

// Called when the ring is full, before last_'s entry has its place.
void TopicHistory::grow() {
  std::vector<Kept> bigger(ring_.empty() ? kRingFirst : ring_.size() * 2);
  for (std::uint64_t offset = last_ - size_; offset < last_; ++offset)
    bigger[offset & (bigger.size() - 1)] = std::move(slot(offset));
  use(std::move(bigger));
}

void TopicHistory::use(std::vector<Kept> ring) {
  ring_ = std::move(ring);
  held_.set(ring_.capacity() * sizeof(Kept));
}

std::vector<TopicHistory::Kept> TopicHistory::from(std::uint64_t offset) const {
  std::vector<Kept> kept;
  if (empty()) return kept;
  for (std::uint64_t at = std::max(offset, first()); at <= last_; ++at) kept.push_back(slot(at));
  return kept;
}

const FrameRef* TopicHistory::frame(std::uint64_t offset) const {
  if (empty() || offset < first() || offset > last_) return nullptr;
  return &slot(offset).frame;
}

std::string_view TopicHistory::data(std::uint64_t offset) const {
  HUBBUB_ASSERT(!empty() && offset >= first() && offset <= last_);
  const Kept& entry = slot(offset);
  const std::string_view payload = entry.frame->payload();
  return payload.substr(payload.size() - kBehindData.size() - entry.data_size, entry.data_size);
}

void TopicHistory::check_invariants() const {
  HUBBUB_ASSERT(empty() == ring_.empty() && size_ <= ring_.size() && size_ <= last_);
  std::size_t bytes = 0;
  for (std::uint64_t i = 0; i < size_; ++i) {
    const Kept& entry = slot(first() + i);
    HUBBUB_ASSERT(entry.frame->origin().offset == first() + i);
    HUBBUB_ASSERT(i == 0 || slot(first() + i - 1).at <= entry.at);
    bytes += entry.frame->size();
  }
  HUBBUB_ASSERT(bytes == bytes_);
}

}  // namespace hubbub
