#include "hubbub/core/topic_methods.h"

#include <algorithm>
#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hubbub/core/answer_with.h"
#include "hubbub/core/call.h"
#include "hubbub/core/hub.h"

namespace hubbub {

BOOST_DESCRIBE_STRUCT(Position, (), (epoch, offset))

struct SubscribeParams {
  std::string_view topic;
  std::optional<Position> since;
  std::optional<std::uint64_t> last;
  bool presence = false;
  static constexpr auto rules() {
    return hubbub::rules(in_range(&SubscribeParams::last, 0, 1'000'000),
                         has_default(&SubscribeParams::presence));
  }
};
BOOST_DESCRIBE_STRUCT(SubscribeParams, (), (topic, since, last, presence))

struct SubscribeResult {
  std::string epoch;
  std::uint64_t offset;
  std::optional<bool> recovered;
};
BOOST_DESCRIBE_STRUCT(SubscribeResult, (), (epoch, offset, recovered))

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

struct HistoryParams {
  std::string_view topic;
  std::optional<Position> since;
  std::uint32_t limit = 100;
  static constexpr auto rules() {
    return hubbub::rules(in_range(&HistoryParams::limit, 1, 1000), has_default(&HistoryParams::limit));
  }
};
BOOST_DESCRIBE_STRUCT(HistoryParams, (), (topic, since, limit))

struct HistoryMessage {
  std::uint64_t offset;
  RawJson data;  // out of the history's frame, which outlives the handler
};
BOOST_DESCRIBE_STRUCT(HistoryMessage, (), (offset, data))

struct HistoryResult {
  std::string epoch;
  std::uint64_t offset = 0;
  std::vector<HistoryMessage> messages;
};
BOOST_DESCRIBE_STRUCT(HistoryResult, (), (epoch, offset, messages))

struct PresenceResult {
  std::uint64_t count = 0;
  std::vector<std::string> members;
};
BOOST_DESCRIBE_STRUCT(PresenceResult, (), (count, members))

namespace {

Result<Deferred> subscribe(Call& call, const SubscribeParams& params) {
  if (params.since && params.last) {
    Error error = make_error(Errc::invalid_params, "last: not together with since");
    error.field = "last";
    error.constraint = "absent where since is given";
    error.got = "number";
    return std::unexpected(std::move(error));
  }
  if (params.since || params.last)
    call.after_reply([topic = std::string(params.topic)](Hub& hub, Session& session) {
      hub.topics().release(session, topic);
    });
  auto reply = call.defer_within<SubscribeResult>();
  call.hub().topics().subscribe(
      call.session(), params.topic, {.since = params.since, .last = params.last, .presence = params.presence},
      answer_with<SubscribeResult, Subscribed>(std::move(reply), [](Subscribed subscribed) {
        return SubscribeResult{std::move(subscribed.position.epoch), subscribed.position.offset,
                               subscribed.recovered};
      }));
  return Deferred{};
}

Deferred publish(Call& call, const PublishParams& params) {
  auto reply = call.defer_within<Position>();
  call.hub().broker().publish(
      params.topic, params.data.text,
      answer_with<Position, Position>(std::move(reply), [](Position position) { return position; }));
  return {};
}

Deferred history(Call& call, const HistoryParams& params) {
  auto reply = call.defer_within<HistoryResult>();
  call.hub().broker().history(params.topic, params.since, params.limit,
                              [reply = std::move(reply)](Result<HistorySlice> slice) mutable {
                                if (!slice) return reply.fail(std::move(slice.error()));
                                HistoryResult result{
                                    std::move(slice->position.epoch), slice->position.offset, {}};
                                for (const auto& [frame, data] : slice->messages)
                                  result.messages.push_back({frame->origin().offset, RawJson{data}});
                                reply.send(result);
                              });
  return {};
}

Deferred presence(Call& call, const TopicParams& params) {
  auto reply = call.defer_within<PresenceResult>();
  call.hub().broker().members(params.topic, call.hub().env().limits.presence_members,
                              answer_with<PresenceResult, Members>(std::move(reply), [](Members members) {
                                return PresenceResult{members.count, std::move(members.codes)};
                              }));
  return {};
}

}  // namespace

void add_topic_methods(MethodTable& table) {
  table.add_builtin<SubscribeParams, SubscribeResult>("topic.subscribe", subscribe)
      .summary(
          "Subscribes this session to a topic, with what it missed since a position or the last "
          "publications; presence asks for topic.presence {topic, count, joined, left}.");
  table
      .add_builtin<TopicParams, UnsubscribeResult>(
          "topic.unsubscribe",
          [](Call& call, const TopicParams& params) {
            return UnsubscribeResult{call.hub().unsubscribe(call.session(), params.topic)};
          })
      .summary("Ends the subscription; unsubscribed tells whether there was one.");
  table.add_builtin<PublishParams, Position>("topic.publish", publish)
      .summary("Publishes data to a topic's subscribers, who get topic.message {topic, offset, data}.");
  table.add_builtin<HistoryParams, HistoryResult>("topic.history", history)
      .summary("A topic's publications after a position, or its latest ones; oldest first.");
  table.add_builtin<TopicParams, PresenceResult>("topic.presence", presence)
      .summary("How many sessions are subscribed to a topic, and their codes.");
}

}  // namespace hubbub
