// The opening exchange (docs/protocol.md, "Session" and "Resume"): the params of session.open, session.resume
// and session.ack, and the result of the first two. One description serves reading, writing and rpc.discover.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hubbub/core/env.h"
#include "hubbub/core/json_types.h"
#include "hubbub/core/outbox.h"

namespace hubbub {

class Session;

struct ClientInfo {
  std::optional<std::string> name;
  std::optional<std::string> version;
};
BOOST_DESCRIBE_STRUCT(ClientInfo, (), (name, version))

struct OpenParams {
  std::optional<RawJson> auth;
  std::optional<RawJson> data;
  std::optional<ClientInfo> client;
};
BOOST_DESCRIBE_STRUCT(OpenParams, (), (auth, data, client))

// The views die with the request.
struct ResumeParams {
  std::string_view code;
  std::string_view token;
  std::string_view epoch;
  std::uint64_t received;
};
BOOST_DESCRIBE_STRUCT(ResumeParams, (), (code, token, epoch, received))

struct AckParams {
  std::uint64_t received;
};
BOOST_DESCRIBE_STRUCT(AckParams, (), (received))

struct SessionFacts {
  std::string code, epoch, token;
  std::int64_t ttl_ms;
};
BOOST_DESCRIBE_STRUCT(SessionFacts, (), (code, epoch, token, ttl_ms))

struct MissingMessages {
  std::uint64_t from, to;
  bool replies;
};
BOOST_DESCRIBE_STRUCT(MissingMessages, (), (from, to, replies))

struct ReplayedCounts {
  std::uint64_t ring, history;
};
BOOST_DESCRIBE_STRUCT(ReplayedCounts, (), (ring, history))

struct ReplayLimits {
  std::uint64_t messages, bytes;
  std::int64_t ms;
};
BOOST_DESCRIBE_STRUCT(ReplayLimits, (), (messages, bytes, ms))

struct AnnouncedLimits {
  std::uint64_t message_bytes, batch_items, topics;
  double rate_per_s, rate_burst;
  std::int64_t ping_ms;
  ReplayLimits replay;
};
BOOST_DESCRIBE_STRUCT(AnnouncedLimits, (),
                      (message_bytes, batch_items, topics, rate_per_s, rate_burst, ping_ms, replay))

struct ServerFacts {
  std::string name, version, time;
};
BOOST_DESCRIBE_STRUCT(ServerFacts, (), (name, version, time))

struct Opening {
  SessionFacts session;
  bool resumed;
  std::optional<bool> recovered;
  std::uint64_t sent, received;
  std::optional<MissingMessages> missing;
  std::optional<ReplayedCounts> replayed;
  AnnouncedLimits limits;
  ServerFacts server;
};
BOOST_DESCRIBE_STRUCT(Opening, (),
                      (session, resumed, recovered, sent, received, missing, replayed, limits, server))

// The result of session.open and the params of session.opened, as JSON. `token` is shown here once and kept
// nowhere.
[[nodiscard]] std::string opened_json(const Session& session, std::string_view token, const Env& env);
// The result of session.resume, of a client that has `received` messages.
[[nodiscard]] std::string resumed_json(const Session& session, std::string_view token, std::uint64_t received,
                                       const Outbox::Replay& replay, const Env& env);

}  // namespace hubbub
