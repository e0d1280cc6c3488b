#include "hubbub/core/builtin_methods.h"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <map>
#include <utility>
#include <vector>

#include "hubbub/base/version.h"
#include "hubbub/core/answer_with.h"
#include "hubbub/core/call.h"
#include "hubbub/core/schema.h"
#include "hubbub/core/session_methods.h"
#include "hubbub/core/topic_methods.h"

namespace hubbub {

struct PingResult {
  std::string time;
};
BOOST_DESCRIBE_STRUCT(PingResult, (), (time))

struct BroadcastParams {
  RawJson data;
};
BOOST_DESCRIBE_STRUCT(BroadcastParams, (), (data))

struct BroadcastResult {
  std::uint64_t sessions;
};
BOOST_DESCRIBE_STRUCT(BroadcastResult, (), (sessions))

struct SessionCounts {
  std::uint64_t attached, detached, opened, resumed, expired, closed;
};
BOOST_DESCRIBE_STRUCT(SessionCounts, (), (attached, detached, opened, resumed, expired, closed))

struct StatsResult {
  SessionCounts sessions;
  std::uint64_t topics, subscriptions;
  std::uint64_t messages_in, messages_out, bytes_in, bytes_out;
  std::uint64_t calls, calls_in_flight, publishes, deliveries;
  bool draining;
};
BOOST_DESCRIBE_STRUCT(StatsResult, (),
                      (sessions, topics, subscriptions, messages_in, messages_out, bytes_in, bytes_out, calls,
                       calls_in_flight, publishes, deliveries, draining))

struct CancelParams {
  RawJson id;
};
BOOST_DESCRIBE_STRUCT(CancelParams, (), (id))

namespace {

// Of all shards.
StatsResult hub_stats(Call& call) {
  Stats stats;
  call.hub().env().node.sum_stats(stats);
  return {.sessions = {.attached = stats.attached,
                       .detached = stats.detached,
                       .opened = stats.sessions_opened,
                       .resumed = stats.sessions_resumed,
                       .expired = stats.sessions_expired,
                       .closed = stats.sessions_closed},
          .topics = stats.topics,
          .subscriptions = stats.subscriptions,
          .messages_in = stats.messages_in,
          .messages_out = stats.messages_out,
          .bytes_in = stats.bytes_in,
          .bytes_out = stats.bytes_out,
          .calls = stats.calls,
          .calls_in_flight = stats.calls_in_flight,
          .publishes = stats.publishes,
          .deliveries = stats.deliveries,
          .draining = call.hub().draining()};
}

void add_hub_methods(MethodTable& table) {
  table
      .add_builtin<BroadcastParams, BroadcastResult>(
          "hub.broadcast",
          [](Call& call, const BroadcastParams& params) -> Deferred {
            auto reply = call.defer_within<BroadcastResult>();
            call.hub().broker().broadcast(
                params.data.text, answer_with<BroadcastResult, std::size_t>(
                                      std::move(reply), [](std::size_t n) { return BroadcastResult{n}; }));
            return {};
          })
      .privileged()
      .summary("Sends data to every session as hub.message {data}.");
  table
      .add_builtin<NoParams, StatsResult>("hub.stats",
                                          [](Call& call, const NoParams&) { return hub_stats(call); })
      .privileged()
      .summary("Counts of this server.");
}

}  // namespace

void add_builtin_methods(MethodTable& table, Dispatcher* const& dispatcher) {
  table
      .add_builtin<RawJson, PingResult>(
          "ping",
          [](Call& call, const RawJson&) {
            return PingResult{wire::format_time(call.hub().env().clock.wall_ms())};
          })
      .summary("The server's time.");
  table.add_builtin<RawJson, RawJson>("echo", [](Call&, const RawJson& params) { return params; })
      .summary("Answers with its params, byte for byte; null without params.");
  add_session_methods(table);
  add_topic_methods(table);
  add_hub_methods(table);
  table
      .add_builtin<CancelParams, void>("$/cancelRequest",
                                       [&dispatcher](Call& call, const CancelParams& params) {
                                         dispatcher->cancel(call.session(), params.id.text);
                                       })
      .summary("Cancels this session's call with that id: it is answered -32800.");
  table
      .add_builtin<NoParams, JsonText>(
          "rpc.discover",
          [&table](Call&, const NoParams&) { return JsonText{openrpc_document(table, "hubbub", kVersion)}; })
      .summary("The OpenRPC document of all methods.");
}

}  // namespace hubbub
