// The opening exchange with session.resume, as a client says it: on hubbub.v1 and in plain mode.
#include <gtest/gtest.h>

#include "tests/unit/core/channel_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Core;
using test::Peer;
using test::text_at;
using test::Ticket;

using Texts = std::vector<std::string>;

constexpr std::string_view kOpen = R"({"jsonrpc":"2.0","id":1,"method":"session.open"})";

// Of session.opened, or of the answer to session.open or session.resume.
Ticket ticket_of(std::string_view json) {
  const std::string at_session = at(json, "/params") != "absent" ? "/params/session/" : "/result/session/";
  return {text_at(json, at_session + "code"), text_at(json, at_session + "token"),
          text_at(json, at_session + "epoch")};
}

std::string resume_text(const Ticket& ticket, std::uint64_t received) {
  return R"({"jsonrpc":"2.0","id":9,"method":"session.resume","params":{"code":")" + ticket.code +
         R"(","token":")" + ticket.token + R"(","epoch":")" + ticket.epoch + R"(","received":)" +
         std::to_string(received) + "}}";
}

std::string echo(int number) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(number) + R"(,"method":"echo","params":[)" +
         std::to_string(number) + "]}";
}

std::string echoed(int number) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(number) + R"(,"result":[)" + std::to_string(number) +
         "]}";
}

// A session that had `calls` answered and lost its connection.
Ticket lost_session(Core& core, ChannelMode mode, int calls) {
  Peer peer(core, mode);
  const Ticket ticket = ticket_of(mode == ChannelMode::v1 ? peer.ask(kOpen) : peer.link.uncounted.at(0));
  for (int i = 1; i <= calls; ++i) peer.say(echo(i));
  peer.link.take();
  return ticket;
}

TEST(ChannelResume, v1_answers_with_the_counts_of_both_sides_then_sends_what_is_missing) {
  Core core;
  const Ticket ticket = lost_session(core, ChannelMode::v1, 3);
  core.hub.find(ticket.code)->push(Frame::make({}, "stored"));
  Peer peer(core, ChannelMode::v1);
  const std::string reply = peer.ask(resume_text(ticket, 1));
  EXPECT_EQ(at(reply, "/id"), "9");
  EXPECT_EQ(text_at(reply, "/result/session/code"), ticket.code);
  EXPECT_EQ(text_at(reply, "/result/session/epoch"), ticket.epoch);
  EXPECT_NE(text_at(reply, "/result/session/token"), ticket.token);
  EXPECT_EQ(at(reply, "/result/resumed"), "true");
  EXPECT_EQ(at(reply, "/result/recovered"), "true");
  EXPECT_EQ(at(reply, "/result/sent"), "4");
  EXPECT_EQ(at(reply, "/result/received"), "3");
  EXPECT_EQ(at(reply, "/result/missing"), "absent");
  EXPECT_EQ(at(reply, "/result/replayed"), R"({"ring":3,"history":0})");
  EXPECT_NE(at(reply, "/result/limits/replay"), "absent");
  EXPECT_NE(at(reply, "/result/server/version"), "absent");
  EXPECT_EQ(peer.link.take(), (Texts{echoed(2), echoed(3), "stored"})) << "the answer itself is not counted";
  peer.say(echo(4));
  EXPECT_EQ(peer.link.take(), Texts{echoed(4)});
  core.advance(core.limits.open_deadline_ms);
  EXPECT_TRUE(peer.link.closes.empty()) << "the deadline is over with the resume";
}

TEST(ChannelResume, tells_what_is_missing_between_the_counts) {
  Core core({.replay_messages = 2});
  const Ticket ticket = lost_session(core, ChannelMode::v1, 5);
  Peer peer(core, ChannelMode::v1);
  const std::string reply = peer.ask(resume_text(ticket, 1));
  EXPECT_EQ(at(reply, "/result/recovered"), "false");
  EXPECT_EQ(at(reply, "/result/missing"), R"({"from":2,"to":3,"replies":true})");
  EXPECT_EQ(peer.link.take(), (Texts{echoed(4), echoed(5)}));
}

TEST(ChannelResume, is_not_recovered_if_an_announcement_will_come_in_between) {
  Core core({.replay_messages = 2});
  const Ticket ticket = lost_session(core, ChannelMode::v1, 1);
  for (const std::string_view one : {"a", "b", "c"}) core.hub.find(ticket.code)->push(Frame::make({}, one));
  Peer peer(core, ChannelMode::v1);
  const std::string reply = peer.ask(resume_text(ticket, 0));
  EXPECT_EQ(at(reply, "/result/recovered"), "false");
  EXPECT_EQ(at(reply, "/result/missing"), "absent");
  EXPECT_EQ(at(reply, "/result/sent"), "4");
  EXPECT_EQ(
      peer.link.take(),
      (Texts{
          echoed(1),
          R"({"jsonrpc":"2.0","method":"session.gap","params":{"missing":{"from":2,"to":3,"replies":false}}})",
          "c"}));
}

TEST(ChannelResume, v1_a_refused_one_may_be_tried_again_or_followed_by_an_open) {
  Core core;
  const Ticket ticket = lost_session(core, ChannelMode::v1, 1);
  Ticket wrong = ticket;
  wrong.token = "x";
  Peer peer(core, ChannelMode::v1);
  EXPECT_EQ(at(peer.ask(resume_text(wrong, 0)), "/error/code"), "-32021");
  const std::string too_many = peer.ask(resume_text(ticket, 2));
  EXPECT_EQ(at(too_many, "/error/code"), "-32602");
  EXPECT_EQ(at(too_many, "/error/data/field"), R"("received")");
  EXPECT_EQ(at(peer.ask(R"({"jsonrpc":"2.0","id":1,"method":"session.resume","params":{"code":"a"}})"),
               "/error/code"),
            "-32602");
  EXPECT_TRUE(peer.link.closes.empty());
  EXPECT_EQ(at(peer.ask(resume_text(ticket, 0)), "/result/resumed"), "true");
  Peer other(core, ChannelMode::v1);
  EXPECT_EQ(at(other.ask(resume_text(wrong, 0)), "/error/code"), "-32021");
  EXPECT_EQ(at(other.ask(kOpen), "/result/resumed"), "false");
}

TEST(ChannelResume, v1_too_many_refused_ones_end_the_connection) {
  Core core({.open_attempts = 3});
  Ticket wrong = lost_session(core, ChannelMode::v1, 1);
  wrong.token = "x";
  Peer peer(core, ChannelMode::v1);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(at(peer.ask(resume_text(wrong, 0)), "/error/code"), "-32021");
  EXPECT_TRUE(peer.link.closes.empty());
  EXPECT_EQ(core.hits(LimitHit::open_attempts), 0u);
  EXPECT_EQ(at(peer.ask(resume_text(wrong, 0)), "/error/code"), "-32021") << "the last one is answered, too";
  ASSERT_EQ(peer.link.closes.size(), 1u);
  EXPECT_EQ(peer.link.closes[0].code, 4013);
  EXPECT_TRUE(peer.link.closes[0].reason.contains("limits.open_attempts"));
  EXPECT_EQ(core.hits(LimitHit::open_attempts), 1u);
}

TEST(ChannelResume, v1_a_draining_server_answers_and_closes) {
  Core core;
  const Ticket ticket = lost_session(core, ChannelMode::v1, 0);
  core.hub.begin_drain(0);
  Peer peer(core, ChannelMode::v1);
  EXPECT_EQ(at(peer.ask(resume_text(ticket, 0)), "/error/code"), "-32029");
  ASSERT_EQ(peer.link.closes.size(), 1u);
  EXPECT_EQ(peer.link.closes[0].code, 1012);
}

TEST(ChannelResume, plain_drops_the_fresh_session_and_takes_the_named_one) {
  Core core;
  const Ticket ticket = lost_session(core, ChannelMode::plain, 2);
  Peer peer(core, ChannelMode::plain);
  const Ticket fresh = ticket_of(peer.link.uncounted.at(0));
  core.hub.find(fresh.code)->push(Frame::make({}, "for the fresh one"));
  const std::string reply = peer.ask(resume_text(ticket, 1));
  EXPECT_EQ(at(reply, "/result/resumed"), "true");
  EXPECT_EQ(at(reply, "/result/received"), "2");
  EXPECT_EQ(peer.link.releases, 1) << "what is half on the wire stays with the connection";
  EXPECT_EQ(core.hub.find(fresh.code), nullptr);
  EXPECT_EQ(core.hub.counts().attached, 1u);
  EXPECT_EQ(peer.link.take(), Texts{echoed(2)});
  EXPECT_EQ(peer.channel->label(), ticket.code);
  core.hub.check_invariants();
  peer.cut();
  EXPECT_EQ(core.hub.find(ticket.code)->state(), SessionState::detached);
}

TEST(ChannelResume, plain_a_refused_one_leaves_the_fresh_session_and_may_be_tried_again) {
  Core core;
  const Ticket ticket = lost_session(core, ChannelMode::plain, 1);
  Ticket wrong = ticket;
  wrong.epoch = "x";
  Peer peer(core, ChannelMode::plain);
  const Ticket fresh = ticket_of(peer.link.uncounted.at(0));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(at(peer.ask(resume_text(wrong, 0)), "/error/code"), "-32021");
  EXPECT_EQ(core.hub.find(fresh.code)->outbox().tail(), 0u) << "the refusals are not counted";
  EXPECT_EQ(core.hub.find(fresh.code)->received(), 0u) << "nor what they answer";
  EXPECT_EQ(at(peer.ask(resume_text(ticket, 0)), "/result/resumed"), "true");
  EXPECT_EQ(peer.link.take(), Texts{echoed(1)});
}

TEST(ChannelResume, plain_an_acknowledgement_is_no_first_message) {
  Core core;
  const Ticket ticket = lost_session(core, ChannelMode::plain, 1);
  Peer peer(core, ChannelMode::plain);
  peer.say(R"({"jsonrpc":"2.0","method":"session.ack","params":{"received":0}})");
  EXPECT_EQ(at(peer.ask(resume_text(ticket, 0)), "/result/resumed"), "true");
}

TEST(ChannelResume, plain_behind_a_counted_message_it_is_an_ordinary_call_and_refused) {
  for (const std::string& first : {echo(1), std::string("not JSON"), std::string("[]")}) {
    Core core;
    const Ticket ticket = lost_session(core, ChannelMode::plain, 1);
    Peer peer(core, ChannelMode::plain);
    peer.say(first);
    peer.say(resume_text(ticket, 0));
    const auto got = peer.link.take();
    ASSERT_EQ(got.size(), 2u);
    EXPECT_EQ(at(got[1], "/error/code"), "-32600") << "answered in the stream, counted";
    EXPECT_EQ(core.hub.find(ticket.code)->state(), SessionState::detached);
  }
}

TEST(ChannelResume, plain_a_second_one_is_an_ordinary_call_even_if_the_session_was_never_sent_anything) {
  Core core;
  const Ticket quiet = lost_session(core, ChannelMode::plain, 0);
  const Ticket other = lost_session(core, ChannelMode::plain, 0);
  Peer peer(core, ChannelMode::plain);
  EXPECT_EQ(at(peer.ask(resume_text(quiet, 0)), "/result/resumed"), "true");
  peer.say(resume_text(other, 0));
  const auto got = peer.link.take();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(at(got[0], "/error/code"), "-32600");
  ASSERT_NE(core.hub.find(quiet.code), nullptr) << "it is not dropped for the other";
  EXPECT_EQ(core.hub.find(quiet.code)->received(), 1u);
  EXPECT_EQ(core.hub.find(other.code)->state(), SessionState::detached);
}

TEST(ChannelResume, plain_its_own_session_cannot_be_resumed_at_the_same_connection) {
  Core core;
  Peer peer(core, ChannelMode::plain);
  const Ticket own = ticket_of(peer.link.uncounted.at(0));
  EXPECT_EQ(at(peer.ask(resume_text(own, 0)), "/error/code"), "-32600");
  EXPECT_TRUE(peer.link.closes.empty());
  peer.say(echo(1));
  EXPECT_EQ(peer.link.take(), Texts{echoed(1)});
}

TEST(ChannelResume, plain_attempts_cost_the_rate_allowance) {
  Core core({.rate_per_s = 1, .rate_burst = 3});
  Peer peer(core, ChannelMode::plain);
  const Ticket wrong{"happy-panda-1", "x", "y"};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(at(peer.ask(resume_text(wrong, 0)), "/error/code"), "-32021");
  const std::string refused = peer.ask(resume_text(wrong, 0));
  EXPECT_EQ(at(refused, "/error/code"), "-32025");
  EXPECT_EQ(at(refused, "/error/data/retry_after_ms"), "1000");
}

TEST(ChannelResume, v1_open_and_resume_later_are_counted_calls_and_refused) {
  Core core;
  const Ticket ticket = lost_session(core, ChannelMode::v1, 0);
  Peer peer(core, ChannelMode::v1);
  const Ticket own = ticket_of(peer.ask(kOpen));
  peer.say(resume_text(ticket, 0));
  peer.say(kOpen);
  for (const std::string& reply : peer.link.take()) EXPECT_EQ(at(reply, "/error/code"), "-32600");
  EXPECT_EQ(core.hub.find(own.code)->received(), 2u);
  EXPECT_EQ(core.hub.find(own.code)->outbox().sent(), 2u);
}

TEST(ChannelResume, a_superseded_connection_has_no_session_and_is_not_listened_to) {
  for (const ChannelMode mode : {ChannelMode::plain, ChannelMode::v1}) {
    Core core;
    Peer old(core, mode);
    const Ticket ticket = ticket_of(mode == ChannelMode::v1 ? old.ask(kOpen) : old.link.uncounted.at(0));
    Peer fresh(core, mode);
    EXPECT_EQ(at(fresh.ask(resume_text(ticket, 0)), "/result/resumed"), "true");
    ASSERT_EQ(old.link.closes.size(), 1u);
    EXPECT_EQ(old.link.closes[0].code, 4512);
    EXPECT_EQ(old.channel->outbox(), nullptr);
    EXPECT_TRUE(old.channel->accepts_input());
    old.link.uncounted.clear();
    old.say(echo(1));
    old.say(kOpen);
    old.say(resume_text(ticket, 0));
    EXPECT_TRUE(old.link.uncounted.empty());
    EXPECT_EQ(core.hub.find(ticket.code)->received(), 0u);
    EXPECT_EQ(core.hub.counts().attached, 1u);
    old.channel->on_closing();
    EXPECT_EQ(old.channel->label(), ticket.code) << "the log says whom it served";
    old.cut();
    EXPECT_EQ(core.hub.counts().detached, 0u);
    fresh.say(echo(2));
    EXPECT_EQ(fresh.link.take(), Texts{echoed(2)});
  }
}

TEST(ChannelResume, answers_of_calls_in_flight_at_the_cut_come_with_the_replay) {
  Core core;
  std::vector<Reply<int>> late;
  core.table.add<NoParams, int>("later", [&late](Call& call, const NoParams&) {
    late.emplace_back(call.defer<int>());
    return Deferred{};
  });
  Peer peer(core, ChannelMode::v1);
  const Ticket ticket = ticket_of(peer.ask(kOpen));
  for (const int id : {1, 2})
    peer.say(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":"later"})");
  peer.cut();
  late[0].send(10);
  Peer back(core, ChannelMode::v1);
  EXPECT_EQ(at(back.ask(resume_text(ticket, 0)), "/result/received"), "2") << "neither is to be sent again";
  EXPECT_EQ(back.link.take(), Texts{R"({"jsonrpc":"2.0","id":1,"result":10})"});
  late[1].send(20);
  EXPECT_EQ(back.link.take(), Texts{R"({"jsonrpc":"2.0","id":2,"result":20})"});
}

TEST(ChannelResume, v1_and_whoever_resumed_are_told_what_was_received) {
  Core core;
  const Ticket ticket = lost_session(core, ChannelMode::plain, 0);
  Peer v1(core, ChannelMode::v1);
  v1.say(kOpen);
  Peer plain(core, ChannelMode::plain);
  Peer resumed(core, ChannelMode::plain);
  resumed.say(resume_text(ticket, 0));
  for (Peer* peer : {&v1, &plain, &resumed}) {
    peer->say(echo(1));
    peer->link.uncounted.clear();
  }
  core.advance(Session::kAckDelayMs);
  const Texts ack{R"({"jsonrpc":"2.0","method":"session.ack","params":{"received":1}})"};
  EXPECT_EQ(v1.link.uncounted, ack);
  EXPECT_TRUE(plain.link.uncounted.empty());
  EXPECT_EQ(resumed.link.uncounted, ack);
}

}  // namespace
}  // namespace hubbub
