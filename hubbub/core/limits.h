// Limits: every bound of the hub in one place. limit_table() describes each: its configuration key, unit,
// default, range, what happens when it is hit, and the metric that counts it; configuration, its
// documentation and tests read that table. A 0 turns a bound off where the table says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "hubbub/base/clock.h"

namespace hubbub {

struct Limits {
  // Messages
  std::size_t message_bytes = 64 * 1024;           // limits.message_bytes: one inbound message, after inflate
  std::size_t json_depth = 64;                     // limits.json_depth
  std::size_t batch_items = 50;                    // limits.batch_items
  std::size_t batch_response_bytes = 1024 * 1024;  // limits.batch_response_bytes
  std::size_t response_bytes = 16 * 1024 * 1024;   // limits.response_bytes: one reply
  std::size_t calls_in_flight = 16;                // limits.calls_in_flight: deferred calls of one session
  double rate_per_s = 100;  // limits.rate_per_s: messages (batch items) of one session; 0: off
  double rate_burst = 200;  // limits.rate_burst

  // Connections
  std::size_t connections = 0;        // limits.connections: of the node; 0: what RLIMIT_NOFILE leaves
  std::size_t ip_connections = 64;    // limits.ip_connections: of one address (IPv6: /64); 0: off
  double ip_connects_per_s = 10;      // limits.ip_connects_per_s; 0: off
  double ip_connects_burst = 30;      // limits.ip_connects_burst
  std::size_t ip_entries = 65536;     // limits.ip_entries: addresses remembered
  bool ip_exempt_loopback = true;     // limits.ip_exempt_loopback
  std::size_t head_bytes = 8 * 1024;  // limits.head_bytes: HTTP request head
  Millis head_deadline_ms = 5'000;    // limits.head_deadline
  Millis open_deadline_ms = 10'000;   // limits.open_deadline: session.open on hubbub.v1
  std::size_t open_attempts = 10;     // limits.open_attempts: refused openings of one connection
  Millis close_deadline_ms = 5'000;   // limits.close_deadline: close handshake and last bytes
  std::size_t accepts_per_turn = 64;  // limits.accepts_per_turn
  std::size_t read_bytes_per_turn = 256 * 1024;  // limits.read_bytes_per_turn: of one connection
  std::size_t write_bytes_per_turn =
      256 * 1024;  // limits.write_bytes_per_turn: of one connection; at least one frame

  // Liveness
  Millis ping_interval_ms = 25'000;  // heartbeat.ping; 0: no pings
  Millis pong_deadline_ms = 10'000;  // heartbeat.pong: after the ping

  // Sessions and topics
  Millis grace_ms = 120'000;              // session.grace
  std::size_t sessions = 1'000'000;       // limits.sessions: attached and detached, of the node
  std::size_t session_data_bytes = 4096;  // limits.session_data_bytes: `data` of session.open
  std::size_t topics_per_session = 128;   // limits.topics_per_session
  std::size_t topics = 1'000'000;         // limits.topics: of the node
  Millis topic_idle_ms = 120'000;  // limits.topic_idle: a topic without subscribers is forgotten after this
  std::size_t topic_name_bytes = 255;  // fixed by the protocol

  // Between shards: what one has waiting for another
  std::size_t shard_queue_messages = 65'536;         // limits.shard_queue_messages
  std::size_t shard_queue_bytes = 64 * 1024 * 1024;  // limits.shard_queue_bytes

  // Topics: what latecomers can catch up with, and who is there
  std::size_t history_messages = 256;      // history.messages: of one topic; 0: no history
  std::size_t history_bytes = 128 * 1024;  // history.bytes: of one topic, as frames; 0: no history
  Millis history_age_ms = 120'000;         // history.age; 0: no history
  Millis presence_interval_ms = 1000;      // presence.interval: between two topic.presence of one topic
  std::size_t presence_members = 1000;     // presence.members: codes in the answer to topic.presence
  std::size_t presence_list = 100;         // presence.list: codes joined, and codes left, in one notification

  // Outbox: messages a connection has not taken yet
  std::size_t outbox_soft_bytes = 256 * 1024;   // outbox.soft_bytes
  Millis outbox_soft_ms = 10'000;               // outbox.soft_time: over soft_bytes for this long: close 4008
  std::size_t outbox_hard_bytes = 1024 * 1024;  // outbox.hard_bytes: full; the next push closes 4008
  std::size_t outbox_messages = 65536;          // outbox.messages: full; the next push closes 4008
  Millis write_stall_ms = 10'000;               // outbox.write_stall: no byte taken for this long: close 4008
  Millis flush_delay_ms = 0;                    // outbox.flush_delay

  // Memory: see core/memory_budget.h
  std::size_t memory_budget = 0;  // memory.budget: of the node; 0: most of what the process may have

  // Replay: messages sent and not acknowledged
  std::size_t replay_messages = 1024;     // replay.messages
  std::size_t replay_bytes = 256 * 1024;  // replay.bytes
  Millis replay_age_ms = 120'000;         // replay.age
};

// One configurable bound: a row of limit_table(). All text is static.
struct LimitInfo {
  using Field = std::variant<std::size_t Limits::*, Millis Limits::*, double Limits::*, bool Limits::*>;

  std::string_view key;           // configuration key: "limits.message_bytes"
  Field field;                    // where the value lives
  std::string_view unit;          // "bytes", "ms", "count", "per_s" or "flag"
  std::string_view default_text;  // as configuration writes it: "64KiB", "10s"
  double min = 0;                 // in `unit`; every value is far below 2^53, so exact
  double max = 0;
  std::string_view zero_means;  // what 0 does; empty: 0 is a value like any other, in range or not
  std::string_view bounds;      // what is bounded
  std::string_view on_hit;      // what happens at the bound
  std::string_view metric;      // see limit_table(); empty: reaching it is everyday work and is not counted

  [[nodiscard]] bool zero_is_off() const { return zero_means == "off"; }
};

// Every configurable field of Limits. Each time a bound is hit, the counter
// hubbub_limit_hits_total{limit="METRIC"} goes up by one; METRIC is the row's `metric`: the last part of the
// key, shared by bounds that act together (rate_per_s for its burst too, "replay" for all of replay.*).
// core/stats.h has the counters.
[[nodiscard]] std::span<const LimitInfo> limit_table();

// The row of a configuration key, or nullptr.
[[nodiscard]] const LimitInfo* find_limit(std::string_view key);

// How two bounds relate. The defaults obey every rule (checked at compile time).
struct LimitRule {
  std::string_view key;    // the key to change first
  std::string_view other;  // the key it has to agree with
  std::string_view text;   // "must not be above outbox.hard_bytes"
  bool (*holds)(const Limits&);
};

[[nodiscard]] std::span<const LimitRule> limit_rules();

}  // namespace hubbub
