// What becomes of publications when the way from a topic's home to a mirror is full.
#include "hubbub/core/topic_mirrors.h"

#include <gtest/gtest.h>

#include "tests/unit/core/mirror_pair.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::kFar;
using test::kHome;
using test::kOther;
using test::offsets;
using test::publish_text;
using test::reply_to;
using test::request;
using test::Shards;
using test::subscribe_text;
using Pair = test::MirrorPair;

// --- A way to a mirror that is full

TEST(TopicMirrors, a_mirror_that_fell_behind_is_given_what_history_has) {
  Pair pair;
  pair.subscribe();
  pair.shards.way(kHome, kFar).room = 2;
  pair.publish(5);
  EXPECT_EQ(pair.shards.way(kHome, kFar).refused, 1u) << "then it is not tried any more";
  pair.shards.settle();
  EXPECT_EQ(offsets(pair.reader.link.take()), "1 2");
  pair.shards.make_room(kHome, kFar);
  pair.shards.settle();
  EXPECT_EQ(offsets(pair.reader.link.take()), "3 4 5");
  EXPECT_TRUE(pair.reader.link.closes.empty());
  pair.publish();
  pair.shards.settle();
  EXPECT_EQ(offsets(pair.reader.link.take()), "6");
}

TEST(TopicMirrors, one_mirror_that_fell_behind_does_not_hold_up_another) {
  Shards shards(3);
  const std::string topic = shards.topic_at(kHome);
  Client& slow = shards[kFar].connect();
  Client& quick = shards[kOther].connect();
  shards.exchange(kFar, slow, subscribe_text(topic));
  shards.exchange(kOther, quick, subscribe_text(topic));
  shards.way(kHome, kFar).room = 0;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(shards[kHome].hub.deliver(topic, "1"));
  shards.settle();
  EXPECT_EQ(offsets(quick.link.take()), "1 2 3");
  EXPECT_EQ(offsets(slow.link.take()), "");
  shards.make_room(kHome, kFar);
  shards.settle();
  EXPECT_EQ(offsets(slow.link.take()), "1 2 3");
}

TEST(TopicMirrors, catching_up_that_finds_no_room_is_tried_again) {
  Pair pair;
  pair.subscribe();
  pair.shards.way(kHome, kFar).room = 0;
  pair.publish(3);
  pair.shards.make_room(kHome, kFar, 0);
  pair.shards.settle();
  pair.publish();
  pair.shards.make_room(kHome, kFar);
  pair.shards.settle();
  EXPECT_EQ(offsets(pair.reader.link.take()), "1 2 3 4");
}

TEST(TopicMirrors, a_mirror_that_left_while_behind_and_came_back_gets_nothing_twice) {
  Pair pair;
  pair.subscribe();
  pair.shards.way(kHome, kFar).room = 0;
  pair.publish(3);
  ASSERT_TRUE(pair.shards[kFar].hub.unsubscribe(*pair.reader.session, pair.topic));
  pair.shards.advance(1000);
  pair.ask();
  pair.shards.settle();
  pair.shards.make_room(kHome, kFar);
  pair.publish();
  pair.shards.settle();
  const auto told = pair.reader.link.take();
  EXPECT_EQ(at(reply_to(told), "/result/offset"), "3");
  EXPECT_EQ(offsets(told), "4");
}

TEST(TopicMirrors, what_history_let_go_of_is_lost_and_its_readers_are_sent_away_and_told_on_resume) {
  Pair pair({.history_messages = 2});
  pair.subscribe();
  pair.shards.way(kHome, kFar).room = 0;
  pair.publish(5);
  pair.shards.make_room(kHome, kFar);
  pair.shards.settle();
  ASSERT_EQ(pair.reader.link.closes.size(), 1u);
  EXPECT_EQ(pair.reader.link.closes[0].code, 1013);
  EXPECT_TRUE(pair.shards[kFar].log.mentions("publications lost between shards topic=" + pair.topic +
                                             " from=1 to=3 subscribers=1"));
  const test::Ticket ticket = pair.reader.ticket();
  pair.shards[kFar].disconnect(pair.reader);
  Client& back = pair.shards[kFar].resume(ticket, 1);  // the answer to topic.subscribe
  EXPECT_EQ(back.replay.missing_to, 4u);
  const auto told = back.link.take();
  EXPECT_EQ(offsets(told), "4 5");
  pair.publish();
  pair.shards.settle();
  EXPECT_EQ(offsets(back.link.take()), "6") << "the subscription goes on";
}

TEST(TopicMirrors, without_history_all_of_a_full_way_is_lost) {
  Pair pair({.history_messages = 0});
  pair.subscribe();
  pair.shards.way(kHome, kFar).room = 0;
  pair.publish(2);
  pair.shards.make_room(kHome, kFar);
  pair.shards.settle();
  EXPECT_EQ(pair.reader.link.closes.size(), 1u);
  pair.publish();
  pair.shards.settle();
  pair.shards.check_invariants();
}

TEST(TopicMirrors, losing_publications_while_a_subscriber_is_held_keeps_what_follows_without_a_double) {
  Pair pair({.history_messages = 2});
  pair.publish();
  Topics& far = pair.shards[kFar].hub.topics();
  far.subscribe(*pair.reader.session, pair.topic, {.last = 1}, [](const Result<Subscribed>&) {});
  pair.shards.settle();
  pair.shards.way(kHome, kFar).room = 0;
  pair.publish(5);
  pair.shards.make_room(kHome, kFar);
  pair.shards.settle();
  far.release(*pair.reader.session, pair.topic);
  const test::Ticket ticket = pair.reader.ticket();
  pair.shards[kFar].disconnect(pair.reader);
  EXPECT_EQ(offsets(pair.shards[kFar].resume(ticket, 0).link.take()), "1 5 6");
}

}  // namespace
}  // namespace hubbub
