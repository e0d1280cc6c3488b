// What sessions do with each other across shards: publications, messages, broadcasts, histories and counts.
// How a topic's stream crosses is topic_mirrors_test.cc's, presence presence_shards_test.cc's.
#include <gtest/gtest.h>

#include "hubbub/core/broker.h"
#include "tests/unit/core/shards_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::json_text;
using test::kFar;
using test::kHome;
using test::kOther;
using test::offsets;
using test::publish_text;
using test::reply_to;
using test::request;
using test::Shards;
using test::subscribe_text;
using test::topic_params;

std::string send_text(std::string_view to) {
  return request(1, "session.send", R"({"to":")" + std::string(to) + R"(","data":"hello"})");
}

// --- Sessions have one owner

TEST(BrokerShards, every_session_is_opened_on_the_shard_that_owns_its_code) {
  Shards shards(3);
  for (ShardId shard = 0; shard < 3; ++shard)
    for (int i = 0; i < 50; ++i)
      EXPECT_EQ(shards.node.owner_of(shards[shard].connect().session->code()), shard);
}

TEST(BrokerShards, limits_sessions_holds_for_the_whole_node) {
  Shards shards(2, {.sessions = 2});
  shards[0].connect();
  Client& second = shards[1].connect();
  test::FakeLink link;
  EXPECT_EQ(shards[0].hub.open_session(link, {}).error().code, Errc::overloaded);
  EXPECT_EQ(shards[0].hits(LimitHit::sessions), 1u);
  shards[1].hub.end(*second.session, 1000, "bye");
  shards[1].disconnect(second);
  auto opened = shards[0].hub.open_session(link, {});
  ASSERT_TRUE(opened.has_value());
  link.session = opened->session;
  shards[0].hub.detach(*opened->session);
}

// --- Publishing

TEST(BrokerShards, a_publication_from_any_shard_gets_the_home_s_next_offset) {
  Shards shards(3);
  const std::string topic = shards.topic_at(kHome);
  Client& far = shards[kFar].connect();
  Client& other = shards[kOther].connect();
  shards.exchange(kOther, other, subscribe_text(topic));
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(at(reply_to(shards.exchange(kFar, far, publish_text(topic, i)), 2), "/result/offset"),
              std::to_string(2 * i - 1));
    ASSERT_TRUE(shards[kHome].hub.deliver(topic, "0"));
  }
  shards.settle();
  EXPECT_EQ(offsets(other.link.take()), "1 2 3 4 5 6");
}

TEST(BrokerShards, a_publisher_that_subscribes_gets_its_own_publications) {
  Shards shards(2);
  const std::string topic = shards.topic_at(kHome);
  Client& client = shards[kFar].connect();
  shards.exchange(kFar, client, subscribe_text(topic));
  const auto told = shards.exchange(kFar, client, publish_text(topic, 7));
  EXPECT_EQ(at(reply_to(told, 2), "/result/offset"), "1");
  EXPECT_EQ(offsets(told), "1");
}

TEST(BrokerShards, a_bad_topic_name_is_refused_by_whichever_shard_is_asked) {
  Shards shards(2);
  for (const std::string name : {"a b", "c d", "e f", "$x", "$y", "$z"}) {
    Client& client = shards[kFar].connect();
    EXPECT_EQ(at(reply_to(shards.exchange(kFar, client, publish_text(name, 1)), 2), "/error/code"), "-32030");
    EXPECT_EQ(at(reply_to(shards.exchange(kFar, client, subscribe_text(name))), "/error/code"), "-32030");
    EXPECT_EQ(at(reply_to(shards.exchange(kFar, client, request(1, "topic.history", topic_params(name)))),
                 "/error/code"),
              "-32030");
  }
}

TEST(BrokerShards, a_full_way_is_told_to_whoever_asks_and_may_be_tried_again) {
  Shards shards(2);
  const std::string topic = shards.topic_at(kHome);
  Client& client = shards[kFar].connect();
  const std::string there = shards[kHome].connect().code();
  shards.way(kFar, kHome).room = 0;
  const std::string texts[] = {publish_text(topic, 1, 1), request(1, "topic.history", topic_params(topic)),
                               request(1, "topic.presence", topic_params(topic)), send_text(there),
                               request(1, "hub.broadcast", R"({"data":1})")};
  for (const std::string& text : texts) {
    const std::string reply = reply_to(shards.exchange(kFar, client, text));
    EXPECT_EQ(at(reply, "/error/code"), "-32009") << text;
    EXPECT_EQ(at(reply, "/error/data/retryable"), "true") << text;
    EXPECT_NE(at(reply, "/error/data/retry_after_ms"), "absent") << text;
  }
  EXPECT_EQ(client.session->calls_within, 0u);
  shards.make_room(kFar, kHome);
  for (const std::string& text : texts)
    EXPECT_EQ(at(reply_to(shards.exchange(kFar, client, text)), "/error"), "absent") << text;
}

TEST(BrokerShards, a_publication_nobody_waits_for_that_finds_no_room_is_logged) {
  Shards shards(2);
  shards.way(kFar, kHome).room = 0;
  shards[kFar].hub.publish(shards.topic_at(kHome), 1);
  EXPECT_TRUE(shards[kFar].log.mentions("publish failed"));
}

// --- History

TEST(BrokerShards, topic_history_is_the_home_s) {
  Shards shards(2);
  const std::string topic = shards.topic_at(kHome);
  Client& client = shards[kFar].connect();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(shards[kHome].hub.deliver(topic, std::to_string(i * 11)));
  const std::string history = reply_to(shards.exchange(
      kFar, client, request(1, "topic.history", R"({"topic":")" + topic + R"(","limit":2})")));
  EXPECT_EQ(at(history, "/result/offset"), "5");
  EXPECT_EQ(at(history, "/result/messages"), R"([{"offset":4,"data":33},{"offset":5,"data":44}])");
  const std::string gone = reply_to(shards.exchange(
      kFar, client,
      request(1, "topic.history", R"({"topic":")" + topic + R"(","since":{"epoch":"x","offset":1}})")));
  EXPECT_EQ(at(gone, "/error/data/field"), R"("since")");
}

// --- Messages from session to session

TEST(BrokerShards, session_send_tells_delivered_queued_full_and_unknown_across_shards) {
  Shards shards(2, {.replay_messages = 2});
  Client& from = shards[kFar].connect();
  Client& to = shards[kHome].connect();
  const std::string code = to.code();
  const auto status = [&](std::string_view pointer) {
    return at(reply_to(shards.exchange(kFar, from, send_text(code))), pointer);
  };
  EXPECT_EQ(status("/result/status"), R"("delivered")");
  const auto got = to.link.take();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(at(got[0], "/params"), R"({"from":)" + json_text(from.code()) + R"(,"data":"hello"})");
  EXPECT_TRUE(to.session->on_ack(1));
  shards[kHome].disconnect(to);
  EXPECT_EQ(status("/result/status"), R"("queued")");
  EXPECT_EQ(status("/result/status"), R"("queued")");
  EXPECT_EQ(status("/error/code"), "-32027");
  shards.advance(shards[kHome].limits.grace_ms);
  EXPECT_EQ(status("/error/code"), "-32026");
}

TEST(BrokerShards, a_code_of_no_session_is_unknown_on_every_shard) {
  Shards shards(3);
  Client& client = shards[kFar].connect();
  for (int i = 1; i <= 20; ++i)
    EXPECT_EQ(at(reply_to(shards.exchange(kFar, client, send_text("happy-panda-" + std::to_string(i)))),
                 "/error/code"),
              "-32026");
}

TEST(BrokerShards, messages_of_one_sender_come_in_order) {
  Shards shards(2);
  Client& from = shards[kFar].connect();
  Client& to = shards[kHome].connect();
  for (int i = 0; i < 10; ++i)
    shards[kFar].deliver(
        from, request(i, "session.send",
                      R"({"to":)" + json_text(to.code()) + R"(,"data":)" + std::to_string(i) + "}"));
  shards.settle();
  const auto got = to.link.take();
  ASSERT_EQ(got.size(), 10u);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(at(got[i], "/params/data"), std::to_string(i));
}

TEST(BrokerShards, a_broadcast_reaches_every_session_of_every_shard_once) {
  Shards shards(3);
  std::vector<Client*> all;
  for (ShardId shard = 0; shard < 3; ++shard)
    for (int i = 0; i < 3; ++i) all.push_back(&shards[shard].connect());
  const auto told = shards.exchange(kFar, *all[3], request(1, "hub.broadcast", R"({"data":{"n":1}})"));
  EXPECT_EQ(at(reply_to(told), "/result/sessions"), "9");
  EXPECT_EQ(told.size(), 2u) << "the caller hears it too";
  for (Client* client : all)
    if (client != all[3]) {
      const auto got = client->link.take();
      ASSERT_EQ(got.size(), 1u);
      EXPECT_EQ(at(got[0], "/params/data/n"), "1");
    }
}

TEST(BrokerShards, an_answer_for_a_session_that_ended_meanwhile_is_dropped) {
  Shards shards(2);
  Client& from = shards[kFar].connect();
  shards[kFar].deliver(from, publish_text(shards.topic_at(kHome), 1));
  shards[kFar].hub.end(*from.session, 1000, "bye");
  shards[kFar].disconnect(from);
  shards.settle();
  EXPECT_EQ(shards[kFar].stats.calls_in_flight, 0u);
}

TEST(BrokerShards, an_answer_for_a_session_whose_connection_is_gone_waits_in_its_mailbox) {
  Shards shards(2);
  Client& from = shards[kFar].connect();
  const test::Ticket ticket = from.ticket();
  shards[kFar].deliver(from, publish_text(shards.topic_at(kHome), 1));
  shards[kFar].disconnect(from);
  shards.settle();
  EXPECT_EQ(at(reply_to(shards[kFar].resume(ticket, 0).link.take(), 2), "/result/offset"), "1");
}

// --- Counts

TEST(BrokerShards, hub_stats_sums_all_shards) {
  Shards shards(3);
  const std::string topic = shards.topic_at(kHome);
  Client& gone = shards[kHome].connect();
  Client& far = shards[kFar].connect();
  Client& other = shards[kOther].connect();
  shards[kHome].disconnect(gone);
  shards.exchange(kFar, far, subscribe_text(topic));
  shards.exchange(kOther, other, subscribe_text(topic));
  shards.exchange(kOther, other, publish_text(topic, 1));
  for (const auto& [shard, client] : {std::pair{kFar, &far}, {kOther, &other}}) {
    const std::string stats = reply_to(shards.exchange(shard, *client, request(1, "hub.stats", "{}")));
    EXPECT_EQ(at(stats, "/result/sessions/attached"), "2");
    EXPECT_EQ(at(stats, "/result/sessions/detached"), "1");
    EXPECT_EQ(at(stats, "/result/sessions/opened"), "3");
    EXPECT_EQ(at(stats, "/result/topics"), "1") << "a mirror is no topic of its own";
    EXPECT_EQ(at(stats, "/result/subscriptions"), "2");
    EXPECT_EQ(at(stats, "/result/publishes"), "1");
  }
}

// --- Calls that wait for another shard

// Delivers as a connection does: not while the session takes no input. How often it had to wait.
int deliver_paused(Shards& shards, Client& client, const std::vector<std::string>& texts) {
  int pauses = 0;
  for (const std::string& text : texts) {
    if (!client.session->accepts_input()) {
      const int wakes = client.link.wakes;
      ++pauses;
      shards.settle();
      EXPECT_TRUE(client.session->accepts_input());
      EXPECT_GT(client.link.wakes, wakes) << "it must be told to read again";
    }
    shards[kFar].deliver(client, text);
  }
  shards.settle();
  return pauses;
}

TEST(BrokerShards, fifty_pipelined_publications_to_another_shard_all_succeed) {
  Shards shards(2);
  const std::string topic = shards.topic_at(kHome);
  Client& client = shards[kFar].connect();
  std::vector<std::string> texts;
  for (int i = 1; i <= 50; ++i) texts.push_back(publish_text(topic, i, i));
  EXPECT_EQ(deliver_paused(shards, client, texts), 3) << "every limits.calls_in_flight";
  const auto replies = client.link.take();
  ASSERT_EQ(replies.size(), 50u);
  for (std::size_t i = 0; i < 50; ++i)
    EXPECT_EQ(at(replies[i], "/result/offset"), std::to_string(i + 1)) << replies[i];
  EXPECT_EQ(client.session->calls_within, 0u);
  EXPECT_TRUE(client.session->calls.empty());
}

TEST(BrokerShards, publications_without_id_are_held_to_the_same_pace) {
  Shards shards(2);
  const std::string topic = shards.topic_at(kHome);
  Client& client = shards[kFar].connect();
  const std::vector<std::string> texts(
      50, R"({"jsonrpc":"2.0","method":"topic.publish","params":{"topic":")" + topic + R"(","data":1}})");
  EXPECT_EQ(deliver_paused(shards, client, texts), 3);
  EXPECT_TRUE(client.link.take().empty());
  EXPECT_EQ(client.session->calls_within, 0u);
  EXPECT_EQ(shards[kHome].hub.deliver(topic, "1")->offset, 51u);
}

TEST(BrokerShards, a_batch_across_shards_is_answered_in_one_message) {
  Shards shards(2);
  Client& client = shards[kFar].connect();
  std::string batch = "[";
  for (int i = 1; i <= 30; ++i)
    batch += (i > 1 ? "," : "") + publish_text(shards.topic_at(i % 2 ? kHome : kFar), i, i);
  const auto replies = shards.exchange(kFar, client, batch + "]");
  ASSERT_EQ(replies.size(), 1u);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(at(replies[0], '/' + std::to_string(i) + "/error"), "absent");
  EXPECT_NE(at(replies[0], "/29"), "absent");
  EXPECT_TRUE(client.session->accepts_input());
}

TEST(BrokerShards, a_call_that_waits_for_another_shard_ends_by_itself_and_is_not_cancelled) {
  Shards shards(2);
  Client& client = shards[kFar].connect();
  shards[kFar].deliver(client, publish_text(shards.topic_at(kHome), 1, 2));
  const auto told = shards.exchange(kFar, client, request(3, "$/cancelRequest", R"({"id":2})"));
  EXPECT_EQ(told.size(), 2u);
  EXPECT_EQ(at(reply_to(told, 2), "/result/offset"), "1");
  EXPECT_EQ(client.session->calls_within, 0u);
}

TEST(BrokerShards, cancelling_a_subscription_that_waits_for_its_home_does_not_leave_it_held) {
  Shards shards(2);
  const std::string topic = shards.topic_at(kHome);
  ASSERT_TRUE(shards[kHome].hub.deliver(topic, "1"));
  Client& client = shards[kFar].connect();
  shards[kFar].deliver(client, subscribe_text(topic, R"(,"last":1)"));
  EXPECT_EQ(offsets(shards.exchange(kFar, client, request(3, "$/cancelRequest", R"({"id":1})"))), "1");
  ASSERT_TRUE(shards[kHome].hub.deliver(topic, "2"));
  shards.settle();
  EXPECT_EQ(offsets(client.link.take()), "2");
}

TEST(BrokerShards, two_subscriptions_to_one_topic_that_wait_together_leave_nothing_held) {
  Shards shards(2);
  const std::string topic = shards.topic_at(kHome);
  ASSERT_TRUE(shards[kHome].hub.deliver(topic, "1"));
  Client& client = shards[kFar].connect();
  shards[kFar].deliver(client, subscribe_text(topic, R"(,"last":1)"));
  EXPECT_EQ(offsets(shards.exchange(kFar, client, subscribe_text(topic, ""))), "1");
  ASSERT_TRUE(shards[kHome].hub.deliver(topic, "2"));
  shards.settle();
  EXPECT_EQ(offsets(client.link.take()), "2");
}

}  // namespace
}  // namespace hubbub
