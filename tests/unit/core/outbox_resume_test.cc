// What an outbox keeps for a client that is away, and what the client gets when it is back.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "hubbub/core/outbox.h"

namespace hubbub {
namespace {

constexpr std::uint32_t kTopic = 7;

FrameRef frame_of(std::string_view payload, Origin origin = {}) { return Frame::make("h", payload, origin); }

FrameRef gap_of(std::uint64_t from, std::uint64_t to, bool replies) {
  return frame_of("gap " + std::to_string(from) + '-' + std::to_string(to) + (replies ? " replies" : ""));
}

struct Mailbox : testing::Test {
  Outbox box;
  std::set<std::uint64_t> history;  // offsets that the topic still has

  void TearDown() override { box.check_invariants(); }
  // Messages "1", "2", …: named by their numbers; publications have that offset too.
  void push(Lane lane = Lane::message, Millis now = 0) {
    const std::uint64_t number = box.tail() + 1;
    const Origin origin{lane == Lane::message ? kTopic : 0, number};
    box.push(frame_of(std::to_string(number), origin), lane, now);
  }
  void push_many(int count, Lane lane = Lane::message) {
    for (int i = 0; i < count; ++i) push(lane);
  }
  void send(int count) {
    for (int i = 0; i < count; ++i) box.mark_sent();
  }
  Outbox::Replay resume(std::uint64_t received) {
    const auto refill = [this](Origin origin) {
      EXPECT_EQ(origin.topic, kTopic);
      return history.contains(origin.offset) ? frame_of("again " + std::to_string(origin.offset))
                                             : FrameRef();
    };
    const auto replay = box.resume(received, refill, gap_of);
    box.check_invariants();
    return replay;
  }
  // What the connection writes until there is no more.
  std::vector<std::string> written() {
    std::vector<std::string> out;
    for (; box.writable(); box.mark_sent()) out.emplace_back(box.at(box.sent())->payload());
    box.check_invariants();
    return out;
  }
};

using Texts = std::vector<std::string>;

TEST_F(Mailbox, sends_again_what_the_client_has_not_got_and_then_what_it_was_never_sent) {
  push_many(5);
  send(4);
  const auto replay = resume(2);
  EXPECT_EQ(box.acked(), 2u) << "what the client has is acknowledged";
  EXPECT_EQ(replay.missing_to, 0u);
  EXPECT_FALSE(replay.gaps);
  EXPECT_EQ(replay.from_ring, 3u);
  EXPECT_EQ(replay.from_history, 0u);
  EXPECT_EQ(written(), (Texts{"3", "4", "5"}));
}

TEST_F(Mailbox, gives_the_same_again_when_the_replay_was_cut_off) {
  push_many(5);
  send(5);
  for (int cuts = 0; cuts < 5; ++cuts) {
    EXPECT_EQ(resume(1).from_ring, 4u);
    send(cuts);
    EXPECT_EQ(box.sent_max(), 5u) << "it may have got them all on an earlier connection";
  }
  EXPECT_EQ(resume(5).from_ring, 0u);
  EXPECT_EQ(box.frames(), 0u);
}

TEST_F(Mailbox, counts_bytes_and_answers_as_unsent_again) {
  push();
  push(Lane::reply);
  send(2);
  EXPECT_EQ(box.kept(), 2u);
  EXPECT_EQ(box.unsent_replies(), 0u);
  static_cast<void>(resume(0));
  EXPECT_EQ(box.kept(), 0u);
  EXPECT_EQ(box.kept_bytes(), 0u);
  EXPECT_EQ(box.unsent_bytes(), 4u);
  EXPECT_EQ(box.unsent_replies(), 1u);
  EXPECT_EQ(box.unsent_reply_bytes(), 2u);
}

TEST_F(Mailbox, drops_the_oldest_publication_and_nothing_else) {
  push(Lane::reply);
  push(Lane::direct);
  push_many(2);
  push(Lane::direct);
  EXPECT_TRUE(box.drop_oldest());
  EXPECT_EQ(box.frames(), 4u);
  EXPECT_EQ(box.places(), 5u) << "its number stays";
  EXPECT_TRUE(box.drop_oldest());
  EXPECT_FALSE(box.drop_oldest()) << "direct messages and answers stay";
  EXPECT_FALSE(box.drop_oldest());
  push();
  EXPECT_TRUE(box.drop_oldest());
  static_cast<void>(resume(0));
  EXPECT_EQ(written(), (Texts{"1", "2", "gap 3-4", "5", "gap 6-6"}));
}

TEST_F(Mailbox, fills_a_hole_from_history_in_its_old_place) {
  push_many(4);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(box.drop_oldest());
  history = {2, 3};
  const auto replay = resume(0);
  EXPECT_EQ(replay.missing_to, 1u);
  EXPECT_FALSE(replay.missing_replies);
  EXPECT_FALSE(replay.gaps);
  EXPECT_EQ(replay.from_history, 2u);
  EXPECT_EQ(replay.from_ring, 1u);
  EXPECT_EQ(written(), (Texts{"again 2", "again 3", "4"}));
}

TEST_F(Mailbox, announces_each_run_of_holes_where_it_stood) {
  push_many(7);
  for (const std::uint64_t hole : {2u, 3u, 6u}) history.insert(hole);
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(box.drop_oldest());
  history = {1, 4, 7};
  const auto replay = resume(0);
  EXPECT_EQ(replay.missing_to, 0u);
  EXPECT_TRUE(replay.gaps);
  EXPECT_EQ(replay.from_history, 3u);
  EXPECT_EQ(replay.from_ring, 0u);
  EXPECT_EQ(box.at(2), nullptr) << "stood for by the announcement before it";
  EXPECT_EQ(written(), (Texts{"again 1", "gap 2-3", "again 4", "gap 5-6", "again 7"}));
  EXPECT_EQ(box.sent(), 7u);
  EXPECT_EQ(box.sent_max(), 7u);
}

TEST_F(Mailbox, an_announcement_at_the_end_is_one_step_over_all_its_places) {
  push_many(3);
  EXPECT_TRUE(box.drop_oldest());
  EXPECT_TRUE(box.drop_oldest());
  EXPECT_TRUE(box.drop_oldest());
  history = {1};
  static_cast<void>(resume(0));
  EXPECT_EQ(written(), (Texts{"again 1", "gap 2-3"}));
  EXPECT_FALSE(box.writable());
  EXPECT_EQ(box.sent(), 3u);
  push();
  EXPECT_EQ(written(), Texts{"4"});
}

TEST_F(Mailbox, an_announcement_stays_when_the_replay_is_cut_off_and_begins_again) {
  push_many(5);
  send(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(box.drop_oldest());
  history = {1};
  EXPECT_TRUE(resume(0).gaps);
  send(1);
  history = {1, 2, 3};  // too late: it may have been announced
  const auto replay = resume(0);
  EXPECT_TRUE(replay.gaps);
  EXPECT_EQ(written(), (Texts{"again 1", "gap 2-3", "4", "5"}));
}

TEST_F(Mailbox, a_client_that_has_an_announcement_goes_on_behind_its_places) {
  push_many(5);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(box.drop_oldest());
  history = {1};
  static_cast<void>(resume(0));
  send(2);
  EXPECT_EQ(box.sent(), 3u);
  const auto replay = resume(3);
  EXPECT_FALSE(replay.gaps);
  EXPECT_EQ(replay.missing_to, 0u);
  EXPECT_EQ(written(), (Texts{"4", "5"}));
}

TEST_F(Mailbox, a_client_that_claims_a_place_inside_an_announcement_is_told_of_the_rest) {
  push_many(5);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(box.drop_oldest());
  history = {1};
  static_cast<void>(resume(0));
  send(3);
  EXPECT_EQ(resume(2).missing_to, 4u);
  EXPECT_EQ(written(), Texts{"5"});
}

TEST_F(Mailbox, tells_what_was_let_go_each_time_until_the_client_has_taken_note) {
  push_many(2);
  push(Lane::reply);
  push_many(2);
  send(5);
  box.let_go(3);
  for (int i = 0; i < 3; ++i) {
    const auto replay = resume(1);
    EXPECT_EQ(replay.missing_to, 3u);
    EXPECT_TRUE(replay.missing_replies) << "the answer to this resume may be lost, too";
    EXPECT_EQ(replay.from_ring, 2u);
  }
  EXPECT_EQ(resume(3).missing_to, 0u);
}

TEST_F(Mailbox, says_that_answers_are_missing_only_if_one_is_behind_the_clients_count) {
  push(Lane::reply);
  push_many(3);
  send(4);
  box.let_go(2);
  EXPECT_FALSE(resume(1).missing_replies) << "the client has the answer, which was number 1";
}

TEST_F(Mailbox, says_that_answers_are_missing_where_they_were_not_kept) {
  for (const Lane lane : {Lane::message, Lane::direct, Lane::reply, Lane::message})
    box.push_hole({}, lane, 0);
  push();
  box.push_hole({}, Lane::reply, 0);
  push();
  box.push_hole({}, Lane::message, 0);
  const auto replay = resume(0);
  EXPECT_EQ(replay.missing_to, 4u);
  EXPECT_TRUE(replay.missing_replies);
  EXPECT_EQ(written(), (Texts{"5", "gap 6-6 replies", "7", "gap 8-8"}));
}

TEST_F(Mailbox, with_nothing_left_everything_is_missing_and_counting_goes_on) {
  push_many(2);
  send(1);
  box.let_go(2);
  const auto replay = resume(0);
  EXPECT_EQ(replay.missing_to, 2u);
  EXPECT_EQ(replay.from_ring, 0u);
  EXPECT_EQ(box.sent_max(), 2u) << "the client now counts 2, and may say so";
  push();
  EXPECT_EQ(written(), Texts{"3"});
}

TEST_F(Mailbox, a_hole_that_was_let_go_is_missing_although_history_has_it) {
  push_many(2);
  EXPECT_TRUE(box.drop_oldest());
  box.let_go(1);
  history = {1};
  EXPECT_EQ(resume(0).missing_to, 1u);
}

TEST_F(Mailbox, a_sealed_outbox_gives_a_connection_no_more_than_it_had_to_write) {
  push_many(2);
  box.seal();
  box.seal();
  push();
  EXPECT_EQ(written(), (Texts{"1", "2"}));
  EXPECT_EQ(box.unsent(), 1u);
  box.unseal();
  EXPECT_EQ(written(), Texts{"3"});
}

TEST_F(Mailbox, behind_a_seal_only_what_came_after_it_is_dropped_and_before_it_again_when_it_is_off) {
  push_many(2);
  box.seal();
  EXPECT_FALSE(box.drop_oldest()) << "a connection may be writing it";
  push_many(2);
  EXPECT_TRUE(box.drop_oldest());
  EXPECT_EQ(box.at(0)->payload(), "1");
  box.unseal();
  EXPECT_TRUE(box.drop_oldest());
  EXPECT_TRUE(box.drop_oldest());
  const auto replay = resume(0);
  EXPECT_EQ(replay.missing_to, 3u);
  EXPECT_EQ(written(), Texts{"4"});
}

TEST_F(Mailbox, sheds_the_oldest_of_one_lane_down_to_both_bounds) {
  push_many(3);
  push_many(3, Lane::direct);
  push(Lane::reply);
  box.shed(Lane::message, 6, 1000);
  EXPECT_EQ(box.frames(), 6u);
  EXPECT_TRUE(box.is_hole(0));
  box.shed(Lane::message, 6, 10);
  EXPECT_EQ(box.bytes(), 10u);
  EXPECT_TRUE(box.is_hole(1));
  box.shed(Lane::message, 0, 0);
  EXPECT_EQ(box.frames(), 4u) << "of other lanes nothing";
  box.shed(Lane::direct, 0, 0);
  EXPECT_EQ(box.frames(), 1u);
  EXPECT_EQ(resume(0).missing_to, 6u);
  EXPECT_EQ(written(), Texts{"7"});
}

TEST_F(Mailbox, lets_go_of_what_is_older_than_the_age_and_of_nothing_at_it) {
  push(Lane::message, 0);
  push(Lane::reply, 0);
  push(Lane::message, 160);
  EXPECT_EQ(box.oldest_age(160), 160);
  EXPECT_EQ(box.let_go_older(160, 160, box.tail()), 0u);
  EXPECT_EQ(box.let_go_older(160, 176, box.tail()), 2u);
  EXPECT_EQ(box.oldest_age(176), 16);
  EXPECT_EQ(box.let_go_older(160, 100'000, box.tail()), 1u);
  EXPECT_EQ(box.let_go_older(160, 100'000, box.tail()), 0u);
  EXPECT_TRUE(resume(0).missing_replies);
}

TEST_F(Mailbox, age_stops_where_a_connection_writes_and_counts_frames_only) {
  push_many(3);
  send(1);
  EXPECT_EQ(box.let_go_older(0, 100, box.sent()), 1u);
  EXPECT_EQ(box.unsent(), 2u);
  EXPECT_TRUE(box.drop_oldest());
  EXPECT_EQ(box.let_go_older(0, 100, box.tail()), 1u) << "the hole was let go before";
  EXPECT_EQ(box.places(), 0u);
}

TEST_F(Mailbox, age_is_right_when_the_clock_has_run_for_years) {
  const Millis years = Millis{1} << 42;
  push(Lane::message, years - 16);
  push(Lane::message, years + 16);
  EXPECT_EQ(box.oldest_age(years + 16), 32);
  EXPECT_EQ(box.let_go_older(16, years + 16, box.tail()), 1u);
}

TEST_F(Mailbox, what_is_kept_is_counted_in_messages_however_many_places_were_announced) {
  push_many(100);
  send(1);
  for (int i = 0; i < 99; ++i) EXPECT_TRUE(box.drop_oldest());
  history = {1};
  static_cast<void>(resume(0));
  EXPECT_EQ(written(), (Texts{"again 1", "gap 2-99", "100"}));
  EXPECT_EQ(box.kept(), 2u);
}

TEST_F(Mailbox, knows_whether_its_oldest_is_owed_to_the_client) {
  EXPECT_FALSE(box.owes_first());
  push();
  EXPECT_FALSE(box.owes_first());
  push(Lane::direct);
  push(Lane::reply);
  box.push_hole({}, Lane::reply, 0);
  box.let_go(1);
  EXPECT_TRUE(box.owes_first());
  box.let_go(2);
  EXPECT_TRUE(box.owes_first());
  box.let_go(3);
  EXPECT_FALSE(box.owes_first()) << "it is gone already";
}

TEST(MailboxFrames, of_topics_with_numbers_past_what_a_place_holds_are_not_mistaken_for_others) {
  Outbox box;
  for (const std::uint32_t topic : {(1u << 28) - 1, 1u << 28, (1u << 28) + 7}) {
    box.push(frame_of("p", {topic, 1}));
    EXPECT_TRUE(box.drop_oldest());
  }
  box.push(frame_of("end"));
  std::vector<std::uint32_t> asked;
  const auto refill = [&](Origin origin) {
    asked.push_back(origin.topic);
    return FrameRef();
  };
  EXPECT_EQ(box.resume(0, refill, gap_of).missing_to, 3u);
  EXPECT_EQ(asked, std::vector<std::uint32_t>{(1u << 28) - 1});
}

TEST(MailboxFrames, are_let_go_wherever_they_were) {
  const auto before = Frame::alive();
  {
    Outbox box;
    for (int i = 0; i < 10; ++i) box.push(frame_of("x", {kTopic, 1}));
    for (int i = 0; i < 5; ++i) box.mark_sent();
    for (int i = 0; i < 7; ++i) EXPECT_TRUE(box.drop_oldest());
    EXPECT_EQ(Frame::alive(), before + 3);
    int calls = 0;
    const auto refill = [&](Origin) { return ++calls % 2 == 1 ? frame_of("again") : FrameRef(); };
    static_cast<void>(box.resume(0, refill, gap_of));
    EXPECT_EQ(Frame::alive(), before + 10) << "three kept, four again, three announcements";
  }
  EXPECT_EQ(Frame::alive(), before);
}

}  // namespace
}  // namespace hubbub
