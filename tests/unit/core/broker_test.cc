#include "hubbub/core/broker.h"

#include <gtest/gtest.h>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::Client;
using test::Core;

TEST(LocalBroker, publishes_to_this_hub_and_answers_once_before_it_returns) {
  Core core;
  Client& client = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  int answers = 0;
  core.hub.broker().publish("news", "1", [&](Result<Position> position) {
    ++answers;
    ASSERT_TRUE(position.has_value());
    EXPECT_EQ(position->offset, 1u);
  });
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(client.link.take().size(), 1u);
}

TEST(LocalBroker, passes_refusals_on) {
  Core core;
  int answers = 0;
  core.hub.broker().publish("", "1", [&](Result<Position> position) {
    ++answers;
    EXPECT_EQ(position.error().code, Errc::topic_invalid);
  });
  core.hub.broker().send("happy-panda-1", "x", "1", [&](Result<SendStatus> status) {
    ++answers;
    EXPECT_EQ(status.error().code, Errc::target_unknown);
  });
  EXPECT_EQ(answers, 2);
}

TEST(LocalBroker, sends_and_broadcasts_to_this_hub) {
  Core core;
  Client& client = core.connect();
  core.hub.broker().send(client.code(), "x", "1", [](Result<SendStatus> status) {
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(*status, SendStatus::delivered);
  });
  core.hub.broker().broadcast("2", [](Result<std::size_t> reached) { EXPECT_EQ(*reached, 1u); });
  EXPECT_EQ(client.link.take().size(), 2u);
}

TEST(LocalBroker, a_publication_from_inside_another_s_answer_works) {
  Core core;
  Client& client = core.connect();
  ASSERT_TRUE(core.hub.subscribe(*client.session, "news"));
  core.hub.broker().publish("news", "1", [&](Result<Position>) {
    core.hub.broker().publish("news", "2",
                              [](Result<Position> position) { EXPECT_EQ(position->offset, 2u); });
  });
  EXPECT_EQ(client.link.take().size(), 2u);
}

}  // namespace
}  // namespace hubbub
