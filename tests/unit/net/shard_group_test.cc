#include "hubbub/net/shard_group.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace hubbub {
namespace {

Limits two_connections() {
  return {.ip_connections = 2, .ip_connects_per_s = 0, .ip_exempt_loopback = false};
}
constexpr Millis kNow = 1'000'000;

TEST(ShardGroup, counts_the_connections_of_one_address_over_all_shards) {
  ShardGroup group(two_connections(), 2, 7);
  const Address peer = Address::ipv4(192, 0, 2, 1, 5000);
  Stats first;
  Stats second;
  EXPECT_TRUE(group.admit(peer, kNow, first));
  EXPECT_TRUE(group.admit(peer, kNow, second));
  EXPECT_FALSE(group.admit(peer, kNow, second));
  EXPECT_EQ(first.limit_hits[static_cast<std::size_t>(LimitHit::ip_connections)], 0u);
  EXPECT_EQ(second.limit_hits[static_cast<std::size_t>(LimitHit::ip_connections)], 1u)
      << "the shard that refuses counts it";
  EXPECT_TRUE(group.admit(Address::ipv4(192, 0, 2, 2, 5000), kNow, second));
  group.release(peer);
  EXPECT_TRUE(group.admit(peer, kNow, second));
}

TEST(ShardGroup, admits_no_more_than_the_limit_whoever_asks_at_once) {
  constexpr std::size_t kMost = 50;
  ShardGroup group({.ip_connections = kMost, .ip_connects_per_s = 0, .ip_exempt_loopback = false}, 4, 7);
  const Address peer = Address::ipv4(192, 0, 2, 1, 5000);
  std::atomic<std::size_t> admitted{0};
  {
    std::vector<std::jthread> shards;
    for (int i = 0; i < 4; ++i)
      shards.emplace_back([&] {
        Stats stats;
        for (std::size_t n = 0; n < kMost; ++n) admitted += group.admit(peer, kNow, stats).has_value();
      });
  }
  EXPECT_EQ(admitted.load(), kMost);
}

TEST(ShardGroup, keeps_what_is_sent_to_a_shard_that_is_not_there_and_wakes_nobody) {
  ShardGroup group({}, 2, 7);
  EXPECT_TRUE(group.inbox(1).fall_asleep());
  group.send(1, std::make_unique<ShardBatch>(0));
  EXPECT_NE(group.inbox(1).take(), nullptr);
}

TEST(ShardGroup, counts_what_was_received_for_each_pair_on_its_own) {
  ShardGroup group({}, 3, 7);
  group.received(0, 1).messages += 5;
  EXPECT_EQ(group.received(0, 1).messages.load(), 5u);
  EXPECT_EQ(group.received(1, 0).messages.load(), 0u);
  EXPECT_EQ(group.received(0, 2).messages.load(), 0u);
}

}  // namespace
}  // namespace hubbub
