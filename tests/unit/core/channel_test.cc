#include "hubbub/core/channel.h"

#include <gtest/gtest.h>

#include "tests/unit/core/channel_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Core;
using test::Peer;
using test::send_to;
using test::text_at;

constexpr std::string_view kOpen = R"({"jsonrpc":"2.0","id":1,"method":"session.open"})";

void expect_closed(const Peer& peer, int code) {
  ASSERT_EQ(peer.link.closes.size(), 1u);
  EXPECT_EQ(peer.link.closes[0].code, code);
  EXPECT_EQ(at(peer.link.closes[0].farewell, "/method"), R"("session.closing")");
  EXPECT_EQ(at(peer.link.closes[0].farewell, "/params/code"), std::to_string(code));
}

TEST(Channel, plain_opens_a_session_at_once_and_tells_it_first) {
  Core core;
  const Peer peer(core, ChannelMode::plain);
  ASSERT_EQ(peer.link.uncounted.size(), 1u);
  EXPECT_EQ(at(peer.link.uncounted[0], "/method"), R"("session.opened")");
  EXPECT_EQ(at(peer.link.uncounted[0], "/params/resumed"), "false");
  Session* session = core.hub.find(text_at(peer.link.uncounted[0], "/params/session/code"));
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->state(), SessionState::attached);
  EXPECT_EQ(session->outbox().tail(), 0u) << "the opening is not counted";
}

TEST(Channel, plain_calls_go_through_the_session) {
  Core core;
  Peer peer(core, ChannelMode::plain);
  peer.say(R"({"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":1}})");
  EXPECT_EQ(peer.link.take(), std::vector<std::string>{R"({"jsonrpc":"2.0","id":1,"result":{"a":1}})"});
}

TEST(Channel, plain_is_closed_when_the_hub_takes_no_session) {
  Core core({.sessions = 0});
  const Peer peer(core, ChannelMode::plain);
  EXPECT_TRUE(peer.link.uncounted.empty());
  expect_closed(peer, 1013);
  EXPECT_NE(at(peer.link.closes[0].farewell, "/params/retry_after_ms"), "absent");
  Core draining;
  draining.hub.begin_drain(0);
  expect_closed(Peer(draining, ChannelMode::plain), 1012);
}

TEST(Channel, v1_waits_for_session_open_and_answers_it) {
  Core core;
  Peer peer(core, ChannelMode::v1);
  EXPECT_TRUE(peer.link.uncounted.empty());
  EXPECT_EQ(peer.channel->outbox(), nullptr);
  EXPECT_TRUE(peer.channel->accepts_input());
  const std::string reply = peer.ask(
      R"({"jsonrpc":"2.0","id":"a","method":"session.open","params":{"data":{"name":"Ada"},"client":{"name":"sdk","version":"1"}}})");
  EXPECT_EQ(at(reply, "/id"), R"("a")");
  const Session* session = core.hub.find(text_at(reply, "/result/session/code"));
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->identity().data, R"({"name":"Ada"})");
  EXPECT_EQ(text_at(reply, "/result/session/token").size(), 43u);
  EXPECT_TRUE(peer.link.closes.empty());
  core.advance(core.limits.open_deadline_ms * 2);
  EXPECT_TRUE(peer.link.closes.empty()) << "the deadline is over with the opening";
  peer.say(R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
  EXPECT_EQ(peer.link.take().size(), 1u);
}

TEST(Channel, v1_without_an_open_in_time_is_closed_with_4501) {
  Core core({.open_deadline_ms = 2000});
  const Peer peer(core, ChannelMode::v1);
  core.advance(1999);
  EXPECT_TRUE(peer.link.closes.empty());
  EXPECT_EQ(core.hits(LimitHit::open_deadline), 0u);
  core.advance(1);
  expect_closed(peer, 4501);
  EXPECT_EQ(core.hits(LimitHit::open_deadline), 1u);
}

TEST(Channel, v1_a_connection_cut_before_its_open_is_forgotten) {
  Core core;
  Peer peer(core, ChannelMode::v1);
  peer.cut();
  core.advance(core.limits.open_deadline_ms * 2);
  EXPECT_TRUE(peer.link.closes.empty());
  EXPECT_EQ(core.hub.counts().detached, 0u);
}

TEST(Channel, v1_any_other_first_message_is_answered_if_it_can_be_and_closed_with_4500) {
  struct Case {
    std::string_view text;
    std::string_view id;
    std::string_view code;
  };
  for (const Case& wrong :
       {Case{R"({"jsonrpc":"2.0","id":7,"method":"ping"})", "7", "-32020"},
        Case{R"({"jsonrpc":"2.0","id":7,"method":1})", "7", "-32600"}, Case{"not JSON", "null", "-32700"},
        Case{R"([{"jsonrpc":"2.0","id":1,"method":"session.open"}])", "null", "-32600"},
        Case{"[]", "null", "-32600"}}) {
    Core core;
    Peer peer(core, ChannelMode::v1);
    const std::string reply = peer.ask(wrong.text);
    EXPECT_EQ(at(reply, "/id"), wrong.id) << wrong.text;
    EXPECT_EQ(at(reply, "/error/code"), wrong.code) << wrong.text;
    expect_closed(peer, 4500);
    EXPECT_EQ(core.hub.counts().attached, 0u);
  }
}

TEST(Channel, v1_a_first_notification_is_not_answered_and_closed_with_4500) {
  for (const std::string_view method : {"ping", "session.open", "session.resume"}) {
    Core core;
    Peer peer(core, ChannelMode::v1);
    peer.say(R"({"jsonrpc":"2.0","method":")" + std::string(method) + "\"}");
    EXPECT_TRUE(peer.link.uncounted.empty()) << method;
    expect_closed(peer, 4500);
    EXPECT_EQ(core.hub.counts().attached, 0u);
  }
}

TEST(Channel, v1_wrong_params_of_session_open_name_the_field_and_may_be_put_right) {
  Core core;
  Peer peer(core, ChannelMode::v1);
  const std::string reply =
      peer.ask(R"({"jsonrpc":"2.0","id":1,"method":"session.open","params":{"client":{"name":5}}})");
  EXPECT_EQ(at(reply, "/error/code"), "-32602");
  EXPECT_EQ(at(reply, "/error/data/field"), R"("client.name")");
  EXPECT_EQ(
      at(peer.ask(R"({"jsonrpc":"2.0","id":1,"method":"session.open","params":{"nope":1}})"), "/error/code"),
      "-32602");
  EXPECT_TRUE(peer.link.closes.empty());
  EXPECT_EQ(at(peer.ask(kOpen), "/error"), "absent");
  EXPECT_EQ(core.hub.counts().attached, 1u);
}

TEST(Channel, v1_a_session_that_cannot_be_resumed_is_answered_and_another_may_be_opened) {
  Core core;
  Peer peer(core, ChannelMode::v1);
  const std::string reply = peer.ask(
      R"({"jsonrpc":"2.0","id":1,"method":"session.resume","params":{"code":"happy-panda-1","token":"x","epoch":"y","received":0}})");
  EXPECT_EQ(at(reply, "/error/code"), "-32021");
  EXPECT_TRUE(peer.link.closes.empty());
  EXPECT_EQ(at(peer.ask(kOpen), "/error"), "absent");
}

TEST(Channel, data_of_a_session_is_bounded) {
  const auto open_with = [](std::size_t bytes) {
    return R"({"jsonrpc":"2.0","id":1,"method":"session.open","params":{"data":")" +
           std::string(bytes - 2, 'x') + "\"}}";
  };
  Core core({.session_data_bytes = 100});
  Peer fits(core, ChannelMode::v1);
  EXPECT_EQ(at(fits.ask(open_with(100)), "/error"), "absent");
  EXPECT_EQ(core.hits(LimitHit::session_data_bytes), 0u);
  Peer large(core, ChannelMode::v1);
  const std::string reply = large.ask(open_with(101));
  EXPECT_EQ(at(reply, "/error/code"), "-32007");
  EXPECT_EQ(at(reply, "/error/data/limit"), R"("limits.session_data_bytes")");
  EXPECT_EQ(core.hits(LimitHit::session_data_bytes), 1u);
  EXPECT_EQ(core.hub.counts().attached, 1u);
}

TEST(Channel, v1_is_answered_and_closed_when_the_hub_takes_no_session) {
  Core full({.sessions = 0});
  Peer peer(full, ChannelMode::v1);
  EXPECT_EQ(at(peer.ask(kOpen), "/error/data/retryable"), "true");
  expect_closed(peer, 1013);
  EXPECT_NE(at(peer.link.closes[0].farewell, "/params/retry_after_ms"), "absent");
  Core draining;
  draining.hub.begin_drain(0);
  Peer late(draining, ChannelMode::v1);
  EXPECT_EQ(at(late.ask(kOpen), "/error/code"), "-32029");
  expect_closed(late, 1012);
}

TEST(Channel, a_second_session_open_is_refused_and_changes_nothing) {
  Core core;
  Peer peer(core, ChannelMode::v1);
  peer.say(kOpen);
  peer.say(kOpen);
  EXPECT_EQ(at(peer.link.take().at(0), "/error/code"), "-32600");
  EXPECT_EQ(core.hub.counts().attached, 1u);
}

TEST(Channel, binary_is_closed_with_1003_before_and_after_the_opening) {
  Core core;
  Peer plain(core, ChannelMode::plain);
  plain.channel->on_binary("\x01\x02");
  expect_closed(plain, 1003);
  Peer v1(core, ChannelMode::v1);
  v1.channel->on_binary("\x01\x02");
  expect_closed(v1, 1003);
}

TEST(Channel, a_stalled_socket_is_closed_with_4008_before_and_after_the_opening) {
  Core core;
  Peer plain(core, ChannelMode::plain);
  plain.channel->on_stalled();
  expect_closed(plain, 4008);
  Peer v1(core, ChannelMode::v1);
  v1.channel->on_stalled();
  expect_closed(v1, 4008);
}

TEST(Channel, a_cut_detaches_the_session_and_keeps_it) {
  Core core({.grace_ms = 1000});
  Peer peer(core, ChannelMode::plain);
  peer.cut();
  EXPECT_EQ(core.hub.counts().attached, 0u);
  EXPECT_EQ(core.hub.counts().detached, 1u);
  core.advance(1000);
  EXPECT_EQ(core.hub.counts().detached, 0u);
}

TEST(Channel, what_comes_while_a_connection_closes_is_not_for_it) {
  Core core;
  Peer peer(core, ChannelMode::plain);
  const std::string code = text_at(peer.link.uncounted.at(0), "/params/session/code");
  peer.channel->on_closing();
  EXPECT_EQ(*send_to(core.hub, code, "x", "1"), SendStatus::queued);
  EXPECT_TRUE(peer.link.take().empty());
  peer.channel->on_stalled();
  EXPECT_TRUE(peer.link.closes.empty()) << "it closes already";
}

TEST(Channel, v1_a_connection_that_begins_to_close_is_not_closed_again_for_its_opening) {
  Core core;
  Peer peer(core, ChannelMode::v1);
  peer.channel->on_closing();
  core.advance(core.limits.open_deadline_ms * 2);
  EXPECT_TRUE(peer.link.closes.empty());
  EXPECT_EQ(core.hits(LimitHit::open_deadline), 0u);
}

TEST(Channel, a_cut_keeps_the_deferred_calls_and_their_answers_wait_for_the_client) {
  Core core;
  std::vector<Reply<int>> late;
  core.table.add<NoParams, int>("later", [&late](Call& call, const NoParams&) {
    late.emplace_back(call.defer<int>());
    return Deferred{};
  });
  const std::string call = R"({"jsonrpc":"2.0","id":1,"method":"later"})";
  const std::string notification = R"({"jsonrpc":"2.0","method":"later"})";
  Peer peer(core, ChannelMode::plain);
  Peer other(core, ChannelMode::plain);
  const std::string code = text_at(peer.link.uncounted.at(0), "/params/session/code");
  other.say(call);
  peer.say(call);
  peer.say('[' + call + ',' + notification + ',' + call + ']');
  peer.say('[' + call + ',' + call + ']');
  EXPECT_EQ(core.dispatcher.calls_in_flight(), 7u);
  late[2].send(2);  // of the first batch, in time
  peer.cut();
  EXPECT_EQ(core.dispatcher.calls_in_flight(), 6u);
  EXPECT_EQ(core.hub.counts().detached, 1u);
  late[1].send(1);
  late[3].send(3);
  late[4].fail(make_error(Errc::timeout));
  late[0].send(7);
  late.clear();  // what was never answered answers now: -32603
  EXPECT_EQ(core.dispatcher.calls_in_flight(), 0u);
  EXPECT_TRUE(peer.link.written.empty());
  EXPECT_EQ(core.hub.find(code)->outbox().unsent_replies(), 3u) << "one call, two batches";
  EXPECT_EQ(other.link.take(), std::vector<std::string>{R"({"jsonrpc":"2.0","id":1,"result":7})"});
  core.hub.check_invariants();
}

TEST(Channel, session_close_answers_then_closes_with_1000) {
  Core core;
  Peer peer(core, ChannelMode::plain);
  peer.say(R"({"jsonrpc":"2.0","id":1,"method":"session.close"})");
  expect_closed(peer, 1000);
  EXPECT_EQ(peer.link.closes[0].mode, CloseMode::after_outbox);
  peer.say(R"({"jsonrpc":"2.0","id":2,"method":"ping"})");
  EXPECT_EQ(peer.link.take(), std::vector<std::string>{R"({"jsonrpc":"2.0","id":1,"result":null})"})
      << "nothing of an ended session is served";
  peer.cut();
  EXPECT_EQ(core.hub.counts().detached, 0u);
  core.hub.check_invariants();
}

TEST(Channel, stops_reading_a_client_that_does_not_read_its_answers) {
  Core core({.outbox_soft_bytes = 1000});
  Peer peer(core, ChannelMode::plain);
  EXPECT_TRUE(peer.channel->accepts_input());
  peer.say(R"({"jsonrpc":"2.0","id":1,"method":"echo","params":[")" + std::string(1000, 'x') + "\"]}");
  EXPECT_FALSE(peer.channel->accepts_input());
  peer.link.take();
  EXPECT_TRUE(peer.channel->accepts_input());
}

TEST(Channel, the_farewell_is_session_closing) {
  Core core;
  Peer peer(core, ChannelMode::plain);
  EXPECT_EQ(peer.channel->farewell(4012, "no pong", -1)->payload(),
            R"({"jsonrpc":"2.0","method":"session.closing","params":{"code":4012,"reason":"no pong"}})");
}

TEST(Channel, no_token_ever_stands_in_a_log_line) {
  Core core({.grace_ms = 1000});
  std::vector<std::string> tokens;
  for (const ChannelMode mode : {ChannelMode::plain, ChannelMode::v1}) {
    Peer peer(core, mode);
    if (mode == ChannelMode::v1) peer.say(kOpen);
    const std::string pointer = mode == ChannelMode::v1 ? "/result/session/token" : "/params/session/token";
    tokens.push_back(text_at(peer.link.uncounted.at(0), pointer));
    EXPECT_EQ(tokens.back().size(), 43u);
    peer.say(R"({"jsonrpc":"2.0","id":1,"method":"session.resume","params":{"code":"a","token":")" +
             tokens.back() + "\"}}");
    peer.say(R"({"jsonrpc":"2.0","id":1,"method":"session.info"})");
    EXPECT_FALSE(peer.link.take().back().contains(tokens.back()));
    peer.channel->on_stalled();
  }
  core.advance(1000);
  EXPECT_FALSE(core.log.lines.empty());
  for (const std::string& token : tokens) EXPECT_FALSE(core.log.mentions(token));
}

}  // namespace
}  // namespace hubbub
