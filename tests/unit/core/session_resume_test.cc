// Hub::resume_session: who gets a session back, what is refused and how, and what the client gets then.
#include <gtest/gtest.h>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::Core;
using test::FakeLink;
using test::send_to_all;
using test::Ticket;

using Texts = std::vector<std::string>;

FrameRef text(std::string_view what) { return Frame::make({}, what); }

// All that a client is told of an error.
std::string told(const Error& error) {
  std::string out;
  wire::append_error(out, "1", error);
  return out;
}

TEST(SessionResume, gives_the_session_back_with_its_identity_and_subscriptions) {
  Core core;
  Client& client = core.connect(R"({"name":"Ada"})");
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  core.call(client, R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
  const Ticket ticket = client.ticket();
  const Session* const session = client.session;
  core.disconnect(client);
  ASSERT_TRUE(core.hub.deliver("news", "1"));
  Client& back = core.resume(ticket, 1);
  EXPECT_EQ(back.session, session);
  EXPECT_EQ(back.session->state(), SessionState::attached);
  EXPECT_EQ(back.session->identity().data, R"({"name":"Ada"})");
  EXPECT_EQ(back.session->received(), 1u);
  EXPECT_NE(back.token, ticket.token);
  EXPECT_EQ(back.token.size(), 43u);
  ASSERT_TRUE(core.hub.deliver("news", "2"));
  const auto got = back.link.take();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(at(got[0], "/params/data"), "1");
  EXPECT_EQ(at(got[1], "/params/data"), "2");
  EXPECT_EQ(core.hub.counts().attached, 1u);
  EXPECT_EQ(core.hub.counts().detached, 0u);
  EXPECT_EQ(core.stats.sessions_resumed, 1u);
  core.advance(core.limits.grace_ms * 2);
  EXPECT_EQ(core.hub.find(ticket.code), session) << "its grace time is over with the resume";
  core.hub.check_invariants();
}

TEST(SessionResume, of_a_quiet_session_recovers_with_nothing_to_send) {
  Core core;
  Client& client = core.connect();
  const Ticket ticket = client.ticket();
  core.disconnect(client);
  Client& back = core.resume(ticket, 0);
  EXPECT_EQ(back.replay.missing_to, 0u);
  EXPECT_FALSE(back.replay.gaps);
  EXPECT_EQ(back.replay.from_ring, 0u);
  EXPECT_EQ(back.link.wakes, 0);
}

TEST(SessionResume, is_refused_in_the_same_words_whatever_is_wrong) {
  Core core({.grace_ms = 1000});
  Client& expired = core.connect();
  const Ticket gone = expired.ticket();
  core.disconnect(expired);
  core.advance(1000);
  Client& ended = core.connect();
  const Ticket closed = ended.ticket();
  core.hub.end(*ended.session, 1000, "over");
  Client& client = core.connect();
  const Ticket good = client.ticket();
  const Ticket other = core.connect().ticket();
  FakeLink link;
  std::vector<std::string> refusals;
  for (const Ticket& wrong :
       {gone, closed, Ticket{"no-such-code", good.token, good.epoch}, Ticket{"", "", ""},
        Ticket{"happy-panda-1", good.token, good.epoch}, Ticket{good.code, "", good.epoch},
        Ticket{good.code, other.token, good.epoch}, Ticket{good.code, good.token + "x", good.epoch},
        Ticket{good.code, good.token, ""}, Ticket{good.code, good.token, other.epoch},
        Ticket{other.code, good.token, good.epoch}}) {
    const auto refused = core.claim(link, wrong, 1'000'000);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::session_unknown);
    refusals.push_back(told(refused.error()));
  }
  for (const std::string& refusal : refusals) EXPECT_EQ(refusal, refusals.front());
  EXPECT_TRUE(client.link.closes.empty()) << "nobody is harmed by guesses";
  EXPECT_EQ(client.session->state(), SessionState::attached);
  EXPECT_TRUE(core.claim(link, good, 0).has_value()) << "the token was not used up";
  client.session = nullptr;
  core.hub.detach(*core.hub.find(good.code));
}

TEST(SessionResume, the_code_may_be_written_in_capitals) {
  Core core;
  Client& client = core.connect();
  Ticket ticket = client.ticket();
  core.disconnect(client);
  for (char& c : ticket.code) c = static_cast<char>(std::toupper(c));
  EXPECT_NE(core.resume(ticket, 0).session, nullptr);
}

TEST(SessionResume, a_count_above_what_was_sent_is_refused_by_name_and_costs_nothing) {
  Core core;
  Client& client = core.connect();
  EXPECT_EQ(client.session->push(text("sent")), PushStatus::queued);
  client.link.take();
  const Ticket ticket = client.ticket();
  core.disconnect(client);
  EXPECT_EQ(core.hub.find(ticket.code)->push(text("stored")), PushStatus::stored);
  FakeLink link;
  const auto refused = core.claim(link, ticket, 2);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::invalid_params);
  EXPECT_EQ(refused.error().field, "received");
  EXPECT_EQ(core.hub.find(ticket.code)->state(), SessionState::detached);
  EXPECT_EQ(core.resume(ticket, 1).link.take(), Texts{"stored"});
}

TEST(SessionResume, a_draining_hub_resumes_nothing) {
  Core core;
  Client& client = core.connect();
  const Ticket ticket = client.ticket();
  core.disconnect(client);
  core.hub.begin_drain(0);
  FakeLink link;
  const auto refused = core.claim(link, ticket, 0);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::draining);
}

TEST(SessionResume, takes_the_session_over_from_a_connection_that_still_has_it) {
  Core core;
  Client& client = core.connect();
  EXPECT_EQ(client.session->push(text("a")), PushStatus::queued);
  EXPECT_EQ(client.session->push(text("b")), PushStatus::queued);
  client.link.write(1);
  Client& back = core.resume(client.ticket(), 0);
  ASSERT_EQ(client.link.closes.size(), 1u);
  EXPECT_EQ(client.link.closes[0].code, 4512);
  EXPECT_EQ(client.link.closes[0].mode, CloseMode::now);
  EXPECT_EQ(at(client.link.closes[0].farewell, "/params/code"), "4512");
  EXPECT_EQ(client.link.releases, 1) << "what is half on its wire stays with it";
  EXPECT_TRUE(client.link.written == Texts{"a"});
  EXPECT_EQ(back.link.take(), (Texts{"a", "b"}));
  EXPECT_EQ(core.hub.counts().attached, 1u);
  core.hub.check_invariants();
}

TEST(SessionResume, takes_the_session_over_from_a_connection_that_is_closing) {
  Core core;
  Client& client = core.connect();
  const Ticket ticket = client.ticket();
  EXPECT_EQ(client.session->push(text("a")), PushStatus::queued);
  client.session->on_link_closing();
  EXPECT_EQ(client.session->push(text("b")), PushStatus::stored);
  Client& back = core.resume(ticket, 0);
  EXPECT_EQ(back.link.take(), (Texts{"a", "b"}));
  EXPECT_EQ(back.session->push(text("c")), PushStatus::queued);
  core.hub.check_invariants();
}

TEST(SessionResume, takeovers_do_not_gather_more_than_a_mailbox_keeps) {
  Core core({.outbox_messages = 8, .replay_messages = 4});
  Ticket ticket = core.connect().ticket();
  for (int takeovers = 0; takeovers < 5; ++takeovers) {
    Session& session = *core.hub.find(ticket.code);
    for (int i = 0; i < 8; ++i) EXPECT_EQ(session.push(text("unread")), PushStatus::queued);
    Client& back = core.resume(ticket, 0);
    ticket.token = back.token;
    EXPECT_EQ(back.session->outbox().frames(), 4u);
    EXPECT_EQ(back.replay.missing_to, back.session->outbox().tail() - 4);
  }
  core.hub.check_invariants();
}

TEST(SessionResume, after_a_takeover_the_old_connections_end_changes_nothing) {
  Core core({.grace_ms = 1000});
  Client& client = core.connect();
  const Ticket ticket = client.ticket();
  Client& back = core.resume(ticket, 0);
  core.advance(5000);
  EXPECT_EQ(core.hub.find(ticket.code), back.session);
  EXPECT_EQ(core.hub.counts().detached, 0u);
}

// --- Tokens

TEST(SessionResume, the_token_before_stays_good_until_the_clients_first_message) {
  Core core;
  Client& client = core.connect();
  const Ticket first = client.ticket();
  core.disconnect(client);
  Client& second = core.resume(first, 0);  // the answer is lost
  core.disconnect(second);
  Client& third = core.resume(first, 0);
  third.session->count_received();
  const Ticket current = third.ticket();
  core.disconnect(third);
  EXPECT_EQ(core.resume(current, 0).session, core.hub.find(first.code));
}

TEST(SessionResume, an_acknowledgement_is_a_message_of_the_client) {
  Core core;
  Client& client = core.connect();
  const Ticket first = client.ticket();
  Client& back = core.resume(first, 0);
  EXPECT_TRUE(back.session->on_ack(0));
  FakeLink link;
  EXPECT_FALSE(core.claim(link, first, 0).has_value());
  EXPECT_EQ(back.session->state(), SessionState::ended) << "somebody has a copy of the token";
}

TEST(SessionResume, a_token_that_was_replaced_ends_the_session_and_tells_both_nothing_more) {
  for (const bool attached : {true, false}) {
    Core core;
    Client& client = core.connect();
    const Ticket first = client.ticket();
    Client& back = core.resume(first, 0);
    back.session->count_received();
    const Handle<Session> handle = back.session->handle();
    if (!attached) core.disconnect(back);
    FakeLink link;
    const auto refused = core.claim(link, first, 0);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(told(refused.error()), told(make_error(Errc::session_unknown)));
    EXPECT_EQ(core.hub.find(first.code), nullptr);
    EXPECT_TRUE(core.log.mentions("session token reused session=" + first.code));
    EXPECT_FALSE(core.log.mentions(first.token));
    if (attached) {
      ASSERT_EQ(back.link.closes.size(), 1u);
      EXPECT_EQ(back.link.closes[0].code, 4510);
      core.disconnect(back);
    }
    EXPECT_EQ(core.hub.get(handle), nullptr);
    core.hub.check_invariants();
  }
}

TEST(SessionResume, a_replaced_token_with_another_epoch_is_only_refused) {
  Core core;
  Client& client = core.connect();
  Ticket first = client.ticket();
  Client& back = core.resume(first, 0);
  back.session->count_received();
  first.epoch = "x";
  FakeLink link;
  EXPECT_FALSE(core.claim(link, first, 0).has_value());
  EXPECT_EQ(back.session->state(), SessionState::attached);
}

TEST(SessionResume, the_token_before_is_good_for_its_time_while_the_client_lives_and_says_nothing) {
  for (const bool in_time : {true, false}) {
    Core core;
    Client& client = core.connect();
    const Ticket first = client.ticket();
    Client& back = core.resume(first, 0);
    core.advance(1000);
    back.link.last_input = core.clock.now;  // a pong
    core.advance(Session::kPreviousTokenMs - 1000 - (in_time ? 1 : 0));
    FakeLink link;
    const auto claimed = core.claim(link, first, 0);
    EXPECT_EQ(claimed.has_value(), in_time);
    EXPECT_EQ(core.hub.find(first.code) != nullptr, in_time);
    if (in_time) core.hub.detach(*claimed->session);
  }
}

TEST(SessionResume, the_token_before_stays_good_when_no_byte_came_from_the_new_connection) {
  for (const bool cut_first : {true, false}) {
    Core core;
    Client& client = core.connect();
    const Ticket first = client.ticket();
    Client& back = core.resume(first, 0);
    core.advance(60'000);
    if (cut_first) core.disconnect(back);
    core.advance(60'000);
    EXPECT_EQ(core.resume(first, 0).session, core.hub.find(first.code))
        << "its network had died with the answer";
  }
}

TEST(SessionResume, a_byte_before_the_cut_still_counts_after_it) {
  Core core;
  Client& client = core.connect();
  const Ticket first = client.ticket();
  Client& back = core.resume(first, 0);
  core.advance(1000);
  back.link.last_input = core.clock.now;
  core.disconnect(back);
  core.advance(Session::kPreviousTokenMs);
  FakeLink link;
  EXPECT_FALSE(core.claim(link, first, 0).has_value());
  EXPECT_EQ(core.hub.find(first.code), nullptr);
}

TEST(SessionResume, a_late_claim_of_an_older_connection_is_refused_and_accuses_nobody) {
  for (const bool confirmed : {true, false}) {
    Core core;
    Client& client = core.connect();
    const Ticket first = client.ticket();
    FakeLink late;  // dialled before the connection that resumed
    Client& back = core.resume(first, 0);
    if (confirmed) back.session->count_received();
    const auto refused = core.claim(late, first, 0);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::session_unknown);
    EXPECT_EQ(back.session->state(), SessionState::attached);
    EXPECT_TRUE(back.link.closes.empty());
    EXPECT_FALSE(core.log.mentions("session token reused"));
    const Ticket current = back.ticket();
    core.disconnect(back);
    EXPECT_FALSE(core.claim(late, first, 0).has_value()) << "nor when the session is away";
    EXPECT_NE(core.resume(current, 0).session, nullptr);
  }
}

// --- What is missing

TEST(SessionResume, publications_come_back_from_history_under_their_old_numbers) {
  Core core({.replay_messages = 2});
  Client& client = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  const Ticket ticket = client.ticket();
  core.disconnect(client);
  core.hub.find(ticket.code)->push_reply(text("answer"));
  for (const std::string_view data : {"1", "2", "3", "4", "5"}) ASSERT_TRUE(core.hub.deliver("news", data));
  Client& back = core.resume(ticket, 0);
  EXPECT_EQ(back.replay.missing_to, 0u);
  EXPECT_FALSE(back.replay.gaps);
  EXPECT_EQ(back.replay.from_history, 4u);
  EXPECT_EQ(back.replay.from_ring, 2u);
  const auto got = back.link.take();
  ASSERT_EQ(got.size(), 6u);
  EXPECT_EQ(got[0], "answer");
  for (std::size_t i = 1; i < 6; ++i) EXPECT_EQ(at(got[i], "/params/data"), std::to_string(i));
}

TEST(SessionResume, what_history_has_lost_too_is_announced_exactly) {
  Core core({.history_messages = 2, .replay_messages = 2});
  Client& client = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  const Ticket ticket = client.ticket();
  core.disconnect(client);
  core.hub.find(ticket.code)->push_reply(text("answer"));
  ASSERT_EQ(send_to_all(core.hub, "1"), 1u);
  for (const std::string_view data : {"1", "2", "3", "4", "5"}) ASSERT_TRUE(core.hub.deliver("news", data));
  Client& back = core.resume(ticket, 0);
  EXPECT_TRUE(back.replay.gaps);
  EXPECT_EQ(back.replay.from_history, 1u);
  const auto got = back.link.take();
  ASSERT_EQ(got.size(), 4u);
  EXPECT_EQ(at(got[1], "/method"), R"("session.gap")");
  EXPECT_EQ(at(got[1], "/params"), R"({"missing":{"from":2,"to":5,"replies":false}})");
  EXPECT_EQ(at(got[2], "/params/data"), "4");
  EXPECT_EQ(at(got[3], "/params/data"), "5");
}

TEST(SessionResume, history_gives_nothing_of_a_topic_the_session_left) {
  Core core({.replay_messages = 1});
  Client& client = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  const Ticket ticket = client.ticket();
  core.disconnect(client);
  ASSERT_TRUE(core.hub.deliver("news", "1"));
  ASSERT_TRUE(core.hub.deliver("news", "2"));
  ASSERT_TRUE(core.hub.unsubscribe(*core.hub.find(ticket.code), "news"));
  EXPECT_EQ(core.resume(ticket, 0).replay.missing_to, 1u);
}

// --- While it catches up

TEST(SessionResume, a_replay_larger_than_the_readers_bounds_closes_nobody_and_live_messages_follow) {
  Core core(
      {.outbox_soft_bytes = 100, .outbox_soft_ms = 1000, .outbox_hard_bytes = 100, .outbox_messages = 16});
  Client& client = core.connect();
  const Ticket ticket = client.ticket();
  core.disconnect(client);
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(core.hub.find(ticket.code)->push(text("0123456789")), PushStatus::stored);
  Client& back = core.resume(ticket, 0);
  core.advance(5000);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(back.session->push(text("0123456789")), PushStatus::queued);
  EXPECT_TRUE(back.link.closes.empty());
  back.link.write(25);
  EXPECT_EQ(back.session->push(text("x")), PushStatus::stored)
      << "live ones have their whole bound and no more";
  EXPECT_EQ(back.link.closes.size(), 1u);
  core.hub.check_invariants();
}

TEST(SessionResume, when_the_replay_is_read_live_messages_have_the_bounds_again) {
  Core core({.outbox_messages = 16});
  Client& client = core.connect();
  const Ticket ticket = client.ticket();
  core.disconnect(client);
  Session& session = *core.hub.find(ticket.code);
  session.push_reply(text("answer"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(session.push(text("p")), PushStatus::stored);
  Client& back = core.resume(ticket, 0);
  EXPECT_EQ(back.link.take().size(), 21u);
  for (int i = 0; i < 16; ++i) EXPECT_EQ(session.push(text("p")), PushStatus::queued);
  EXPECT_EQ(session.push(text("p")), PushStatus::stored);
  EXPECT_EQ(back.link.closes.size(), 1u);
}

}  // namespace
}  // namespace hubbub
