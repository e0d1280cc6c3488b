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

// --- Joining

TEST(TopicMirrors, a_subscription_begins_where_the_topic_stands_at_home) {
  Pair pair;
  pair.publish(3);
  pair.ask();
  EXPECT_TRUE(pair.reader.link.take().empty()) << "the home was not heard of yet";
  pair.shards.settle();
  const auto told = pair.reader.link.take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(at(told[0], "/result/offset"), "3");
  EXPECT_EQ(at(told[0], "/result/epoch"), '"' + pair.epoch() + '"');
  EXPECT_EQ(at(told[0], "/result/recovered"), "absent");
}

TEST(TopicMirrors, later_publications_come_once_and_in_order) {
  Pair pair;
  pair.subscribe();
  for (int i = 0; i < 20; ++i) {
    pair.publish();
    if (i % 3 == 0) pair.shards.settle();
  }
  pair.shards.settle();
  EXPECT_EQ(offsets(pair.reader.link.take()), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20");
}

TEST(TopicMirrors, a_publication_crosses_once_however_many_subscribe_and_as_the_same_frame) {
  Pair pair;
  std::vector<Client*> readers;
  for (int i = 0; i < 10; ++i) {
    readers.push_back(&pair.shards[kFar].connect());
    pair.shards.exchange(kFar, *readers.back(), subscribe_text(pair.topic));
  }
  const std::int64_t frames = Frame::alive();
  pair.publish();
  EXPECT_EQ(pair.shards.way(kHome, kFar).publications, 1u);
  pair.shards.settle();
  EXPECT_EQ(Frame::alive(), frames + 1);
  for (Client* reader : readers) EXPECT_EQ(offsets(reader->link.take()), "1");
}

TEST(TopicMirrors, what_was_published_before_the_home_answered_is_in_the_position_and_not_sent) {
  Pair pair;
  pair.ask();
  pair.publish(2);
  pair.shards.flow(kFar, kHome);
  pair.publish(2);
  pair.shards.settle();
  const auto told = pair.reader.link.take();
  EXPECT_EQ(at(reply_to(told), "/result/offset"), "2");
  EXPECT_EQ(offsets(told), "3 4");
}

TEST(TopicMirrors, a_second_subscriber_of_the_shard_needs_no_answer_of_the_home) {
  Pair pair;
  pair.subscribe();
  pair.publish(2);
  pair.shards.settle();
  Client& second = pair.shards[kFar].connect();
  pair.shards[kFar].deliver(second, subscribe_text(pair.topic));
  EXPECT_EQ(at(reply_to(second.link.take()), "/result/offset"), "2");
}

TEST(TopicMirrors, subscribers_that_come_while_the_home_is_asked_begin_with_its_one_answer) {
  Pair pair;
  Client& second = pair.shards[kFar].connect();
  pair.ask();
  pair.shards[kFar].deliver(second, subscribe_text(pair.topic));
  EXPECT_EQ(pair.shards.way(kFar, kHome).messages.size(), 1u);
  pair.shards.settle();
  EXPECT_EQ(at(reply_to(pair.reader.link.take()), "/result/offset"), "0");
  EXPECT_EQ(at(reply_to(second.link.take()), "/result/offset"), "0");
}

TEST(TopicMirrors, since_and_last_are_answered_from_the_mirrors_copy_of_the_history) {
  Pair pair;
  pair.publish(5);
  const auto since = pair.subscribe(pair.since(2));
  EXPECT_EQ(at(since.at(0), "/result/recovered"), "true") << "the answer comes first";
  EXPECT_EQ(offsets(since), "3 4 5");
  Client& latecomer = pair.shards[kFar].connect();
  pair.shards[kFar].deliver(latecomer, subscribe_text(pair.topic, R"(,"last":2)"));
  const auto last = latecomer.link.take();
  EXPECT_EQ(at(last.at(0), "/result/offset"), "5");
  EXPECT_EQ(offsets(last), "4 5");
}

TEST(TopicMirrors, since_is_not_recovered_where_the_history_does_not_reach_or_the_epoch_is_another) {
  Pair pair({.history_messages = 2});
  pair.publish(5);
  const auto far_back = pair.subscribe(pair.since(1));
  EXPECT_EQ(at(far_back.at(0), "/result/recovered"), "false");
  EXPECT_EQ(offsets(far_back), "4 5");
  Client& other = pair.shards[kFar].connect();
  const auto told = pair.shards.exchange(
      kFar, other, subscribe_text(pair.topic, R"(,"since":{"epoch":"AAAAAAAAAAA","offset":1})"));
  EXPECT_EQ(at(told.at(0), "/result/recovered"), "false");
}

TEST(TopicMirrors, a_client_ahead_of_its_mirror_recovers_without_loss_or_double) {
  Pair pair;
  pair.subscribe();
  pair.publish(3);  // on their way to the mirror; somebody at home has them already
  Client& ahead = pair.shards[kFar].connect();
  pair.shards[kFar].deliver(ahead, subscribe_text(pair.topic, pair.since(2)));
  EXPECT_TRUE(ahead.link.take().empty());
  pair.shards.settle();
  const auto told = ahead.link.take();
  EXPECT_EQ(at(told.at(0), "/result/recovered"), "true");
  EXPECT_EQ(at(told.at(0), "/result/offset"), "3");
  EXPECT_EQ(offsets(told), "3");
  pair.publish();
  pair.shards.settle();
  EXPECT_EQ(offsets(ahead.link.take()), "4");
  EXPECT_EQ(offsets(pair.reader.link.take()), "1 2 3 4");
}

TEST(TopicMirrors, a_client_ahead_of_the_home_itself_is_asked_about_once_and_answered) {
  Pair pair;
  pair.publish();
  const auto told = pair.subscribe(pair.since(99));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(at(told[0], "/result/recovered"), "false");
  EXPECT_EQ(at(told[0], "/result/offset"), "1");
}

TEST(TopicMirrors, a_subscriber_that_asks_again_ahead_of_its_mirror_keeps_all_it_had_coming) {
  Pair pair;
  pair.subscribe();
  pair.publish(4);
  pair.ask(pair.since(3));
  pair.shards.step(kHome, kFar);
  pair.shards.step(kHome, kFar);
  EXPECT_EQ(offsets(pair.reader.link.take()), "") << "held until the answer is there";
  pair.shards.settle();
  const auto told = pair.reader.link.take();
  EXPECT_EQ(at(told.at(0), "/result/recovered"), "true");
  EXPECT_EQ(offsets(told), "1 2 3 4") << "the subscription goes on; what it asks for is part of it";
}

// --- Leaving

TEST(TopicMirrors, unsubscribing_while_the_home_is_asked_is_answered_and_leaves_nothing) {
  Pair pair;
  pair.ask();
  pair.shards[kFar].deliver(pair.reader,
                            request(9, "topic.unsubscribe", R"({"topic":")" + pair.topic + "\"}"));
  pair.shards.settle();
  const auto told = pair.reader.link.take();
  EXPECT_EQ(at(reply_to(told, 9), "/result/unsubscribed"), "true");
  EXPECT_EQ(at(reply_to(told, 1), "/result/offset"), "0");
  pair.publish();
  pair.shards.settle();
  EXPECT_TRUE(pair.reader.link.take().empty());
  EXPECT_EQ(pair.shards[kFar].hub.counts().subscriptions, 0u);
}

TEST(TopicMirrors, unsubscribing_and_subscribing_again_while_the_home_is_asked_begins_once) {
  Pair pair;
  pair.ask();
  pair.shards[kFar].deliver(pair.reader,
                            request(9, "topic.unsubscribe", R"({"topic":")" + pair.topic + "\"}"));
  pair.shards[kFar].deliver(pair.reader, subscribe_text(pair.topic));
  pair.shards.settle();
  pair.reader.link.take();
  pair.publish();
  pair.shards.settle();
  EXPECT_EQ(offsets(pair.reader.link.take()), "1");
  EXPECT_EQ(pair.shards[kFar].hub.counts().subscriptions, 1u);
}

TEST(TopicMirrors, a_session_that_ends_while_the_home_is_asked_leaves_nothing) {
  Pair pair;
  pair.ask();
  pair.shards[kFar].hub.end(*pair.reader.session, 1000, "bye");
  pair.shards[kFar].disconnect(pair.reader);
  pair.shards.settle();
  EXPECT_EQ(pair.shards[kFar].hub.counts().subscriptions, 0u);
  pair.shards.check_invariants();
}

TEST(TopicMirrors, a_subscription_s_answer_may_end_another_session_that_waits) {
  Pair pair;
  Hub& hub = pair.shards[kFar].hub;
  Client& second = pair.shards[kFar].connect();
  int answers = 0;
  hub.topics().subscribe(*pair.reader.session, pair.topic, {}, [&](const Result<Subscribed>& told) {
    EXPECT_TRUE(told.has_value());
    ++answers;
    hub.end(*second.session, 1000, "bye");
  });
  hub.topics().subscribe(*second.session, pair.topic, {}, [&](const Result<Subscribed>&) { ++answers; });
  pair.shards.settle();
  EXPECT_EQ(answers, 2);
  EXPECT_EQ(hub.counts().subscriptions, 1u);
  pair.shards[kFar].disconnect(second);
}

TEST(TopicMirrors, a_mirror_without_subscribers_forgets_after_a_second_and_joins_again) {
  Pair pair;
  pair.subscribe();
  ASSERT_TRUE(pair.shards[kFar].hub.unsubscribe(*pair.reader.session, pair.topic));
  pair.publish();
  EXPECT_EQ(pair.shards.way(kHome, kFar).publications, 1u) << "it is followed for a while";
  pair.shards.settle();
  pair.shards.advance(1000);
  pair.shards.settle();
  pair.publish();
  EXPECT_EQ(pair.shards.way(kHome, kFar).publications, 1u) << "it was forgotten";
  const auto told = pair.subscribe();
  EXPECT_EQ(at(told.at(0), "/result/offset"), "2");
  pair.publish();
  pair.shards.settle();
  EXPECT_EQ(offsets(pair.reader.link.take()), "3");
}

TEST(TopicMirrors, a_mirror_nobody_uses_is_forgotten_however_busy_the_topic_is) {
  Pair pair;
  pair.subscribe();
  ASSERT_TRUE(pair.shards[kFar].hub.unsubscribe(*pair.reader.session, pair.topic));
  for (int i = 0; i < 20; ++i) {
    pair.publish();
    pair.shards.settle();
    pair.shards.advance(100);
    pair.shards.settle();
  }
  EXPECT_EQ(pair.shards.way(kHome, kFar).publications, 10u);
}

TEST(TopicMirrors, a_mirror_lets_old_publications_go_while_nothing_happens) {
  Pair pair({.history_age_ms = 1000, .replay_messages = 0});
  pair.subscribe();
  pair.reader.link.take();
  const std::int64_t frames = Frame::alive();
  pair.publish(3);
  pair.shards.settle();
  pair.reader.link.take();
  EXPECT_EQ(Frame::alive(), frames + 3);
  pair.shards.advance(1000);
  EXPECT_EQ(Frame::alive(), frames);
}

TEST(TopicMirrors, what_is_on_its_way_to_a_mirror_that_left_does_not_reach_the_one_that_comes_after_it) {
  Pair pair;
  pair.subscribe();
  ASSERT_TRUE(pair.shards[kFar].hub.unsubscribe(*pair.reader.session, pair.topic));
  pair.publish(2);
  pair.shards.advance(1000);  // it leaves, and the two are still on their way
  pair.ask();
  pair.shards.settle();
  const auto told = pair.reader.link.take();
  EXPECT_EQ(at(reply_to(told), "/result/offset"), "2");
  EXPECT_EQ(offsets(told), "");
}

TEST(TopicMirrors, the_home_keeps_a_topic_for_its_mirrors_and_forgets_it_after_them) {
  Pair pair({.topic_idle_ms = 5000});
  pair.subscribe();
  const std::string epoch = pair.epoch();
  pair.shards.advance(60'000);
  pair.publish();
  EXPECT_EQ(pair.epoch(), epoch);
  ASSERT_TRUE(pair.shards[kFar].hub.unsubscribe(*pair.reader.session, pair.topic));
  pair.shards.advance(1000);
  pair.shards.settle();
  pair.shards.advance(5000);
  EXPECT_EQ(pair.shards[kHome].hub.counts().topics, 0u);
  EXPECT_EQ(pair.shards.node.topics.load(), 0u);
}

// --- Refused

TEST(TopicMirrors, a_home_that_takes_no_more_topics_refuses_and_nothing_is_left) {
  Pair pair({.topics = 1});
  ASSERT_TRUE(pair.shards[kHome].hub.deliver(pair.shards.topic_at(kHome, 1), "1"));
  const auto told = pair.subscribe();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(at(told[0], "/error/code"), "-32030");
  EXPECT_EQ(pair.shards[kFar].hub.counts().subscriptions, 0u);
  EXPECT_TRUE(pair.reader.session->subscriptions().empty());
  EXPECT_EQ(pair.shards.node.topics.load(), 1u);
  pair.shards.advance(1000);
  pair.shards.settle();
  pair.shards.advance(pair.shards[kHome].limits.topic_idle_ms);  // the other one is forgotten
  EXPECT_EQ(at(pair.subscribe().at(0), "/result/offset"), "0");
}

TEST(TopicMirrors, limits_topics_holds_for_the_whole_node) {
  Shards shards(2, {.topics = 2});
  ASSERT_TRUE(shards[kHome].hub.deliver(shards.topic_at(kHome), "1"));
  ASSERT_TRUE(shards[kFar].hub.deliver(shards.topic_at(kFar), "1"));
  EXPECT_EQ(shards[kHome].hits(LimitHit::topics), 0u);
  EXPECT_EQ(shards[kHome].hub.deliver(shards.topic_at(kHome, 1), "1").error().code, Errc::topic_invalid);
  EXPECT_EQ(shards[kHome].hits(LimitHit::topics), 1u);
}

TEST(TopicMirrors, a_full_way_to_the_home_is_an_error_at_once_and_nothing_is_left) {
  Pair pair;
  pair.shards.way(kFar, kHome).room = 0;
  pair.ask();
  const auto told = pair.reader.link.take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(at(told[0], "/error/code"), "-32009");
  EXPECT_EQ(at(told[0], "/error/data/retryable"), "true");
  EXPECT_NE(at(told[0], "/error/data/retry_after_ms"), "absent");
  EXPECT_TRUE(pair.reader.session->subscriptions().empty());
  pair.shards.check_invariants();
  pair.shards.make_room(kFar, kHome);
  EXPECT_EQ(at(pair.subscribe().at(0), "/result/offset"), "0");
}

TEST(TopicMirrors, a_full_way_leaves_the_subscription_of_one_that_asks_again_as_it_was) {
  Pair pair;
  pair.subscribe();
  pair.publish(2);
  pair.shards.way(kFar, kHome).room = 0;
  pair.ask(pair.since(2));
  EXPECT_EQ(at(reply_to(pair.reader.link.take()), "/error/code"), "-32009");
  pair.shards.settle();
  EXPECT_EQ(offsets(pair.reader.link.take()), "1 2");
  EXPECT_EQ(pair.reader.session->subscriptions().size(), 1u);
}

}  // namespace
}  // namespace hubbub
