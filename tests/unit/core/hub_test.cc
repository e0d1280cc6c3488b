#include "hubbub/core/hub.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::Core;
using test::FakeLink;
using test::send_to;
using test::send_to_all;

TEST(Hub, finds_a_session_by_its_code_without_case) {
  Core core;
  const Client& client = core.connect();
  std::string code = client.code();
  EXPECT_EQ(core.hub.find(code), client.session);
  for (char& c : code) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(core.hub.find(code), client.session);
  EXPECT_EQ(core.hub.find("no-such-code"), nullptr);
  EXPECT_EQ(core.hub.find(""), nullptr);
}

TEST(Hub, opens_sessions_with_codes_epochs_and_tokens_of_their_own) {
  Core core;
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const Client& client = core.connect();
    EXPECT_TRUE(seen.insert(client.code()).second);
    EXPECT_TRUE(seen.insert(client.token).second);
    EXPECT_TRUE(seen.insert(client.session->identity().epoch).second);
  }
  EXPECT_EQ(core.hub.counts().attached, 100u);
  core.hub.check_invariants();
}

TEST(Hub, takes_sessions_up_to_the_limit_detached_ones_counted) {
  Core core({.grace_ms = 1000, .sessions = 2});
  core.disconnect(core.connect());
  core.connect();
  EXPECT_TRUE(core.hub.full());
  FakeLink link;
  const auto refused = core.hub.open_session(link, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::overloaded);
  EXPECT_EQ(refused.error().limit, "limits.sessions");
  EXPECT_GT(refused.error().retry_after_ms, 0);
  EXPECT_EQ(core.hits(LimitHit::sessions), 1u);
  core.advance(1000);
  core.connect();
  EXPECT_EQ(core.hits(LimitHit::sessions), 1u);
}

TEST(Hub, an_ended_session_is_unknown_at_once_and_its_client_is_told) {
  Core core;
  Client& client = core.connect();
  const std::string code = client.code();
  const Handle<Session> handle = client.session->handle();
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  core.hub.end(*client.session, 4503, "kicked");
  core.hub.end(*client.session, 1000, "again");
  EXPECT_EQ(core.hub.find(code), nullptr);
  EXPECT_EQ(core.hub.counts().attached, 0u);
  EXPECT_EQ(core.hub.counts().subscriptions, 0u);
  EXPECT_EQ(core.stats.sessions_closed, 1u);
  ASSERT_EQ(client.link.closes.size(), 1u);
  EXPECT_EQ(client.link.closes[0].code, 4503);
  EXPECT_EQ(client.link.closes[0].mode, CloseMode::after_outbox) << "what is queued still reaches it";
  core.hub.check_invariants();
  EXPECT_NE(core.hub.get(handle), nullptr) << "lives until its connection is gone";
  core.disconnect(client);
  EXPECT_EQ(core.hub.get(handle), nullptr);
  core.hub.check_invariants();
}

TEST(Hub, a_detached_session_can_be_ended) {
  Core core;
  Client& client = core.connect();
  const std::string code = client.code();
  core.disconnect(client);
  core.hub.end(*core.hub.find(code), 1000, "over");
  EXPECT_EQ(core.hub.find(code), nullptr);
  EXPECT_EQ(core.hub.counts().detached, 0u);
  core.advance(core.limits.grace_ms * 2);
  EXPECT_EQ(core.stats.sessions_expired, 0u);
  core.hub.check_invariants();
}

TEST(Hub, a_session_that_has_ended_takes_no_more_subscriptions) {
  Core core;
  Client& client = core.connect();
  core.hub.end(*client.session, 1000, "over");
  const auto refused = core.hub.subscribe(*client.session, "news");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::session_unknown);
  core.hub.check_invariants();
  core.disconnect(client);
  EXPECT_TRUE(core.hub.deliver("news", "1").has_value());
}

TEST(Hub, a_session_ended_after_the_turn_is_whole_until_then) {
  Core core;
  Client& client = core.connect();
  core.hub.end_after_turn(*client.session);
  core.hub.end_after_turn(*client.session);
  EXPECT_EQ(client.session->state(), SessionState::attached);
  core.hub.finish_turn();
  EXPECT_EQ(client.session->state(), SessionState::ended);
  ASSERT_EQ(client.link.closes.size(), 1u);
  EXPECT_EQ(client.link.closes[0].code, 1000);
  core.hub.finish_turn();
  EXPECT_EQ(core.stats.sessions_closed, 1u);
}

TEST(Hub, a_session_gone_before_the_end_of_the_turn_is_not_ended_twice) {
  Core core({.grace_ms = 0});
  Client& client = core.connect();
  core.hub.end_after_turn(*client.session);
  core.disconnect(client);
  core.hub.finish_turn();
  EXPECT_EQ(core.stats.sessions_closed, 0u);
  EXPECT_EQ(core.stats.sessions_expired, 1u);
}

TEST(Hub, tells_the_application_once_of_each_session_that_ends) {
  Core core({.grace_ms = 1000});
  std::vector<std::string> ended;
  core.hub.on_session_end([&ended](Hub& hub, Session& session) {
    EXPECT_EQ(session.state(), SessionState::ended);
    EXPECT_TRUE(session.subscriptions().empty());
    hub.publish("gone", session.code().text());
    ended.push_back(session.code().text());
  });
  Client& watcher = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*watcher.session, "gone"));
  Client& closed = core.connect();
  Client& expired = core.connect();
  const std::vector<std::string> codes{closed.code(), expired.code()};
  core.disconnect(expired);
  EXPECT_TRUE(ended.empty()) << "a cut ends nothing";
  core.hub.end(*closed.session, 1000, "over");
  core.hub.end(*closed.session, 1000, "over");
  core.disconnect(closed);
  core.advance(5000);
  EXPECT_EQ(ended, codes);
  EXPECT_EQ(watcher.link.take().size(), 2u);
  core.hub.check_invariants();
}

TEST(Hub, publishes_typed_values_as_json_and_logs_what_fails) {
  Core core;
  Client& client = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  core.hub.publish("news", std::vector<int>{1, 2});
  EXPECT_EQ(at(client.link.take().at(0), "/params/data"), "[1,2]");
  const std::size_t lines = core.log.lines.size();
  core.hub.publish("two words", 1);
  EXPECT_EQ(core.log.lines.size(), lines + 1);
}

TEST(Hub, a_detached_session_holds_its_messages_until_it_ends) {
  Core core({.grace_ms = 1000});
  const auto before = Frame::alive();
  Client& client = core.connect();
  EXPECT_EQ(send_to_all(core.hub, "1"), 1u);
  core.disconnect(client);
  EXPECT_EQ(send_to_all(core.hub, "2"), 1u);
  EXPECT_EQ(Frame::alive(), before + 2);
  core.advance(1000);
  EXPECT_EQ(Frame::alive(), before);
}

TEST(Hub, codes_of_ended_and_expired_sessions_are_not_used_again_within_a_day) {
  Core core({.grace_ms = 1000});
  std::set<std::string> codes;
  for (int i = 0; i < 30; ++i) {
    core.rng = SeededRng(1);  // the generator would draw the same code every time
    Client& client = core.connect();
    EXPECT_TRUE(codes.insert(client.code()).second) << client.code();
    if (i % 2 == 0) core.hub.end(*client.session, 1000, "over");
    core.disconnect(client);
    core.advance(20 * 60 * 1000);
  }
  EXPECT_LT(core.clock.now - test::kStartMs, SessionCodes::kRestMs);
}

TEST(Hub, a_publication_is_encoded_once_and_shared_by_every_subscriber) {
  Core core;
  std::vector<Client*> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(&core.connect());
    ASSERT_TRUE(core.hub.subscribe(*clients.back()->session, "news"));
  }
  const auto before = Frame::alive();
  ASSERT_TRUE(core.hub.deliver("news", R"({"a":1})").has_value());
  core.hub.finish_turn();
  EXPECT_EQ(Frame::alive(), before + 1);
  const Frame* frame = clients[0]->session->outbox().at(0);
  for (const Client* client : clients) {
    EXPECT_EQ(client->session->outbox().unsent(), 1u);
    EXPECT_EQ(client->session->outbox().at(0), frame);
  }
  EXPECT_EQ(
      frame->payload(),
      R"({"jsonrpc":"2.0","method":"topic.message","params":{"topic":"news","offset":1,"data":{"a":1}}})");
  EXPECT_EQ(core.stats.publishes, 1u);
  EXPECT_EQ(core.stats.deliveries, 100u);
}

TEST(Hub, a_publication_reaches_subscribers_and_nobody_else) {
  Core core;
  Client& in = core.connect();
  Client& out = core.connect();
  Client& left = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*in.session, "news"));
  ASSERT_TRUE(core.hub.subscribe(*out.session, "weather"));
  ASSERT_TRUE(core.hub.subscribe(*left.session, "news"));
  ASSERT_TRUE(core.hub.unsubscribe(*left.session, "news"));
  EXPECT_FALSE(core.hub.unsubscribe(*left.session, "news"));
  ASSERT_TRUE(core.hub.deliver("news", "1").has_value());
  EXPECT_EQ(in.link.take().size(), 1u);
  EXPECT_TRUE(out.link.take().empty());
  EXPECT_TRUE(left.link.take().empty());
}

TEST(Hub, subscribing_twice_delivers_once) {
  Core core;
  Client& client = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  EXPECT_EQ(core.hub.counts().subscriptions, 1u);
  ASSERT_TRUE(core.hub.deliver("news", "1").has_value());
  EXPECT_EQ(client.link.take().size(), 1u);
}

TEST(Hub, one_slow_subscriber_is_closed_and_the_others_get_everything) {
  Core core({.outbox_messages = 16, .replay_messages = 4});
  Client& slow = core.connect();
  Client& quick = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*slow.session, "news"));
  ASSERT_TRUE(core.hub.subscribe(*quick.session, "news"));
  std::size_t got = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(core.hub.deliver("news", "1").has_value());
    got += quick.link.take().size();
  }
  EXPECT_EQ(got, 100u);
  EXPECT_EQ(slow.session->outbox().frames(), 20u) << "memory for a reader that does not read is bounded";
  ASSERT_EQ(slow.link.closes.size(), 1u);
  EXPECT_EQ(slow.link.closes[0].code, 4008);
}

TEST(Hub, a_broadcast_reaches_every_session_with_one_frame_attached_or_not) {
  Core core;
  std::vector<Client*> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(&core.connect());
  core.disconnect(core.connect());
  core.hub.end(*clients.back()->session, 1000, "over");
  const auto before = Frame::alive();
  EXPECT_EQ(send_to_all(core.hub, "[1]"), 10u);
  EXPECT_EQ(Frame::alive(), before + 1);
  for (std::size_t i = 0; i < 9; ++i)
    EXPECT_EQ(clients[i]->link.take(),
              std::vector<std::string>{R"({"jsonrpc":"2.0","method":"hub.message","params":{"data":[1]}})"});
}

TEST(Hub, a_message_to_a_code_arrives_there_with_its_sender) {
  Core core;
  Client& client = core.connect();
  EXPECT_EQ(*send_to(core.hub, client.code(), "happy-panda-1", "{}"), SendStatus::delivered);
  EXPECT_EQ(
      client.link.take(),
      std::vector<std::string>{
          R"({"jsonrpc":"2.0","method":"session.message","params":{"from":"happy-panda-1","data":{}}})"});
}

TEST(Hub, a_message_to_a_detached_session_waits_for_it) {
  Core core;
  Client& client = core.connect();
  const test::Ticket ticket = client.ticket();
  core.disconnect(client);
  EXPECT_EQ(*send_to(core.hub, ticket.code, "x", "1"), SendStatus::queued);
  Client& back = core.resume(ticket, 0);
  EXPECT_EQ(at(back.link.take().at(0), "/params/data"), "1");
}

TEST(Hub, a_message_to_nobody_says_so) {
  Core core;
  for (const std::string& to : {std::string("happy-panda-1"), std::string("nonsense"), std::string()}) {
    const auto refused = send_to(core.hub, to, "x", "1");
    ASSERT_FALSE(refused.has_value()) << to;
    EXPECT_EQ(refused.error().code, Errc::target_unknown);
    EXPECT_EQ(refused.error().field, "to");
  }
}

TEST(Hub, what_is_sent_while_a_connection_closes_waits_for_the_next_one) {
  Core core;
  Client& bystander = core.connect();
  Client& leaving = core.connect();
  Client& drained = core.connect();
  leaving.session->on_link_closing();  // the client's own Close has arrived
  drained.session->close_link(1012, "restart", CloseMode::after_outbox);
  for (const Client* closing : {&leaving, &drained}) {
    EXPECT_EQ(*send_to(core.hub, closing->code(), "x", "1"), SendStatus::queued);
  }
  EXPECT_EQ(send_to_all(core.hub, "1"), 3u);
  EXPECT_EQ(bystander.session->outbox().unsent(), 1u);
  for (Client* closing : {&leaving, &drained}) {
    EXPECT_EQ(closing->session->outbox().unsent(), 2u);
    EXPECT_TRUE(closing->link.take().empty()) << "not for this connection";
    EXPECT_EQ(core.resume(closing->ticket(), 0).link.take().size(), 2u);
  }
  core.hub.check_invariants();
}

TEST(Hub, topics_of_a_session_are_bounded) {
  Core core({.topics_per_session = 3});
  Client& client = core.connect();
  for (const std::string_view topic : {"a", "b", "c"})
    EXPECT_TRUE(core.hub.subscribe(*client.session, topic));
  EXPECT_TRUE(core.hub.subscribe(*client.session, "c")) << "an old one is no new one";
  EXPECT_EQ(core.hits(LimitHit::topics_per_session), 0u);
  const auto refused = core.hub.subscribe(*client.session, "d");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::too_many_subscriptions);
  EXPECT_EQ(refused.error().limit, "limits.topics_per_session");
  EXPECT_EQ(core.hits(LimitHit::topics_per_session), 1u);
  EXPECT_TRUE(core.hub.unsubscribe(*client.session, "a"));
  EXPECT_TRUE(core.hub.subscribe(*client.session, "d"));
}

TEST(Hub, topics_are_bounded) {
  Core core({.topics = 2, .topic_idle_ms = 1000});
  Client& client = core.connect();
  EXPECT_TRUE(core.hub.subscribe(*client.session, "a"));
  EXPECT_TRUE(core.hub.deliver("b", "1"));
  EXPECT_EQ(core.hits(LimitHit::topics), 0u);
  for (const auto& refused : {core.hub.subscribe(*client.session, "c"), core.hub.deliver("c", "1")}) {
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::topic_invalid);
    EXPECT_EQ(refused.error().limit, "limits.topics");
  }
  EXPECT_EQ(core.hits(LimitHit::topics), 2u);
  core.advance(1000);
  EXPECT_TRUE(core.hub.deliver("c", "1")) << "b was idle and is forgotten";
}

TEST(Hub, a_topic_name_out_of_bounds_is_refused_with_its_field) {
  Core core;
  Client& client = core.connect();
  for (const std::string_view name : {"", "two words", "$mine"}) {
    const auto refused = core.hub.subscribe(*client.session, name);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::topic_invalid);
    EXPECT_EQ(refused.error().field, "topic");
    EXPECT_FALSE(core.hub.deliver(name, "1").has_value());
  }
  EXPECT_EQ(core.hub.counts().topics, 0u);
}

TEST(Hub, a_draining_hub_tells_every_client_and_opens_no_session) {
  Core core;
  Client& client = core.connect();
  core.disconnect(core.connect());
  core.hub.begin_drain(1500);
  EXPECT_TRUE(core.hub.draining());
  EXPECT_EQ(client.link.uncounted,
            std::vector<std::string>{
                R"({"jsonrpc":"2.0","method":"session.draining","params":{"retry_after_ms":1500}})"});
  FakeLink link;
  const auto refused = core.hub.open_session(link, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::draining);
}

TEST(Hub, may_die_before_its_sessions_connections_are_gone) {
  FakeLink link;
  auto world = std::make_unique<Core>();
  const auto opened = world->hub.open_session(link, {});
  ASSERT_TRUE(opened.has_value());
  ASSERT_TRUE(world->hub.subscribe(*opened->session, "news"));
  world.reset();
}

}  // namespace
}  // namespace hubbub
