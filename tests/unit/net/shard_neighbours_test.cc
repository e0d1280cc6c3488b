#include "hubbub/net/shard_neighbours.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

constexpr ShardId kHere = 0;
constexpr ShardId kThere = 1;

// Two shards' ends, and the hub that runs what comes.
struct Ways {
  explicit Ways(const Limits& with = {}) : limits(with), group(limits, 2, 7) {}
  bool ask(std::string note, std::size_t bytes = 0) {
    return here.ask(kThere, [this, note = std::move(note)](Hub&) { ran += note; }, bytes);
  }
  void answer(std::string note) {
    here.answer(kThere, [this, note = std::move(note)](Hub&) { ran += note; });
  }
  // The turns of both end and begin.
  void turn() {
    here.send_all(hub_here.hub);
    there.run_some(hub_there.hub);
  }
  [[nodiscard]] std::uint64_t hits(LimitHit limit) const {
    return stats.limit_hits[static_cast<std::size_t>(limit)];
  }

  Limits limits;
  ShardGroup group;
  Stats stats;
  Stats stats_there;
  ShardNeighbours here{group, kHere, limits, stats};
  ShardNeighbours there{group, kThere, limits, stats_there};
  test::Core hub_here{limits, group.node(), here};
  test::Core hub_there{limits, group.node(), there};
  std::string ran;
};

TEST(ShardNeighbours, runs_what_was_sent_in_order_and_only_after_the_turn) {
  Ways ways;
  EXPECT_TRUE(ways.ask("1"));
  ways.answer("2");
  EXPECT_TRUE(ways.ask("3"));
  ways.there.run_some(ways.hub_there.hub);
  EXPECT_EQ(ways.ran, "");
  ways.turn();
  EXPECT_EQ(ways.ran, "123");
  ways.answer("4");
  ways.turn();
  EXPECT_EQ(ways.ran, "1234");
}

TEST(ShardNeighbours, what_is_sent_while_something_runs_goes_with_the_next_turn) {
  Ways ways;
  ways.here.answer(kThere,
                   [&ways](Hub&) { ways.there.answer(kHere, [&ways](Hub&) { ways.ran += "back"; }); });
  ways.turn();
  ways.there.send_all(ways.hub_there.hub);
  ways.here.run_some(ways.hub_here.hub);
  EXPECT_EQ(ways.ran, "back");
}

TEST(ShardNeighbours, takes_shard_queue_messages_and_not_one_more) {
  Ways ways({.shard_queue_messages = 3});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ways.ask("x"));
  EXPECT_EQ(ways.hits(LimitHit::shard_queue_messages), 0u);
  EXPECT_FALSE(ways.ask("y"));
  EXPECT_FALSE(ways.here.deliver(kThere, Frame::make({}, "frame"), 1));
  EXPECT_EQ(ways.hits(LimitHit::shard_queue_messages), 2u);
  ways.answer("z");
  ways.here.send_all(ways.hub_here.hub);
  EXPECT_FALSE(ways.ask("y")) << "it counts until it was received";
  ways.there.run_some(ways.hub_there.hub);
  EXPECT_EQ(ways.ran, "xxxz");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ways.ask("x"));
  EXPECT_FALSE(ways.ask("y"));
}

TEST(ShardNeighbours, takes_shard_queue_bytes_and_not_one_more) {
  constexpr std::size_t kBytes = 1000;
  const std::size_t each = kBytes + sizeof(ShardMessage);
  Ways ways({.shard_queue_bytes = 2 * each});
  EXPECT_TRUE(ways.ask("x", kBytes));
  EXPECT_FALSE(ways.ask("y", kBytes + 1));
  EXPECT_EQ(ways.hits(LimitHit::shard_queue_bytes), 1u);
  EXPECT_TRUE(ways.ask("x", kBytes));
  EXPECT_FALSE(ways.ask("y"));
  EXPECT_EQ(ways.hits(LimitHit::shard_queue_bytes), 2u);
  EXPECT_EQ(ways.hits(LimitHit::shard_queue_messages), 0u);
  ways.turn();
  EXPECT_EQ(ways.ran, "xx");
  EXPECT_TRUE(ways.ask("x", kBytes));
}

TEST(ShardNeighbours, one_larger_than_the_bound_goes_when_nothing_else_is_on_the_way) {
  Ways ways({.shard_queue_bytes = 1000});
  EXPECT_TRUE(ways.ask("large", 5000));
  EXPECT_FALSE(ways.ask("y"));
  ways.turn();
  EXPECT_TRUE(ways.ask("y"));
  EXPECT_FALSE(ways.ask("large", 5000));
}

TEST(ShardNeighbours, what_found_no_room_stays_with_its_sender) {
  Ways ways({.shard_queue_messages = 1});
  EXPECT_TRUE(ways.ask("x"));
  HubTask task = [&ways](Hub&) { ways.ran += "kept"; };
  EXPECT_FALSE(ways.here.ask(kThere, std::move(task), 0));
  ASSERT_TRUE(static_cast<bool>(task));  // NOLINT: ask() promises it
  task(ways.hub_here.hub);
  EXPECT_EQ(ways.ran, "kept");
}

TEST(ShardNeighbours, looks_for_room_again_until_half_of_it_is_free) {
  Ways ways({.shard_queue_messages = 4});
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ways.ask("x"));
  EXPECT_FALSE(ways.here.waits_for_room());
  EXPECT_FALSE(ways.ask("y"));
  ways.here.send_all(ways.hub_here.hub);
  EXPECT_TRUE(ways.here.waits_for_room());
  ways.there.run_some(ways.hub_there.hub);
  ways.here.send_all(ways.hub_here.hub);
  EXPECT_FALSE(ways.here.waits_for_room());
}

TEST(ShardNeighbours, a_flood_from_another_shard_is_run_in_pieces) {
  Ways ways;
  constexpr std::size_t kMany = ShardNeighbours::kMessagesPerTurn + 10;
  for (std::size_t i = 0; i < kMany; ++i) EXPECT_TRUE(ways.ask("x"));
  ways.turn();
  EXPECT_EQ(ways.ran.size(), ShardNeighbours::kMessagesPerTurn);
  EXPECT_FALSE(ways.there.fall_asleep());
  ways.there.run_some(ways.hub_there.hub);
  EXPECT_EQ(ways.ran.size(), kMany);
  EXPECT_TRUE(ways.there.fall_asleep());
  ways.there.wake_up();
}

TEST(ShardNeighbours, what_nobody_received_is_let_go_of_with_the_group) {
  const std::int64_t frames = Frame::alive();
  {
    Ways ways;
    EXPECT_TRUE(ways.here.deliver(kThere, Frame::make({}, "frame"), 1));
    ways.here.send_all(ways.hub_here.hub);
    EXPECT_TRUE(ways.here.deliver(kThere, Frame::make({}, "frame"), 1));
  }
  EXPECT_EQ(Frame::alive(), frames);
}

}  // namespace
}  // namespace hubbub
