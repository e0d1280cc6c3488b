#include "hubbub/core/builtin_methods.h"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <map>
#include <utility>
#include <vector>

#include "hubbub/base/version.h"
#include "hubbub/core/call.h"
#include "hubbub/core/schema.h"

namespace hubbub {

struct PingResult {
  std::string time;
};
BOOST_DESCRIBE_STRUCT(PingResult, (), (time))

struct InfoLimits {
  std::uint64_t message_bytes, batch_items, topics, calls_in_flight;
  double rate_per_s;
  std::int64_t ping_ms, ttl_ms;
};
BOOST_DESCRIBE_STRUCT(InfoLimits, (),
                      (message_bytes, batch_items, topics, calls_in_flight, rate_per_s, ping_ms, ttl_ms))

struct InfoResult {
  std::string code, epoch, state;
  std::uint64_t sent, received, unsent;
  std::uint64_t calls_in_flight;
  std::vector<std::string> topics;
  std::optional<JsonText> data;
  InfoLimits limits;
};
BOOST_DESCRIBE_STRUCT(InfoResult, (),
                      (code, epoch, state, sent, received, unsent, calls_in_flight, topics, data, limits))

struct SendParams {
  std::string_view to;
  RawJson data;
};
BOOST_DESCRIBE_STRUCT(SendParams, (), (to, data))

BOOST_DESCRIBE_ENUM(SendStatus, delivered, queued)

struct SendResult {
  SendStatus status;
};
BOOST_DESCRIBE_STRUCT(SendResult, (), (status))

struct TopicParams {
  std::string_view topic;
};
BOOST_DESCRIBE_STRUCT(TopicParams, (), (topic))

struct UnsubscribeResult {
  bool unsubscribed;
};
BOOST_DESCRIBE_STRUCT(UnsubscribeResult, (), (unsubscribed))

struct PublishParams {
  std::string_view topic;
  RawJson data;
};
BOOST_DESCRIBE_STRUCT(PublishParams, (), (topic, data))

BOOST_DESCRIBE_STRUCT(Position, (), (epoch, offset))

struct BroadcastParams {
  RawJson data;
};
BOOST_DESCRIBE_STRUCT(BroadcastParams, (), (data))

struct BroadcastResult {
  std::uint64_t sessions;
};
BOOST_DESCRIBE_STRUCT(BroadcastResult, (), (sessions))

struct SessionCounts {
  std::uint64_t attached, detached, opened, expired, closed;
};
BOOST_DESCRIBE_STRUCT(SessionCounts, (), (attached, detached, opened, expired, closed))

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

InfoResult session_info(Call& call, const NoParams&) {
  Session& session = call.session();
  const Limits& limits = call.hub().env().limits;
  InfoResult info{.code = session.code().text(),
                  .epoch = session.identity().epoch,
                  .state = "attached",
                  .sent = session.outbox().sent(),
                  .received = session.received(),
                  .unsent = session.outbox().unsent(),
                  .calls_in_flight = session.calls.size(),
                  .topics = {},
                  .data = std::nullopt,
                  .limits = {.message_bytes = limits.message_bytes,
                             .batch_items = limits.batch_items,
                             .topics = limits.topics_per_session,
                             .calls_in_flight = limits.calls_in_flight,
                             .rate_per_s = limits.rate_per_s,
                             .ping_ms = limits.ping_interval_ms,
                             .ttl_ms = limits.grace_ms}};
  for (const auto& subscription : session.subscriptions()) info.topics.push_back(subscription.topic->name());
  if (!session.identity().data.empty()) info.data = JsonText{session.identity().data};
  return info;
}

StatsResult hub_stats(Call& call, const Dispatcher& dispatcher) {
  const HubCounts counts = call.hub().counts();
  const Stats& stats = call.hub().env().stats;
  return {.sessions = {.attached = counts.attached,
                       .detached = counts.detached,
                       .opened = stats.sessions_opened,
                       .expired = stats.sessions_expired,
                       .closed = stats.sessions_closed},
          .topics = counts.topics,
          .subscriptions = counts.subscriptions,
          .messages_in = stats.messages_in,
          .messages_out = stats.messages_out,
          .bytes_in = stats.bytes_in,
          .bytes_out = stats.bytes_out,
          .calls = stats.calls,
          .calls_in_flight = dispatcher.calls_in_flight(),
          .publishes = stats.publishes,
          .deliveries = stats.deliveries,
          .draining = call.hub().draining()};
}

// Answers through `reply` what the broker says, now or later.
template <class R, class T, class F>
auto answer_with(Reply<R> reply, F convert) {
  return [reply = std::move(reply), convert](Result<T> result) mutable {
    if (result)
      reply.send(convert(std::move(*result)));
    else
      reply.fail(std::move(result.error()));
  };
}

void add_session_methods(MethodTable& table) {
  table.add_builtin<NoParams, InfoResult>("session.info", session_info)
      .summary("This session: code, state, counts, topics, limits.");
  table
      .add_builtin<NoParams, void>(
          "session.close", [](Call& call, const NoParams&) { call.hub().end_after_turn(call.session()); })
      .summary("Ends this session now; the connection is closed with 1000.");
  table
      .add_builtin<SendParams, SendResult>(
          "session.send",
          [](Call& call, const SendParams& params) -> Deferred {
            auto reply = call.defer<SendResult>();
            call.hub().broker().send(params.to, call.session().code().text(), params.data.text,
                                     answer_with<SendResult, SendStatus>(
                                         std::move(reply), [](SendStatus s) { return SendResult{s}; }));
            return {};
          })
      .summary("Sends data to the session with that code, which gets session.message {from, data}.");
  table
      .add_builtin<RawJson, void>("session.open",
                                  [](Call&, const RawJson&) -> Result<void> {
                                    return fail(Errc::invalid_request,
                                                "this connection has its session already");
                                  })
      .summary("Opens a session: the first message on subprotocol hubbub.v1.");
  table
      .add_builtin<RawJson, void>(
          "session.resume", [](Call&, const RawJson&) -> Result<void> { return fail(Errc::session_unknown); })
      .summary("Resumes a session: the first message.");
}

void add_topic_methods(MethodTable& table) {
  table
      .add_builtin<TopicParams, Position>("topic.subscribe",
                                          [](Call& call, const TopicParams& params) {
                                            return call.hub().subscribe(call.session(), params.topic);
                                          })
      .summary("Subscribes this session to a topic.");
  table
      .add_builtin<TopicParams, UnsubscribeResult>(
          "topic.unsubscribe",
          [](Call& call, const TopicParams& params) {
            return UnsubscribeResult{call.hub().unsubscribe(call.session(), params.topic)};
          })
      .summary("Ends the subscription; unsubscribed tells whether there was one.");
  table
      .add_builtin<PublishParams, Position>(
          "topic.publish",
          [](Call& call, const PublishParams& params) -> Deferred {
            auto reply = call.defer<Position>();
            call.hub().broker().publish(params.topic, params.data.text,
                                        answer_with<Position, Position>(
                                            std::move(reply), [](Position position) { return position; }));
            return {};
          })
      .summary("Publishes data to a topic's subscribers, who get topic.message {topic, offset, data}.");
}

void add_hub_methods(MethodTable& table, Dispatcher* const& dispatcher) {
  table
      .add_builtin<BroadcastParams, BroadcastResult>(
          "hub.broadcast",
          [](Call& call, const BroadcastParams& params) -> Deferred {
            auto reply = call.defer<BroadcastResult>();
            call.hub().broker().broadcast(
                params.data.text, answer_with<BroadcastResult, std::size_t>(
                                      std::move(reply), [](std::size_t n) { return BroadcastResult{n}; }));
            return {};
          })
      .privileged()
      .summary("Sends data to every session as hub.message {data}.");
  table
      .add_builtin<NoParams, StatsResult>(
          "hub.stats", [&dispatcher](Call& call, const NoParams&) { return hub_stats(call, *dispatcher); })
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
  add_hub_methods(table, dispatcher);
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
