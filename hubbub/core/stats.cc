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
      "fds"};
  HUBBUB_ASSERT(hit < LimitHit::count_);
  return kLabels[static_cast<std::size_t>(hit)];
}

}  // namespace hubbub
