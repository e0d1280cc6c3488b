#include "hubbub/core/node.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hubbub/base/rng.h"

namespace hubbub {
namespace {

TEST(Node, places_every_topic_on_one_of_its_shards_about_evenly) {
  const Node node(4, 7);
  std::vector<int> topics(node.shards());
  for (int i = 0; i < 4000; ++i) ++topics.at(node.home_of("room/" + std::to_string(i)));
  for (const int count : topics) EXPECT_NEAR(count, 1000, 200);
}

TEST(Node, places_every_session_on_one_of_its_shards_about_evenly) {
  const Node node(4, 7);
  SeededRng rng(1);
  SessionCodes codes;
  std::vector<int> sessions(node.shards());
  for (int i = 0; i < 4000; ++i) {
    const SessionCode code = codes.draw(rng, 1'000'000, [](SessionCode) { return false; });
    ++sessions.at(node.owner_of(code));
    EXPECT_EQ(node.owner_of(code), node.owner_of(*SessionCode::parse(code.text())));
  }
  for (const int count : sessions) EXPECT_NEAR(count, 1000, 200);
}

TEST(Node, places_by_its_key_so_that_nobody_can_choose_names_that_fall_together) {
  const Node node(4, 7);
  const Node other(4, 8);
  int same = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string name = std::to_string(i);
    same += node.home_of(name) == other.home_of(name);
    EXPECT_EQ(node.home_of(name), Node(4, 7).home_of(name));
  }
  EXPECT_NEAR(same, 100, 50);
}

TEST(Node, one_shard_is_home_to_all) {
  const Node node;
  EXPECT_EQ(node.shards(), 1u);
  EXPECT_EQ(node.home_of("news"), 0u);
}

TEST(Node, takes_as_many_as_there_are_and_again_what_is_given_back) {
  Node node(2);
  EXPECT_TRUE(Node::take(node.sessions, 2));
  EXPECT_TRUE(Node::take(node.sessions, 2));
  EXPECT_FALSE(Node::take(node.sessions, 2));
  EXPECT_FALSE(Node::take(node.sessions, 2));
  EXPECT_EQ(node.sessions.load(), 2u);
  Node::give(node.sessions);
  EXPECT_TRUE(Node::take(node.sessions, 2));
}

TEST(Node, connection_ids_rise) {
  Node node(2);
  const std::uint64_t first = node.draw_connection_id();
  EXPECT_GT(first, 0u);
  EXPECT_GT(node.draw_connection_id(), first);
}

TEST(Node, sums_the_stats_of_the_shards_that_are_there) {
  Node node(3);
  Stats one;
  Stats two;
  one.calls += 3;
  two.calls += 4;
  one.hit(LimitHit::topics);
  two.hit(LimitHit::topics);
  one.error(Errc::overloaded);
  one.closes.count(1000);
  two.closes.count(1000, 2);
  two.closes.count(1013);
  node.set_stats(0, &one);
  node.set_stats(2, &two);
  Stats sum;
  node.sum_stats(sum);
  EXPECT_EQ(sum.calls, 7u);
  EXPECT_EQ(sum.limit_hits[static_cast<std::size_t>(LimitHit::topics)], 2u);
  EXPECT_EQ(sum.errors[static_cast<std::size_t>(Errc::overloaded)], 1u);
  EXPECT_EQ(sum.closes.of(1000), 3u);
  EXPECT_EQ(sum.closes.of(1013), 1u);
  node.set_stats(2, nullptr);
  Stats rest;
  node.sum_stats(rest);
  EXPECT_EQ(rest.calls, 3u);
}

}  // namespace
}  // namespace hubbub
