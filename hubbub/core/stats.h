// Stats: a shard's counters, plain integers of one thread, summed when /metrics is asked. Gauges are read
// from their owners at that time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "hubbub/base/error.h"

namespace hubbub {

// Bounds whose hits are counted: hubbub_limit_hits_total{limit="…"}. The label is the last part of the
// configuration key.
enum class LimitHit : std::uint8_t {
  message_bytes,
  json_depth,
  batch_items,
  batch_response_bytes,
  response_bytes,
  calls_in_flight,
  rate_per_s,
  connections,
  ip_connections,
  ip_connects_per_s,
  ip_entries,
  head_bytes,
  head_deadline,
  open_deadline,
  open_attempts,
  close_deadline,
  pong,  // heartbeat: no pong in time
  sessions,
  session_data_bytes,
  topics_per_session,
  topics,
  soft_bytes,
  hard_bytes,
  outbox_messages,
  write_stall,
  replay,  // messages that left the ring unacknowledged
  fds,     // accept refused by EMFILE or ENFILE
  count_,
};
[[nodiscard]] std::string_view limit_label(LimitHit hit) noexcept;

struct Stats {
  std::uint64_t accepted = 0;       // TCP connections
  std::uint64_t handshakes = 0;     // WebSocket connections opened
  std::uint64_t http_requests = 0;  // plain requests answered
  std::uint64_t http_refused = 0;   // refusals, WebSocket or plain (status >= 400)
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;  // counted messages written whole
  std::uint64_t bytes_in = 0;      // from sockets
  std::uint64_t bytes_out = 0;     // to sockets
  std::uint64_t writes = 0;        // system calls
  std::uint64_t calls = 0;         // requests and notifications
  std::uint64_t publishes = 0;
  std::uint64_t deliveries = 0;  // messages pushed for publications, sends and broadcasts
  std::uint64_t sessions_opened = 0;
  std::uint64_t sessions_resumed = 0;
  std::uint64_t resumes_incomplete = 0;  // of these: with messages missing
  std::uint64_t resumes_refused = 0;
  std::uint64_t sessions_superseded = 0;  // resumed while another connection was there
  std::uint64_t tokens_reused = 0;        // sessions ended because a replaced token came again
  std::uint64_t replayed_ring = 0;        // messages to be written again after a resume
  std::uint64_t replayed_history = 0;     // of topics' histories, in place of what the ring had let go
  std::uint64_t sessions_expired = 0;
  std::uint64_t sessions_closed = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(LimitHit::count_)> limit_hits{};
  std::array<std::uint64_t, static_cast<std::size_t>(Errc::count_)> errors{};  // errors told to clients
  std::map<std::uint16_t, std::uint64_t> closes;  // by close code sent or received

  void hit(LimitHit limit) { ++limit_hits[static_cast<std::size_t>(limit)]; }
  void error(Errc code) { ++errors[static_cast<std::size_t>(code)]; }
};

}  // namespace hubbub
