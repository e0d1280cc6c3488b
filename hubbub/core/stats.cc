#include "hubbub/core/stats.h"

#include "hubbub/base/assert.h"

namespace hubbub {

std::string_view limit_label(LimitHit hit) noexcept {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(LimitHit::count_)> kLabels{
      "message_bytes",
      "json_depth",
      "batch_items",
      "batch_response_bytes",
      "response_bytes",
      "calls_in_flight",
      "rate_per_s",
      "connections",
      "ip_connections",
      "ip_connects_per_s",
      "ip_entries",
      "head_bytes",
      "head_deadline",
      "open_deadline",
      "open_attempts",
      "close_deadline",
      "pong",
      "sessions",
      "session_data_bytes",
      "topics_per_session",
      "topics",
      "soft_bytes",
      "hard_bytes",
      "messages",
      "write_stall",
      "replay",
      "shard_queue_messages",
      "shard_queue_bytes",
      "budget",
      "fds"};
  HUBBUB_ASSERT(hit < LimitHit::count_);
  return kLabels[static_cast<std::size_t>(hit)];
}

void CloseCounts::count(std::uint16_t code, std::uint64_t times) {
  const std::size_t size = size_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < size; ++i) {
    if (entries_[i].code != code) continue;
    entries_[i].count += times;
    return;
  }
  if (size + 1 >= kCodesMax && code != 0) return count(0, times);  // the last place is for these
  entries_[size].code = code;
  entries_[size].count = times;
  size_.store(size + 1, std::memory_order_release);
}

std::uint64_t CloseCounts::of(std::uint16_t code) const {
  for (const Entry& entry : *this)
    if (entry.code == code) return entry.count;
  return 0;
}

void Stats::add(const Stats& other) {
  static constexpr Count Stats::* kCounts[] = {&Stats::accepted,
                                               &Stats::handshakes,
                                               &Stats::http_requests,
                                               &Stats::http_refused,
                                               &Stats::messages_in,
                                               &Stats::messages_out,
                                               &Stats::bytes_in,
                                               &Stats::bytes_out,
                                               &Stats::writes,
                                               &Stats::calls,
                                               &Stats::publishes,
                                               &Stats::deliveries,
                                               &Stats::sessions_opened,
                                               &Stats::sessions_resumed,
                                               &Stats::resumes_incomplete,
                                               &Stats::resumes_refused,
                                               &Stats::sessions_superseded,
                                               &Stats::tokens_reused,
                                               &Stats::replayed_ring,
                                               &Stats::shed_messages,
                                               &Stats::shed_histories,
                                               &Stats::shed_queues,
                                               &Stats::shed_inputs,
                                               &Stats::replayed_history,
                                               &Stats::sessions_expired,
                                               &Stats::sessions_closed,
                                               &Stats::connections,
                                               &Stats::attached,
                                               &Stats::detached,
                                               &Stats::topics,
                                               &Stats::subscriptions,
                                               &Stats::calls_in_flight,
                                               &Stats::draining};
  for (const auto member : kCounts) this->*member += other.*member;
  for (std::size_t i = 0; i < limit_hits.size(); ++i) limit_hits[i] += other.limit_hits[i];
  for (std::size_t i = 0; i < errors.size(); ++i) errors[i] += other.errors[i];
  for (const auto& entry : other.closes) closes.count(entry.code, entry.count);
}

}  // namespace hubbub
