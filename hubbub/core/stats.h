// Stats: a shard's counters and gauges. Its thread alone changes them; any thread reads them, so that
// /metrics and hub.stats sum all shards without asking them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hubbub/base/count.h"
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
  shard_queue_messages,
  shard_queue_bytes,
  memory_budget,  // sessions and connections refused
  fds,            // accept refused by EMFILE or ENFILE
  count_,
};
[[nodiscard]] std::string_view limit_label(LimitHit hit) noexcept;

// WebSocket connections closed, by close code. As many codes as fit; what comes beyond is counted under 0.
class CloseCounts {
 public:
  static constexpr std::size_t kCodesMax = 64;
  void count(std::uint16_t code, std::uint64_t times = 1);
  [[nodiscard]] std::uint64_t of(std::uint16_t code) const;
  // How many codes were seen, and the nth of them with its count.
  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_acquire); }
  struct Entry {
    std::uint16_t code = 0;
    Count count;
  };
  [[nodiscard]] const Entry* begin() const { return entries_.data(); }
  [[nodiscard]] const Entry* end() const { return entries_.data() + size(); }

  CloseCounts() = default;
  CloseCounts(const CloseCounts& other) : entries_(other.entries_), size_(other.size()) {}
  CloseCounts& operator=(const CloseCounts&) = delete;

 private:
  std::array<Entry, kCodesMax> entries_{};
  std::atomic<std::size_t> size_{0};  // an entry's code is written before it is counted in here
};

struct Stats {
  Count accepted;       // TCP connections
  Count handshakes;     // WebSocket connections opened
  Count http_requests;  // plain requests answered
  Count http_refused;   // refusals, WebSocket or plain (status >= 400)
  Count messages_in;
  Count messages_out;  // counted messages written whole
  Count bytes_in;      // from sockets
  Count bytes_out;     // to sockets
  Count writes;        // system calls
  Count calls;         // requests and notifications
  Count publishes;
  Count deliveries;  // messages pushed for publications, sends and broadcasts
  Count sessions_opened;
  Count sessions_resumed;
  Count resumes_incomplete;  // of these: with messages missing
  Count resumes_refused;
  Count sessions_superseded;  // resumed while another connection was there
  Count tokens_reused;        // sessions ended because a replaced token came again
  Count replayed_ring;        // messages to be written again after a resume
  Count replayed_history;     // of topics' histories, in place of what the ring had let go
  Count shed_messages;        // let go of to keep the memory budget: in rings
  Count shed_histories;       // likewise: publications in topics' histories
  Count shed_queues;          // likewise: connections closed, for what they have not taken
  Count shed_inputs;          // likewise: for what they have not finished to send
  Count sessions_expired;
  Count sessions_closed;
  std::array<Count, static_cast<std::size_t>(LimitHit::count_)> limit_hits;
  std::array<Count, static_cast<std::size_t>(Errc::count_)> errors;  // told to clients
  CloseCounts closes;                                                // by close code sent or received

  // Gauges
  Count connections;    // TCP connections open now
  Count attached;       // sessions
  Count detached;       // sessions
  Count topics;         // whose home is this shard
  Count subscriptions;  // of this shard's sessions
  Count calls_in_flight;
  Count draining;  // 1 while the shard drains

  void hit(LimitHit limit) { ++limit_hits[static_cast<std::size_t>(limit)]; }
  void error(Errc code) { ++errors[static_cast<std::size_t>(code)]; }
  // Adds what another shard counts.
  void add(const Stats& other);
};

}  // namespace hubbub
