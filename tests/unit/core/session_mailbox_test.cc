// A session without a connection, or with one that closes: what it keeps, within which bounds, and what goes
// first.
#include <gtest/gtest.h>

#include "hubbub/core/notices.h"
#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::Core;
using test::send_to;
using test::Ticket;

FrameRef bytes(std::size_t size, char fill = 'x') { return Frame::make({}, std::string(size, fill)); }
FrameRef text(std::string_view what) { return Frame::make({}, what); }

using Texts = std::vector<std::string>;

// A session whose connection was cut before anything was sent.
struct Away {
  explicit Away(Core& with) : core(with) {
    Client& client = core.connect();
    ticket = client.ticket();
    core.disconnect(client);
    session = core.hub.find(ticket.code);
  }
  PushStatus push(std::string_view what, Lane lane = Lane::message) {
    return session->push(text(what), lane);
  }
  Client& back() { return core.resume(ticket, 0); }

  Core& core;
  Ticket ticket;
  Session* session;
};

TEST(SessionMailbox, keeps_messages_up_to_replay_messages_and_one_more_costs_the_oldest) {
  Core core({.replay_messages = 3});
  Away away(core);
  Session& session = *away.session;
  for (const std::string_view one : {"a", "b", "c"}) EXPECT_EQ(session.push(text(one)), PushStatus::stored);
  EXPECT_EQ(session.outbox().frames(), 3u);
  EXPECT_EQ(core.hits(LimitHit::replay), 0u);
  EXPECT_EQ(session.push(text("d")), PushStatus::stored);
  EXPECT_EQ(session.outbox().frames(), 3u);
  EXPECT_EQ(core.hits(LimitHit::replay), 1u);
  Client& back = away.back();
  EXPECT_EQ(back.replay.missing_to, 1u);
  EXPECT_EQ(back.link.take(), (Texts{"b", "c", "d"}));
}

TEST(SessionMailbox, keeps_bytes_up_to_replay_bytes_and_one_more_costs_the_oldest) {
  Core core({.replay_bytes = 300});
  Away away(core);
  Session& session = *away.session;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(session.push(bytes(100)), PushStatus::stored);
  EXPECT_EQ(core.hits(LimitHit::replay), 0u);
  EXPECT_EQ(session.push(bytes(101)), PushStatus::stored);
  EXPECT_EQ(core.hits(LimitHit::replay), 2u) << "201 bytes have to go for it";
  EXPECT_EQ(session.outbox().bytes(), 201u);
  session.check_invariants();
}

TEST(SessionMailbox, a_message_that_can_never_fit_costs_the_others_nothing) {
  Core core({.replay_bytes = 300});
  Away away(core);
  Session& session = *away.session;
  EXPECT_EQ(session.push(bytes(300, 'a')), PushStatus::stored);
  EXPECT_EQ(session.push(bytes(301)), PushStatus::lost);
  EXPECT_EQ(session.push(bytes(301), Lane::direct), PushStatus::full);
  EXPECT_EQ(core.hits(LimitHit::replay), 2u);
  EXPECT_EQ(session.outbox().places(), 2u) << "what was refused has no number";
  Client& back = away.back();
  EXPECT_TRUE(back.replay.gaps);
  const auto got = back.link.take();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0], std::string(300, 'a'));
  EXPECT_EQ(at(got[1], "/params/missing"), R"({"from":2,"to":2,"replies":false})");
}

TEST(SessionMailbox, direct_messages_outlive_all_publications_and_are_refused_when_they_fill_it) {
  Core core({.replay_messages = 3});
  Away away(core);
  Session& session = *away.session;
  EXPECT_EQ(session.push(text("d1"), Lane::direct), PushStatus::stored);
  EXPECT_EQ(session.push(text("p")), PushStatus::stored);
  EXPECT_EQ(session.push(text("d2"), Lane::direct), PushStatus::stored);
  EXPECT_EQ(session.push(text("d3"), Lane::direct), PushStatus::stored) << "the publication goes for it";
  const std::uint64_t places = session.outbox().places();
  EXPECT_EQ(session.push(text("d4"), Lane::direct), PushStatus::full);
  EXPECT_EQ(session.outbox().places(), places) << "its sender was told: it is not counted";
  EXPECT_EQ(session.push(text("p")), PushStatus::lost);
  const auto refused = send_to(core.hub, away.ticket.code, "x", "1");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::mailbox_full);
  Client& back = away.back();
  const auto got = back.link.take();
  ASSERT_EQ(got.size(), 5u);
  EXPECT_EQ(got[0], "d1");
  EXPECT_EQ(at(got[1], "/params/missing"), R"({"from":2,"to":2,"replies":false})");
  EXPECT_EQ(got[2], "d2");
  EXPECT_EQ(got[3], "d3");
  EXPECT_EQ(at(got[4], "/params/missing"), R"({"from":5,"to":5,"replies":false})");
}

TEST(SessionMailbox, answers_are_taken_past_every_bound) {
  Core core({.replay_messages = 2, .replay_bytes = 100});
  Away away(core);
  Session& session = *away.session;
  EXPECT_EQ(session.push(text("d"), Lane::direct), PushStatus::stored);
  EXPECT_EQ(session.push(text("p")), PushStatus::stored);
  for (int i = 0; i < 10; ++i) session.push_reply(bytes(50));
  EXPECT_EQ(session.outbox().frames(), 11u) << "only the publication went";
  EXPECT_EQ(away.back().link.take().size(), 12u) << "and is announced";
}

TEST(SessionMailbox, an_answer_outlives_more_publications_than_numbers_are_remembered_without_it) {
  Core core({.replay_messages = 4});
  Away away(core);
  Session& session = *away.session;
  session.push_reply(text("answer"));
  const int publications = static_cast<int>(4 * Session::kPlacesFactor * 3);
  for (int i = 0; i < publications; ++i) EXPECT_EQ(session.push(text("p")), PushStatus::stored);
  Client& back = away.back();
  EXPECT_EQ(back.replay.missing_to, 0u);
  EXPECT_EQ(back.link.take().front(), "answer");
}

TEST(SessionMailbox, the_numbers_remembered_are_bounded) {
  Core core({.replay_messages = 4});
  Away away(core);
  Session& session = *away.session;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(session.push(text("p")), PushStatus::stored);
  EXPECT_EQ(session.outbox().places(), 4 * Session::kPlacesFactor);
  session.push_reply(text("answer"));
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(session.push(text("p")), PushStatus::stored);
  EXPECT_LE(session.outbox().places(), 4 * Session::kPlacesFactor * Session::kPlacesFactor);
  EXPECT_EQ(away.back().replay.missing_to, 10'997u) << "every number is accounted for";
}

TEST(SessionMailbox, what_is_older_than_replay_age_goes_whatever_it_is) {
  Core core({.grace_ms = 1'000'000, .replay_age_ms = 5000});
  Away away(core);
  Session& session = *away.session;
  session.push_reply(text("answer"));
  EXPECT_EQ(session.push(text("d"), Lane::direct), PushStatus::stored);
  core.advance(2000);
  EXPECT_EQ(session.push(text("p")), PushStatus::stored);
  core.advance(2900);
  EXPECT_EQ(session.outbox().frames(), 3u);
  core.advance(200);
  EXPECT_EQ(session.outbox().frames(), 1u) << "memory is given back in time, asked or not";
  EXPECT_EQ(core.hits(LimitHit::replay), 2u);
  core.advance(2100);
  EXPECT_EQ(session.outbox().frames(), 0u);
  Client& back = away.back();
  EXPECT_EQ(back.replay.missing_to, 3u);
  EXPECT_TRUE(back.replay.missing_replies);
}

TEST(SessionMailbox, what_is_too_old_does_not_come_even_if_no_timer_has_fired_yet) {
  Core core({.replay_age_ms = 5000});
  Away away(core);
  EXPECT_EQ(away.push("p"), PushStatus::stored);
  core.clock.now += 6000;
  core.env.turn_now = core.clock.now;
  EXPECT_EQ(away.back().replay.missing_to, 1u);
}

TEST(SessionMailbox, with_a_bound_of_zero_nothing_is_kept_and_everything_announced) {
  for (const Limits& off :
       {Limits{.replay_messages = 0}, Limits{.replay_bytes = 0}, Limits{.replay_age_ms = 0}}) {
    Core core(off);
    Client& client = core.connect();
    const Ticket ticket = client.ticket();
    EXPECT_EQ(client.session->push(text("sent")), PushStatus::queued);
    client.link.take();
    EXPECT_EQ(client.session->outbox().frames(), 0u);
    EXPECT_EQ(client.session->push(text("unsent")), PushStatus::queued);
    core.disconnect(client);
    Session& session = *core.hub.find(ticket.code);
    EXPECT_EQ(session.outbox().frames(), 0u);
    EXPECT_EQ(session.push(text("p")), PushStatus::lost);
    EXPECT_EQ(session.push(text("d"), Lane::direct), PushStatus::full);
    session.push_reply(text("answer"));
    Client& back = core.resume(ticket, 1);
    EXPECT_EQ(back.replay.missing_to, 4u);
    EXPECT_TRUE(back.replay.missing_replies);
    EXPECT_EQ(back.session->push(text("next")), PushStatus::queued);
    EXPECT_EQ(back.link.take(), Texts{"next"});
    core.hub.check_invariants();
  }
}

TEST(SessionMailbox, with_a_bound_of_zero_an_answer_that_was_written_and_did_not_arrive_is_announced_as_one) {
  for (const Limits& off :
       {Limits{.replay_messages = 0}, Limits{.replay_bytes = 0}, Limits{.replay_age_ms = 0}}) {
    Core core(off);
    Client& client = core.connect();
    const Ticket ticket = client.ticket();
    EXPECT_EQ(client.session->push(text("p")), PushStatus::queued);
    client.session->push_reply(text("answer"));
    client.link.take();
    core.disconnect(client);
    Client& back = core.resume(ticket, 1);
    EXPECT_EQ(back.replay.missing_to, 2u);
    EXPECT_TRUE(back.replay.missing_replies);
  }
}

TEST(SessionMailbox, a_cut_brings_what_was_bounded_for_a_reader_within_the_mailboxs_bounds) {
  Core core({.replay_messages = 4});
  Client& client = core.connect();
  const Ticket ticket = client.ticket();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.session->push(text("p")), PushStatus::queued);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.session->push(text("d"), Lane::direct), PushStatus::queued);
  client.session->push_reply(text("answer"));
  EXPECT_EQ(core.hits(LimitHit::replay), 0u);
  core.disconnect(client);
  EXPECT_EQ(core.hits(LimitHit::replay), 3u);
  Client& back = core.resume(ticket, 0);
  EXPECT_EQ(back.replay.missing_to, 3u) << "publications first";
  EXPECT_EQ(back.link.take(), (Texts{"d", "d", "d", "answer"}));
}

TEST(SessionMailbox, what_is_sent_and_not_acknowledged_is_bounded_the_most_recent_stays) {
  Core core({.replay_messages = 3});
  Client& client = core.connect();
  const Ticket ticket = client.ticket();
  for (const std::string_view one : {"a", "b", "c"})
    EXPECT_EQ(client.session->push(text(one)), PushStatus::queued);
  client.link.take();
  EXPECT_EQ(client.session->outbox().kept(), 3u);
  EXPECT_EQ(core.hits(LimitHit::replay), 0u);
  client.session->push_reply(text("d"));
  client.link.take();
  EXPECT_EQ(client.session->outbox().kept(), 3u);
  EXPECT_EQ(core.hits(LimitHit::replay), 1u);
  core.disconnect(client);
  EXPECT_EQ(core.resume(ticket, 1).link.take(), (Texts{"b", "c", "d"})) << "the client has the first";
}

TEST(SessionMailbox, what_is_sent_and_not_acknowledged_is_bounded_in_bytes_and_age) {
  Core core({.replay_bytes = 100, .replay_age_ms = 5000});
  Client& client = core.connect();
  EXPECT_EQ(client.session->push(bytes(60)), PushStatus::queued);
  EXPECT_EQ(client.session->push(bytes(60)), PushStatus::queued);
  client.link.take();
  EXPECT_EQ(client.session->outbox().kept_bytes(), 60u);
  EXPECT_EQ(core.hits(LimitHit::replay), 1u);
  core.advance(10'100);
  EXPECT_EQ(client.session->outbox().kept(), 0u);
  EXPECT_EQ(core.hits(LimitHit::replay), 2u);
}

TEST(SessionMailbox, an_announcement_of_many_places_costs_the_messages_around_it_nothing) {
  Core core({.replay_messages = 4});
  Away away(core);
  Session& session = *away.session;
  session.push_reply(text("answer"));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(session.push(text("p")), PushStatus::stored);
  for (int cuts = 0; cuts < 2; ++cuts) {
    Client& back = away.back();
    away.ticket.token = back.token;
    EXPECT_EQ(back.replay.missing_to, 0u);
    const auto got = back.link.take();
    ASSERT_EQ(got.size(), 5u);
    EXPECT_EQ(got[0], "answer");
    EXPECT_EQ(at(got[1], "/params/missing/to"), "48");
    if (cuts == 0) core.disconnect(back);
  }
}

// Direct messages with a publication between any two, for which there is no room.
void fill_with_holes_between(Away& away, std::size_t size) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(away.session->push(bytes(size, 'd'), Lane::direct), PushStatus::stored);
    if (i < 3) away.session->push(bytes(size, 'p'));
  }
}

TEST(SessionMailbox, announcements_take_no_room_from_messages_at_the_next_cut) {
  Core core({.replay_messages = 4});
  Away away(core);
  fill_with_holes_between(away, 1);
  for (int cuts = 0; cuts < 3; ++cuts) {
    Client& back = away.back();
    away.ticket.token = back.token;
    EXPECT_EQ(back.replay.missing_to, 0u);
    EXPECT_EQ(back.replay.from_ring, 4u);
    core.disconnect(back);
  }
  EXPECT_EQ(core.hits(LimitHit::replay), 3u) << "the publications";
}

TEST(SessionMailbox, announcements_that_were_written_take_no_bytes_from_messages) {
  Core core({.replay_bytes = 400});
  Away away(core);
  fill_with_holes_between(away, 100);
  for (int cuts = 0; cuts < 3; ++cuts) {
    Client& back = away.back();
    away.ticket.token = back.token;
    EXPECT_EQ(back.replay.missing_to, 0u);
    EXPECT_EQ(back.replay.from_ring, 4u);
    EXPECT_EQ(back.link.take().size(), 7u);
    back.session->check_invariants();
    core.disconnect(back);
  }
  EXPECT_EQ(core.hits(LimitHit::replay), 3u) << "the publications";
}

TEST(SessionMailbox, while_a_connection_closes_messages_wait_behind_what_it_still_writes) {
  Core core({.outbox_messages = 16, .replay_messages = 2});
  Client& client = core.connect();
  const Ticket ticket = client.ticket();
  EXPECT_EQ(client.session->push(text("before")), PushStatus::queued);
  client.session->close_link(1012, "restart", CloseMode::after_outbox);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(client.session->push(text(std::to_string(i))), PushStatus::stored);
  EXPECT_EQ(client.session->outbox().frames(), 18u);
  EXPECT_EQ(client.link.take(), Texts{"before"}) << "it is untouched";
  core.disconnect(client);
  Client& back = core.resume(ticket, 1);
  EXPECT_EQ(back.replay.missing_to, 29u);
  EXPECT_EQ(back.link.take(), (Texts{"28", "29"}));
}

TEST(SessionMailbox, while_a_connection_closes_nothing_that_it_may_be_writing_goes_for_others) {
  Core core({.outbox_messages = 16, .replay_messages = 16});
  Client& client = core.connect();
  const Ticket ticket = client.ticket();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(client.session->push(text("p")), PushStatus::queued);
  client.session->close_link(1012, "restart", CloseMode::after_outbox);
  for (int i = 0; i < 22; ++i) EXPECT_EQ(client.session->push(text("d"), Lane::direct), PushStatus::stored);
  EXPECT_EQ(client.session->push(text("d"), Lane::direct), PushStatus::full)
      << "nothing behind the seal may go";
  core.disconnect(client);
  Session& session = *core.hub.find(ticket.code);
  EXPECT_EQ(session.outbox().frames(), 16u);
  session.check_invariants();
}

}  // namespace
}  // namespace hubbub
