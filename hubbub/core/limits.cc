// The table behind core/limits.h. Defaults stand in the struct; the texts here are what people read, and a
// test holds the two together.
#include "hubbub/core/limits.h"

#include <algorithm>
#include <array>

namespace hubbub {
namespace {

constexpr double kKiB = 1024;
constexpr double kMiB = 1024 * kKiB;
constexpr double kGiB = 1024 * kMiB;
constexpr double kSecond = 1000;
constexpr double kHour = 3600 * kSecond;
constexpr double kDay = 24 * kHour;
constexpr double kMillion = 1e6;

// A message is kept as one Frame, whose size is 32 bits, so 1 GiB leaves room for every header and for
// growth.
constexpr auto kTable = std::to_array<LimitInfo>({
    {"limits.message_bytes", &Limits::message_bytes, "bytes", "64KiB", 128, kGiB, "",
     "one message from a client, after inflating", "connection closed with 1009", "message_bytes"},
    {"limits.json_depth", &Limits::json_depth, "count", "64", 4, 1024, "",
     "nesting of arrays and objects in a message", "error -32700", "json_depth"},
    {"limits.batch_items", &Limits::batch_items, "count", "50", 1, 10'000, "", "calls in one JSON-RPC batch",
     "error -32010 for the whole batch", "batch_items"},
    {"limits.batch_response_bytes", &Limits::batch_response_bytes, "bytes", "1MiB", kKiB, kGiB, "",
     "all replies to one batch", "error -32008 for the calls after that, which do not run",
     "batch_response_bytes"},
    {"limits.response_bytes", &Limits::response_bytes, "bytes", "16MiB", kKiB, kGiB, "",
     "the reply to one call", "error -32008 instead of the reply", "response_bytes"},
    {"limits.calls_in_flight", &Limits::calls_in_flight, "count", "16", 1, 100'000, "",
     "calls of one session that wait for their reply", "error -32009", "calls_in_flight"},
    {"limits.rate_per_s", &Limits::rate_per_s, "per_s", "100", 0.001, kMillion, "off",
     "messages of one session, each item of a batch counted", "error -32025 with retry_after_ms",
     "rate_per_s"},
    {"limits.rate_burst", &Limits::rate_burst, "count", "200", 0, kMillion, "",
     "messages of one session that may come at once", "error -32025 with retry_after_ms", "rate_per_s"},

    {"limits.connections", &Limits::connections, "count", "0", 1, 100 * kMillion, "what RLIMIT_NOFILE leaves",
     "connections of the whole node", "HTTP 503 with Retry-After", "connections"},
    {"limits.ip_connections", &Limits::ip_connections, "count", "64", 1, kMillion, "off",
     "connections from one address (IPv6: one /64)", "HTTP 429 with Retry-After", "ip_connections"},
    {"limits.ip_connects_per_s", &Limits::ip_connects_per_s, "per_s", "10", 0.001, kMillion, "off",
     "new connections from one address (IPv6: one /64)", "HTTP 429 with Retry-After", "ip_connects_per_s"},
    {"limits.ip_connects_burst", &Limits::ip_connects_burst, "count", "30", 0, kMillion, "",
     "new connections from one address that may come at once", "HTTP 429 with Retry-After",
     "ip_connects_per_s"},
    {"limits.ip_entries", &Limits::ip_entries, "count", "65536", 16, 100 * kMillion, "",
     "addresses remembered for the two limits above", "an address without connections is forgotten",
     "ip_entries"},
    {"limits.ip_exempt_loopback", &Limits::ip_exempt_loopback, "flag", "true", 0, 1, "",
     "whether connections from this machine are free of the per-address limits", "nothing", ""},
    {"limits.head_bytes", &Limits::head_bytes, "bytes", "8KiB", 256, kMiB, "", "the head of an HTTP request",
     "HTTP 431", "head_bytes"},
    {"limits.head_deadline", &Limits::head_deadline_ms, "ms", "5s", 1, kHour, "",
     "time for the head of an HTTP request to arrive", "HTTP 408", "head_deadline"},
    {"limits.open_deadline", &Limits::open_deadline_ms, "ms", "10s", 1, kHour, "",
     "time for session.open or session.resume on hubbub.v1", "connection closed with 4501", "open_deadline"},
    {"limits.open_attempts", &Limits::open_attempts, "count", "10", 1, kMillion, "",
     "refused session.open and session.resume of one connection on hubbub.v1", "connection closed with 4013",
     "open_attempts"},
    {"limits.close_deadline", &Limits::close_deadline_ms, "ms", "5s", 1, kHour, "",
     "time for the close handshake and the last bytes", "connection cut", "close_deadline"},
    {"limits.accepts_per_turn", &Limits::accepts_per_turn, "count", "64", 1, 100'000, "",
     "new connections taken in one turn of the loop", "the rest waits for the next turn", ""},
    {"limits.read_bytes_per_turn", &Limits::read_bytes_per_turn, "bytes", "256KiB", kKiB, kGiB, "",
     "bytes read from one connection in one turn", "the rest waits for the next turn", ""},
    {"limits.write_bytes_per_turn", &Limits::write_bytes_per_turn, "bytes", "256KiB", kKiB, kGiB, "",
     "bytes written to one connection in one turn; one message always goes",
     "the rest waits for the next turn", ""},

    {"heartbeat.ping", &Limits::ping_interval_ms, "ms", "25s", 10, kDay, "off",
     "time between pings to a client; up to a tenth less, at random", "a ping is sent", ""},
    {"heartbeat.pong", &Limits::pong_deadline_ms, "ms", "10s", 10, kDay, "",
     "time after a ping for the pong to arrive (heartbeat.ping=54s with heartbeat.pong=6s is a 60 s pong "
     "wait)",
     "connection closed with 4012", "pong"},

    {"session.grace", &Limits::grace_ms, "ms", "2m", 1, 7 * kDay, "a session ends with its connection",
     "time a session outlives its connection", "session expires", ""},
    {"limits.sessions", &Limits::sessions, "count", "1000000", 1, 100 * kMillion, "",
     "sessions of the node, attached and detached",
     "HTTP 503 with Retry-After; after the upgrade error -32009, close 1013", "sessions"},
    {"limits.session_data_bytes", &Limits::session_data_bytes, "bytes", "4KiB", 0, kMiB, "",
     "`data` given with session.open", "error -32007", "session_data_bytes"},
    {"limits.topics_per_session", &Limits::topics_per_session, "count", "128", 1, kMillion, "",
     "topics one session subscribes to", "error -32006", "topics_per_session"},
    {"limits.topics", &Limits::topics, "count", "1000000", 1, 100 * kMillion, "", "topics of the node",
     "error -32030", "topics"},
    {"limits.shard_queue_messages", &Limits::shard_queue_messages, "count", "65536", 1, 100 * kMillion, "",
     "messages one shard has waiting for another",
     "requests that need that shard: error -32009; publications: its subscribers get them in one piece later",
     "shard_queue_messages"},
    {"limits.shard_queue_bytes", &Limits::shard_queue_bytes, "bytes", "64MiB", 1024, 64 * kGiB, "",
     "the same, in bytes", "as limits.shard_queue_messages", "shard_queue_bytes"},
    {"limits.topic_idle", &Limits::topic_idle_ms, "ms", "2m", 1, 7 * kDay, "",
     "time a topic without subscribers is remembered", "topic is forgotten; its next epoch is a new one", ""},

    {"history.messages", &Limits::history_messages, "count", "256", 1, kMillion, "nothing is kept",
     "publications kept of one topic", "the oldest is let go", ""},
    {"history.bytes", &Limits::history_bytes, "bytes", "128KiB", 1, 4 * kGiB, "nothing is kept",
     "publications kept of one topic, with what goes around them on the wire", "the oldest is let go", ""},
    {"history.age", &Limits::history_age_ms, "ms", "2m", 1, 7 * kDay, "nothing is kept",
     "age of publications kept; those of a topic without subscribers go with it after limits.topic_idle",
     "the oldest is let go", ""},
    {"presence.interval", &Limits::presence_interval_ms, "ms", "1s", 1, kHour, "",
     "time in which those who join and leave a topic are gathered for one topic.presence",
     "who asked for presence is told", ""},
    {"presence.members", &Limits::presence_members, "count", "1000", 0, kMillion, "",
     "codes in the answer to topic.presence", "the rest is counted, not listed", ""},
    {"presence.list", &Limits::presence_list, "count", "100", 0, 100'000, "",
     "codes joined, and codes left, in one notification topic.presence",
     "the rest is counted, not listed; `more` says so", ""},

    {"outbox.soft_bytes", &Limits::outbox_soft_bytes, "bytes", "256KiB", kKiB, 4 * kGiB, "",
     "what one connection has not taken yet, for longer than outbox.soft_time", "connection closed with 4008",
     "soft_bytes"},
    {"outbox.soft_time", &Limits::outbox_soft_ms, "ms", "10s", 1, kHour, "", "time above outbox.soft_bytes",
     "connection closed with 4008", "soft_bytes"},
    {"outbox.hard_bytes", &Limits::outbox_hard_bytes, "bytes", "1MiB", kKiB, 4 * kGiB, "",
     "what one connection has not taken yet", "connection closed with 4008", "hard_bytes"},
    {"outbox.messages", &Limits::outbox_messages, "count", "65536", 16, 100 * kMillion, "",
     "messages one connection has not taken yet", "connection closed with 4008", "messages"},
    {"outbox.write_stall", &Limits::write_stall_ms, "ms", "10s", 1, kHour, "",
     "time without one byte taken while there is something to send", "connection closed with 4008",
     "write_stall"},
    {"outbox.flush_delay", &Limits::flush_delay_ms, "ms", "0", 1, 1000, "off",
     "time a message may wait for others to share its write: fewer writes, more latency",
     "the batch is written", ""},

    {"memory.budget", &Limits::memory_budget, "bytes", "0", 8 * kMiB, 1024 * kGiB,
     "two thirds of what the machine, the control group or RLIMIT_AS leaves the process",
     "what the node holds: sessions, connections, topics and all messages that wait or are kept",
     "from 80 % on, until it is enough: kept messages of sessions without a connection go, then histories of "
     "topics; new sessions are refused (HTTP 503, close 1013); the largest queues are given up (close 1013)",
     "budget"},

    {"replay.messages", &Limits::replay_messages, "count", "1024", 1, 100 * kMillion, "nothing is kept",
     "messages kept of one session that are not acknowledged or wait for its resume",
     "the oldest is let go and announced as missing", "replay"},
    {"replay.bytes", &Limits::replay_bytes, "bytes", "256KiB", 1, 4 * kGiB, "nothing is kept",
     "bytes kept of one session that are not acknowledged or wait for its resume",
     "the oldest is let go and announced as missing", "replay"},
    {"replay.age", &Limits::replay_age_ms, "ms", "2m", 1, 7 * kDay, "nothing is kept",
     "age of messages that are not acknowledged or wait for its resume",
     "they are let go and announced as missing", "replay"},
});

constexpr auto kRules = std::to_array<LimitRule>({
    {"outbox.soft_bytes", "outbox.hard_bytes", "must not be above outbox.hard_bytes",
     [](const Limits& l) { return l.outbox_soft_bytes <= l.outbox_hard_bytes; }},
    {"limits.rate_burst", "limits.rate_per_s",
     "must be at least 1 while limits.rate_per_s is on (0 turns it off)",
     [](const Limits& l) { return l.rate_per_s == 0 || l.rate_burst >= 1; }},
    {"limits.ip_connects_burst", "limits.ip_connects_per_s",
     "must be at least 1 while limits.ip_connects_per_s is on (0 turns it off)",
     [](const Limits& l) { return l.ip_connects_per_s == 0 || l.ip_connects_burst >= 1; }},
    {"limits.sessions", "limits.connections",
     "must not be below limits.connections: each connection has a session",
     [](const Limits& l) { return l.sessions >= l.connections; }},
    {"limits.topics", "limits.topics_per_session", "must not be below limits.topics_per_session",
     [](const Limits& l) { return l.topics >= l.topics_per_session; }},
});

static_assert(std::ranges::all_of(kRules, [](const LimitRule& rule) { return rule.holds(Limits{}); }),
              "the defaults must obey the rules that configuration has to obey");

}  // namespace

std::span<const LimitInfo> limit_table() { return kTable; }

const LimitInfo* find_limit(std::string_view key) {
  const auto* row = std::ranges::find(kTable, key, &LimitInfo::key);
  return row == kTable.end() ? nullptr : row;
}

std::span<const LimitRule> limit_rules() { return kRules; }

}  // namespace hubbub
