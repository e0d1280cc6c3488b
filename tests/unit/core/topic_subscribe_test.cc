// topic.subscribe: from where, what comes and in which order.
#include "hubbub/core/topic_methods.h"

#include <gtest/gtest.h>

#include "tests/unit/core/topic_requests.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::Core;
using test::publish_numbers;
using test::since;
using test::subscribe_request;
using test::told;
using test::topic_request;

TEST(TopicSubscribe, without_since_or_last_begins_with_the_next_publication) {
  Core core;
  publish_numbers(core, 3);
  Client& client = core.connect();
  const auto got = core.exchange(client, subscribe_request(R"({"topic":"news"})"));
  EXPECT_EQ(told(got), "reply");
  EXPECT_EQ(at(got[0], "/result/offset"), "3");
  EXPECT_EQ(at(got[0], "/result/recovered"), "absent");
  publish_numbers(core, 1);
  EXPECT_EQ(told(client.link.take()), "4");
}

TEST(TopicSubscribe, since_brings_what_came_after_it_behind_the_reply_and_then_live) {
  Core core;
  const std::string epoch = publish_numbers(core, 5);
  Client& client = core.connect();
  const auto got = core.exchange(client, subscribe_request(R"({"topic":"news",)" + since(epoch, 3) + "}"));
  ASSERT_EQ(told(got), "reply 4 5");
  EXPECT_EQ(at(got[0], "/result"), R"({"epoch":")" + epoch + R"(","offset":5,"recovered":true})");
  EXPECT_EQ(got[1],
            R"({"jsonrpc":"2.0","method":"topic.message","params":{"topic":"news","offset":4,"data":4}})");
  publish_numbers(core, 1);
  EXPECT_EQ(told(client.link.take()), "6");
  core.hub.check_invariants();
}

TEST(TopicSubscribe, since_here_is_recovered_with_nothing_to_send) {
  Core core;
  const std::string epoch = publish_numbers(core, 5);
  const auto got =
      core.exchange(core.connect(), subscribe_request(R"({"topic":"news",)" + since(epoch, 5) + "}"));
  EXPECT_EQ(told(got), "reply");
  EXPECT_EQ(at(got[0], "/result/recovered"), "true");
}

TEST(TopicSubscribe, since_at_the_edge_of_history_is_recovered_and_one_before_is_not) {
  Core core({.history_messages = 3});
  const std::string epoch = publish_numbers(core, 5);
  auto got = core.exchange(core.connect(), subscribe_request(R"({"topic":"news",)" + since(epoch, 2) + "}"));
  EXPECT_EQ(told(got), "reply 3 4 5");
  EXPECT_EQ(at(got[0], "/result/recovered"), "true");
  got = core.exchange(core.connect(), subscribe_request(R"({"topic":"news",)" + since(epoch, 1) + "}"));
  EXPECT_EQ(told(got), "reply 3 4 5") << "what there is";
  EXPECT_EQ(at(got[0], "/result/recovered"), "false");
}

TEST(TopicSubscribe, since_another_epoch_brings_all_there_is_unrecovered) {
  Core core;
  publish_numbers(core, 3);
  const auto got =
      core.exchange(core.connect(), subscribe_request(R"({"topic":"news",)" + since("other", 3) + "}"));
  EXPECT_EQ(told(got), "reply 1 2 3");
  EXPECT_EQ(at(got[0], "/result/recovered"), "false");
}

TEST(TopicSubscribe, since_a_position_not_reached_yet_is_unrecovered_and_brings_nothing) {
  Core core;
  const std::string epoch = publish_numbers(core, 3);
  const auto got = core.exchange(
      core.connect(), subscribe_request(R"({"topic":"news",)" + since(epoch, 18446744073709551615u) + "}"));
  EXPECT_EQ(told(got), "reply");
  EXPECT_EQ(at(got[0], "/result/recovered"), "false");
}

TEST(TopicSubscribe, since_with_history_aged_out_or_turned_off_is_recovered_only_if_nothing_came) {
  for (const Limits& limits : {Limits{.history_age_ms = 100}, Limits{.history_messages = 0}}) {
    Core core(limits);
    Client& keeps_the_topic = core.connect();
    core.exchange(keeps_the_topic, subscribe_request(R"({"topic":"news"})"));
    const std::string epoch = publish_numbers(core, 2);
    core.advance(100);
    auto got =
        core.exchange(core.connect(), subscribe_request(R"({"topic":"news",)" + since(epoch, 2) + "}"));
    EXPECT_EQ(at(got[0], "/result/recovered"), "true");
    got = core.exchange(core.connect(), subscribe_request(R"({"topic":"news",)" + since(epoch, 1) + "}"));
    EXPECT_EQ(told(got), "reply");
    EXPECT_EQ(at(got[0], "/result/recovered"), "false");
    core.hub.check_invariants();
  }
}

TEST(TopicSubscribe, last_brings_that_many_or_what_there_is) {
  Core core;
  publish_numbers(core, 3);
  EXPECT_EQ(told(core.exchange(core.connect(), subscribe_request(R"({"topic":"news","last":2})"))),
            "reply 2 3");
  EXPECT_EQ(told(core.exchange(core.connect(), subscribe_request(R"({"topic":"news","last":9})"))),
            "reply 1 2 3");
  const auto got = core.exchange(core.connect(), subscribe_request(R"({"topic":"news","last":0})"));
  EXPECT_EQ(told(got), "reply");
  EXPECT_EQ(at(got[0], "/result/recovered"), "absent");
}

TEST(TopicSubscribe, since_and_last_together_are_refused) {
  Core core;
  Client& client = core.connect();
  const std::string reply =
      core.call(client, subscribe_request(R"({"topic":"news","last":1,)" + since("e", 1) + "}"));
  EXPECT_EQ(at(reply, "/error/code"), "-32602");
  EXPECT_EQ(at(reply, "/error/data/field"), R"("last")");
  EXPECT_EQ(core.hub.counts().subscriptions, 0u);
}

TEST(TopicSubscribe, again_with_since_replays_again) {
  Core core;
  const std::string epoch = publish_numbers(core, 2);
  Client& client = core.connect();
  const std::string again = subscribe_request(R"({"topic":"news",)" + since(epoch, 0) + "}");
  EXPECT_EQ(told(core.exchange(client, again)), "reply 1 2");
  EXPECT_EQ(told(core.exchange(client, again)), "reply 1 2");
  EXPECT_EQ(core.hub.counts().subscriptions, 1u);
}

TEST(TopicSubscribe, in_a_batch_nothing_comes_before_the_reply_nothing_twice_nothing_is_lost) {
  for (const std::size_t kept : {std::size_t{0}, std::size_t{1}, std::size_t{256}}) {
    SCOPED_TRACE(kept);
    Core core({.history_messages = kept});
    Client& keeps_the_topic = core.connect();
    core.exchange(keeps_the_topic, subscribe_request(R"({"topic":"news"})"));
    const std::string epoch = publish_numbers(core, 3);
    Client& client = core.connect();
    const auto got = core.exchange(
        client, "[" + subscribe_request(R"({"topic":"news",)" + since(epoch, 2) + "}", 1) + "," +
                    topic_request("topic.publish", R"({"topic":"news","data":4})", 2) + "," +
                    topic_request("topic.publish", R"({"topic":"news","data":5})", 3) + "]");
    EXPECT_EQ(told(got), kept > 0 ? "reply 3 4 5" : "reply 4 5");
    EXPECT_EQ(at(got[0], "/0/result/recovered"), kept > 0 ? "true" : "false");
    publish_numbers(core, 1);
    EXPECT_EQ(told(client.link.take()), "6");
    core.hub.check_invariants();
  }
}

TEST(TopicSubscribe, twice_in_a_batch_brings_the_wider_of_both_once) {
  for (const auto& [first, second] : {std::pair{1, 2}, std::pair{2, 1}}) {
    Core core;
    const std::string epoch = publish_numbers(core, 3);
    const auto got = core.exchange(
        core.connect(),
        "[" + subscribe_request(R"({"topic":"news",)" + since(epoch, static_cast<unsigned>(first)) + "}", 1) +
            "," + topic_request("topic.publish", R"({"topic":"news","data":4})", 2) + "," +
            subscribe_request(R"({"topic":"news",)" + since(epoch, static_cast<unsigned>(second)) + "}", 3) +
            "]");
    EXPECT_EQ(told(got), "reply 2 3 4");
  }
}

TEST(TopicSubscribe, unsubscribed_in_the_same_batch_brings_nothing) {
  Core core;
  publish_numbers(core, 3);
  Client& client = core.connect();
  EXPECT_EQ(
      told(core.exchange(client, "[" + subscribe_request(R"({"topic":"news","last":3})") + "," +
                                     topic_request("topic.unsubscribe", R"({"topic":"news"})", 2) + "]")),
      "reply");
  core.hub.check_invariants();
}

// A method "wait" that answers when the test says.
struct Waiting {
  explicit Waiting(Core& core) {
    core.table.add<NoParams, int>("wait", [this](Call& call, const NoParams&) {
      replies.push_back(call.defer<int>());
      return Deferred{};
    });
  }
  std::vector<Reply<int>> replies;
};

TEST(TopicSubscribe, in_a_batch_that_is_answered_later_waits_for_that_answer) {
  Core core;
  Waiting waiting(core);
  publish_numbers(core, 2);
  Client& client = core.connect();
  EXPECT_EQ(told(core.exchange(client, "[" + subscribe_request(R"({"topic":"news","last":1})") + "," +
                                           topic_request("wait", "{}", 2) + "]")),
            "");
  publish_numbers(core, 2);
  EXPECT_EQ(told(client.link.take()), "");
  core.hub.check_invariants();
  waiting.replies.at(0).send(1);
  EXPECT_EQ(told(client.link.take()), "reply 2 3 4");
  publish_numbers(core, 1);
  EXPECT_EQ(told(client.link.take()), "5");
  core.hub.check_invariants();
}

TEST(TopicSubscribe, holds_back_as_much_as_an_outbox_takes_and_then_sends_unasked) {
  Core core({.outbox_messages = 16});
  Waiting waiting(core);
  Client& client = core.connect();
  client.link.flush_frames = test::FakeLink::kAll;
  core.exchange(client, "[" + subscribe_request(R"({"topic":"news","last":1})") + "," +
                            topic_request("wait", "{}", 2) + "]");
  publish_numbers(core, 16);
  EXPECT_EQ(told(client.link.take()), "");
  publish_numbers(core, 1);
  EXPECT_EQ(told(client.link.take()), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17");
  publish_numbers(core, 1);
  waiting.replies.at(0).send(1);
  EXPECT_EQ(told(client.link.take()), "18 reply");
  core.hub.check_invariants();
}

TEST(TopicSubscribe, held_when_its_session_ends_leaves_nothing_behind) {
  const std::int64_t frames = Frame::alive();
  {
    Core core({.history_messages = 0});
    Waiting waiting(core);
    Client& client = core.connect();
    core.exchange(client, "[" + subscribe_request(R"({"topic":"news","last":1})") + "," +
                              topic_request("wait", "{}", 2) + "]");
    publish_numbers(core, 3);
    EXPECT_GT(Frame::alive(), frames);
    core.hub.end(*client.session, 1000, "over");
    core.hub.check_invariants();
    EXPECT_EQ(Frame::alive(), frames);
    waiting.replies.at(0).send(1);
    EXPECT_EQ(told(client.link.take()), "");
  }
  EXPECT_EQ(Frame::alive(), frames);
}

TEST(TopicSubscribe, shares_the_frames_of_history) {
  Core core;
  publish_numbers(core, 10);
  const std::int64_t frames = Frame::alive();
  std::vector<Client*> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(&core.connect());
  for (Client* client : clients) core.deliver(*client, subscribe_request(R"({"topic":"news","last":10})"));
  EXPECT_EQ(Frame::alive(), frames + 20) << "a reply each";
}

TEST(AfterReply, runs_for_a_deferred_call_when_it_is_answered_and_never_for_an_ended_session) {
  Core core;
  int ran = 0;
  std::vector<Reply<int>> replies;
  core.table.add<NoParams, int>("later", [&](Call& call, const NoParams&) {
    call.after_reply([&ran](Hub& hub, Session& session) {
      ++ran;
      EXPECT_TRUE(hub.subscribe(session, "news").has_value());
      EXPECT_EQ(hub.deliver("news", "1")->offset, 1u);
    });
    replies.push_back(call.defer<int>());
    return Deferred{};
  });
  Client& client = core.connect();
  EXPECT_EQ(told(core.exchange(client, topic_request("later", "{}"))), "");
  EXPECT_EQ(ran, 0);
  replies.at(0).send(1);
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(told(client.link.take()), "reply 1");
  core.exchange(client, topic_request("later", "{}"));
  core.hub.end(*client.session, 1000, "over");
  replies.at(1).send(1);
  EXPECT_EQ(ran, 1);
}

TEST(AfterReply, runs_for_notifications_and_failed_calls_too) {
  Core core;
  int ran = 0;
  core.table.add<NoParams, void>("fails", [&ran](Call& call, const NoParams&) -> Result<void> {
    call.after_reply([&ran](Hub&, Session&) { ++ran; });
    return reject(1, "no");
  });
  Client& client = core.connect();
  core.exchange(client, topic_request("fails", "{}"));
  EXPECT_EQ(ran, 1);
  core.exchange(client, R"({"jsonrpc":"2.0","method":"fails"})");
  EXPECT_EQ(ran, 2);
}

}  // namespace
}  // namespace hubbub
