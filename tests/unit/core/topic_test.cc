#include "hubbub/core/topic.h"

#include <gtest/gtest.h>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::Client;
using test::Core;
using test::subscribe_now;

TEST(TopicName, is_1_to_255_bytes_of_printable_ascii) {
  EXPECT_TRUE(topic_name_valid("a"));
  EXPECT_TRUE(topic_name_valid("room/42:{chat}~"));
  EXPECT_TRUE(topic_name_valid("a$"));
  EXPECT_TRUE(topic_name_valid(std::string(255, 'a')));
  EXPECT_FALSE(topic_name_valid(std::string(256, 'a')));
  EXPECT_FALSE(topic_name_valid(""));
  EXPECT_FALSE(topic_name_valid("two words"));
  EXPECT_FALSE(topic_name_valid("tab\t"));
  EXPECT_FALSE(topic_name_valid("del\x7F"));
  EXPECT_FALSE(topic_name_valid(std::string_view("nul\0", 4)));
  EXPECT_FALSE(topic_name_valid("é"));
  EXPECT_FALSE(topic_name_valid("$reserved"));
}

TEST(Topic, offsets_begin_at_one_and_grow_by_one) {
  Core core;
  Client& client = core.connect();
  EXPECT_EQ(core.hub.subscribe(*client.session, "news")->offset, 0u);
  for (std::uint64_t offset = 1; offset <= 20; ++offset)
    EXPECT_EQ(core.hub.deliver("news", "1")->offset, offset);
  const auto messages = client.link.take();
  ASSERT_EQ(messages.size(), 20u);
  for (std::size_t i = 0; i < messages.size(); ++i)
    EXPECT_EQ(test::at(messages[i], "/params/offset"), std::to_string(i + 1));
  EXPECT_EQ(core.hub.subscribe(*client.session, "news")->offset, 20u)
      << "subscribing again tells where it stands";
}

TEST(Topic, counts_publications_nobody_hears) {
  Core core;
  const auto first = core.hub.deliver("news", "1");
  const auto second = core.hub.deliver("news", "1");
  EXPECT_EQ(second->offset, 2u);
  EXPECT_EQ(first->epoch, second->epoch);
  EXPECT_EQ(core.hub.subscribe(*core.connect().session, "news")->offset, 2u);
}

TEST(Topic, is_forgotten_when_idle_and_comes_back_under_another_epoch) {
  Core core({.topic_idle_ms = 1000});
  const auto before = core.hub.deliver("news", "1");
  core.advance(999);
  EXPECT_EQ(core.hub.counts().topics, 1u);
  core.advance(1);
  EXPECT_EQ(core.hub.counts().topics, 0u);
  const auto after = core.hub.deliver("news", "1");
  EXPECT_EQ(after->offset, 1u);
  EXPECT_NE(after->epoch, before->epoch);
}

TEST(Topic, is_remembered_while_it_is_used) {
  Core core({.topic_idle_ms = 1000});
  Client& client = core.connect();
  const auto epoch = core.hub.subscribe(*client.session, "heard")->epoch;
  for (int i = 0; i < 10; ++i) {
    core.advance(900);
    EXPECT_EQ(core.hub.deliver("published", "1")->offset, static_cast<std::uint64_t>(i + 1));
  }
  EXPECT_EQ(core.hub.subscribe(*client.session, "heard")->epoch, epoch);
  EXPECT_TRUE(core.hub.unsubscribe(*client.session, "heard"));
  core.advance(999);
  EXPECT_EQ(core.hub.subscribe(*client.session, "heard")->epoch, epoch)
      << "the idle time begins at the last unsubscribe";
  EXPECT_TRUE(core.hub.unsubscribe(*client.session, "heard"));
  core.advance(1000);
  EXPECT_NE(core.hub.subscribe(*client.session, "heard")->epoch, epoch);
}

TEST(Topic, a_detached_subscriber_keeps_it_until_its_session_expires) {
  Core core({.grace_ms = 5000, .topic_idle_ms = 1000});
  Client& client = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  core.disconnect(client);
  core.advance(4999);
  EXPECT_EQ(core.hub.counts().topics, 1u);
  EXPECT_EQ(core.hub.counts().subscriptions, 1u);
  core.advance(1);
  EXPECT_EQ(core.hub.counts().subscriptions, 0u);
  core.advance(1000);
  EXPECT_EQ(core.hub.counts().topics, 0u);
  core.hub.check_invariants();
}

// Subscribes; the serial of the topic.
std::uint32_t serial_of_new(Core& core, Client& client, std::string_view topic) {
  EXPECT_TRUE(subscribe_now(core.hub.topics(), *client.session, topic, {}));
  return client.session->subscriptions().back().topic->serial();
}

TEST(Topic, frames_name_their_topic_and_offset) {
  Core core;
  Client& client = core.connect();
  const std::uint32_t news = serial_of_new(core, client, "news");
  const std::uint32_t sport = serial_of_new(core, client, "sport");
  EXPECT_NE(news, 0u);
  EXPECT_NE(news, sport);
  ASSERT_TRUE(core.hub.deliver("news", "1"));
  ASSERT_TRUE(core.hub.deliver("news", "2"));
  const FrameRef second = core.hub.topics().frame_of(*client.session, {news, 2});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->origin().topic, news);
  EXPECT_EQ(second->origin().offset, 2u);
  EXPECT_EQ(test::at(second->payload(), "/params/data"), "2");
}

TEST(Topic, gives_back_a_frame_only_to_subscribers_and_only_while_history_has_it) {
  Core core({.history_messages = 2, .history_age_ms = 1000});
  Client& client = core.connect();
  Client& stranger = core.connect();
  Topics& topics = core.hub.topics();
  const std::uint32_t serial = serial_of_new(core, client, "news");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(core.hub.deliver("news", "1"));
  EXPECT_FALSE(topics.frame_of(*client.session, {serial, 1}));
  EXPECT_TRUE(topics.frame_of(*client.session, {serial, 2}));
  EXPECT_FALSE(topics.frame_of(*client.session, {serial, 4}));
  EXPECT_FALSE(topics.frame_of(*client.session, {serial + 1, 2}));
  EXPECT_FALSE(topics.frame_of(*client.session, {}));
  EXPECT_FALSE(topics.frame_of(*stranger.session, {serial, 2}));
  core.advance(999);
  EXPECT_TRUE(topics.frame_of(*client.session, {serial, 2}));
  core.advance(1);
  EXPECT_FALSE(topics.frame_of(*client.session, {serial, 2}));
  EXPECT_TRUE(core.hub.unsubscribe(*client.session, "news"));
  ASSERT_TRUE(core.hub.deliver("news", "1"));
  EXPECT_FALSE(topics.frame_of(*client.session, {serial, 4}));
}

TEST(Topic, builds_no_frame_if_nobody_listens_and_nothing_is_kept) {
  Core core({.history_messages = 0});
  const std::int64_t frames = Frame::alive();
  ASSERT_TRUE(core.hub.deliver("news", "1"));
  EXPECT_EQ(Frame::alive(), frames);
}

TEST(Topic, lets_old_publications_go_while_nothing_happens) {
  Core core({.history_age_ms = 1000, .replay_messages = 0});
  Client& client = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  const std::int64_t frames = Frame::alive();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(core.hub.deliver("news", "1"));
    core.advance(100);
    core.hub.check_invariants();
  }
  client.link.take();
  core.advance(499);
  EXPECT_EQ(Frame::alive(), frames + 5);
  core.advance(1);
  EXPECT_EQ(Frame::alive(), frames + 4);
  core.advance(400);
  EXPECT_EQ(Frame::alive(), frames);
  core.hub.check_invariants();
}

}  // namespace
}  // namespace hubbub
