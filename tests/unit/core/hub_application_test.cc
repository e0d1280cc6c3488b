// What the hub offers to applications beside their methods: publishing values, and the hook for ended
// sessions.
#include <gtest/gtest.h>

#include <boost/describe/class.hpp>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {

struct Score {
  std::string name;
  int points;
};
BOOST_DESCRIBE_STRUCT(Score, (), (name, points))

namespace {

using test::Client;
using test::Core;

// Records which codes ended, and that the session was what the hook promises.
struct Endings {
  explicit Endings(Core& core) {
    core.hub.on_session_end([this](Hub& hub, Session& session) {
      EXPECT_EQ(session.state(), SessionState::ended);
      EXPECT_TRUE(session.subscriptions().empty());
      EXPECT_EQ(hub.find(session.code().text()), nullptr);
      codes.push_back(session.code().text());
    });
  }
  std::vector<std::string> codes;
};

TEST(HubPublish, writes_a_value_as_a_topic_message) {
  Core core;
  Client& client = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*client.session, "scores"));
  core.hub.publish("scores", Score{"ann", 3});
  core.hub.publish_json("scores", "[1]");
  const auto got = client.link.take();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(test::at(got[0], "/params"), R"({"topic":"scores","offset":1,"data":{"name":"ann","points":3}})");
  EXPECT_EQ(test::at(got[1], "/params/data"), "[1]");
}

TEST(HubPublish, logs_what_fails) {
  Core core;
  core.hub.publish("$reserved", 1);
  EXPECT_TRUE(core.log.mentions("publish failed reason=a topic name is"));
}

TEST(SessionEndHook, is_called_once_when_a_session_is_closed) {
  Core core;
  Endings endings(core);
  Client& client = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  const std::string code = client.code();
  core.call(client, R"({"jsonrpc":"2.0","id":1,"method":"session.close"})");
  EXPECT_EQ(endings.codes, std::vector{code});
  core.disconnect(client);
  EXPECT_EQ(endings.codes, std::vector{code});
}

TEST(SessionEndHook, is_called_after_the_grace_time_and_not_at_a_cut) {
  Core core;
  Endings endings(core);
  Client& client = core.connect();
  const std::string code = client.code();
  core.disconnect(client);
  core.advance(core.limits.grace_ms - 1);
  EXPECT_TRUE(endings.codes.empty());
  core.advance(1);
  EXPECT_EQ(endings.codes, std::vector{code});
}

TEST(SessionEndHook, may_publish_to_others_and_end_them) {
  Core core;
  Client& one = core.connect();
  Client& two = core.connect();
  Client& three = core.connect();
  const auto other = two.session->handle();
  ASSERT_TRUE(core.hub.subscribe(*one.session, "news"));
  ASSERT_TRUE(core.hub.subscribe(*three.session, "news"));
  core.hub.on_session_end([&](Hub& hub, Session& session) {
    hub.publish("news", session.code().text());
    if (Session* next = hub.get(other)) hub.end(*next, 1000, "the other went");
  });
  core.hub.end(*one.session, 1000, "bye");
  core.hub.check_invariants();
  EXPECT_EQ(core.hub.counts().attached, 1U);
  const auto got = three.link.take();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(test::at(got[0], "/params/data"), '"' + one.code() + '"');
  EXPECT_EQ(test::at(got[1], "/params/data"), '"' + two.code() + '"');
}

}  // namespace
}  // namespace hubbub
