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

TEST(TopicHistoryMethod, gives_the_latest_oldest_first) {
  Core core;
  const std::string epoch = publish_numbers(core, 5);
  Client& client = core.connect();
  EXPECT_EQ(
      at(core.call(client, topic_request("topic.history", R"({"topic":"news","limit":2})")), "/result"),
      R"({"epoch":")" + epoch + R"(","offset":5,"messages":[{"offset":4,"data":4},{"offset":5,"data":5}]})");
  EXPECT_EQ(core.hub.counts().subscriptions, 0u);
}

TEST(TopicHistoryMethod, gives_the_first_after_a_position) {
  Core core;
  const std::string epoch = publish_numbers(core, 5);
  Client& client = core.connect();
  const auto page = [&](std::uint64_t from) {
    return at(core.call(client, topic_request("topic.history",
                                              R"({"topic":"news","limit":2,)" + since(epoch, from) + "}")),
              "/result/messages");
  };
  EXPECT_EQ(page(0), R"([{"offset":1,"data":1},{"offset":2,"data":2}])");
  EXPECT_EQ(page(4), R"([{"offset":5,"data":5}])");
  EXPECT_EQ(page(5), "[]");
}

TEST(TopicHistoryMethod, gives_100_unless_told_and_takes_a_limit_of_1_to_1000) {
  Core core;
  publish_numbers(core, 150);
  Client& client = core.connect();
  const auto first = [&](std::string_view params) {
    return at(core.call(client, topic_request("topic.history", params)), "/result/messages/0/offset");
  };
  EXPECT_EQ(first(R"(["news"])"), "51");
  EXPECT_EQ(first(R"({"topic":"news","limit":1000})"), "1");
  for (const char* params : {R"({"topic":"news","limit":0})", R"({"topic":"news","limit":1001})"})
    EXPECT_EQ(at(core.call(client, topic_request("topic.history", params)), "/error/code"), "-32602");
}

TEST(TopicHistoryMethod, refuses_a_position_it_does_not_have) {
  Core core({.history_messages = 3, .history_age_ms = 1000});
  const std::string epoch = publish_numbers(core, 5);
  Client& client = core.connect();
  const auto code = [&](std::string_view of, std::uint64_t from) {
    const std::string reply =
        core.call(client, topic_request("topic.history", R"({"topic":"news",)" + since(of, from) + "}"));
    return at(reply, "/error/code");
  };
  EXPECT_EQ(code(epoch, 2), "absent");
  EXPECT_EQ(code(epoch, 1), "-32031");
  EXPECT_EQ(code(epoch, 6), "-32031");
  EXPECT_EQ(code("other", 2), "-32031");
  core.advance(1000);
  EXPECT_EQ(code(epoch, 2), "-32031");
  EXPECT_EQ(code(epoch, 5), "absent");
}

TEST(TopicHistoryMethod, of_a_topic_nobody_used_is_empty_and_does_not_make_it) {
  Core core;
  Client& client = core.connect();
  EXPECT_EQ(at(core.call(client, topic_request("topic.history", R"(["none"])")), "/result"),
            R"({"epoch":"","offset":0,"messages":[]})");
  EXPECT_EQ(at(core.call(client, topic_request("topic.history", R"({"topic":"none",)" + since("e", 0) + "}")),
               "/error/code"),
            "-32031");
  EXPECT_EQ(at(core.call(client, topic_request("topic.history", R"(["$none"])")), "/error/code"), "-32030");
  EXPECT_EQ(core.hub.counts().topics, 0u);
}

TEST(TopicPresenceMethod, counts_all_and_lists_up_to_presence_members) {
  Core core({.presence_members = 2});
  Client& a = core.connect();
  Client& b = core.connect();
  Client& c = core.connect();
  core.exchange(a, subscribe_request(R"(["news"])"));
  core.exchange(b, subscribe_request(R"(["news"])"));
  const std::string listed = R"(,"members":[")" + a.code() + R"(",")" + b.code() + R"("]})";
  EXPECT_EQ(at(core.call(c, topic_request("topic.presence", R"(["news"])")), "/result"),
            R"({"count":2)" + listed);
  core.exchange(c, subscribe_request(R"(["news"])"));
  EXPECT_EQ(at(core.call(c, topic_request("topic.presence", R"(["news"])")), "/result"),
            R"({"count":3)" + listed);
}

TEST(TopicPresenceMethod, has_members_in_their_grace_time_and_none_that_ended) {
  Core core({.grace_ms = 1000});
  Client& member = core.connect();
  Client& asks = core.connect();
  core.exchange(member, subscribe_request(R"(["news"])"));
  core.disconnect(member);
  EXPECT_EQ(at(core.call(asks, topic_request("topic.presence", R"(["news"])")), "/result/count"), "1");
  core.advance(1000);
  EXPECT_EQ(at(core.call(asks, topic_request("topic.presence", R"(["news"])")), "/result"),
            R"({"count":0,"members":[]})");
}

TEST(TopicPresenceMethod, of_a_topic_nobody_used_is_empty_and_does_not_make_it) {
  Core core;
  Client& client = core.connect();
  EXPECT_EQ(at(core.call(client, topic_request("topic.presence", R"(["none"])")), "/result"),
            R"({"count":0,"members":[]})");
  EXPECT_EQ(core.hub.counts().topics, 0u);
}

TEST(TopicMethods, presence_is_asked_for_with_the_subscription) {
  Core core;
  Client& client = core.connect();
  EXPECT_EQ(told(core.exchange(client, subscribe_request(R"({"topic":"news","presence":true})"))), "reply");
  core.advance(core.limits.presence_interval_ms);
  EXPECT_EQ(told(client.link.take()), R"("topic.presence")");
}

TEST(TopicMethods, a_later_subscription_without_presence_ends_it) {
  Core core;
  Client& client = core.connect();
  core.exchange(client, subscribe_request(R"({"topic":"news","presence":true})"));
  core.exchange(client, subscribe_request(R"({"topic":"news"})"));
  core.advance(core.limits.presence_interval_ms);
  EXPECT_EQ(told(client.link.take()), "");
}

TEST(TopicMethods, are_described_with_params_and_results) {
  Core core;
  const std::string document = openrpc_document(core.table, "hubbub", "0");
  for (std::size_t i = 0; i < core.table.methods().size(); ++i) {
    const std::string method = "/methods/" + std::to_string(i);
    const std::string& name = core.table.methods()[i].name;
    if (name == "topic.subscribe") {
      EXPECT_EQ(at(document, method + "/params/1/name"), R"("since")");
      EXPECT_EQ(at(document, method + "/params/1/required"), "false");
      EXPECT_EQ(at(document, method + "/params/1/schema/properties/offset/type"), R"("integer")");
      EXPECT_EQ(at(document, method + "/result/schema/properties/recovered/type"), R"("boolean")");
    }
    if (name == "topic.history") {
      EXPECT_EQ(at(document, method + "/params/2/schema/maximum"), "1000");
      EXPECT_EQ(at(document, method + "/result/schema/properties/messages/type"), R"("array")");
    }
  }
}

}  // namespace
}  // namespace hubbub
