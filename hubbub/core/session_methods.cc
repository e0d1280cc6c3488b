#include "hubbub/core/session_methods.h"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <utility>
#include <vector>

#include "hubbub/core/answer_with.h"
#include "hubbub/core/call.h"
#include "hubbub/core/hub.h"
#include "hubbub/core/session.h"
#include "hubbub/core/session_opening.h"
#include "hubbub/core/topic.h"

namespace hubbub {

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

Result<void> acknowledge(Call& call, const AckParams& params) {
  if (call.session().on_ack(params.received)) return {};
  Error error = make_error(Errc::invalid_params, "more messages than were sent");
  error.field = "received";
  return std::unexpected(std::move(error));
}

// The opening exchange never gets here.
template <class Params>
Result<Opening> refuse_second(Call&, const Params&) {
  return fail(Errc::invalid_request, "this connection has its session already");
}

}  // namespace

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
            auto reply = call.defer_within<SendResult>();
            call.hub().broker().send(params.to, call.session().code().text(), params.data.text,
                                     answer_with<SendResult, SendStatus>(
                                         std::move(reply), [](SendStatus s) { return SendResult{s}; }));
            return {};
          })
      .summary("Sends data to the session with that code, which gets session.message {from, data}.");
  table.add_builtin<AckParams, void>("session.ack", acknowledge)
      .summary("Tells how many messages have arrived; as a notification it is not counted itself.");
  table.add_builtin<OpenParams, Opening>("session.open", refuse_second<OpenParams>)
      .summary("Opens a session: the first message on subprotocol hubbub.v1.");
  table.add_builtin<ResumeParams, Opening>("session.resume", refuse_second<ResumeParams>)
      .summary("Attaches this connection to a session that lost its own: the first message.");
}

}  // namespace hubbub
