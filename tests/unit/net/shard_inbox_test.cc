#include "hubbub/net/shard_inbox.h"

#include <gtest/gtest.h>

#include <chrono>
#include <semaphore>
#include <thread>
#include <utility>

namespace hubbub {
namespace {

std::unique_ptr<ShardBatch> batch_of(ShardId from, std::uint32_t number) {
  auto batch = std::make_unique<ShardBatch>(from);
  batch->messages.push_back({.task = {}, .data_size = number});
  return batch;
}

TEST(ShardInbox, gives_all_that_came_oldest_first) {
  ShardInbox inbox;
  EXPECT_EQ(inbox.take(), nullptr);
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_FALSE(inbox.put(batch_of(i, i)));
  std::uint32_t expected = 0;
  for (auto batch = inbox.take(); batch; batch = std::move(batch->next), ++expected) {
    EXPECT_EQ(batch->from, expected);
    EXPECT_EQ(batch->messages.at(0).data_size, expected);
  }
  EXPECT_EQ(expected, 5u);
  EXPECT_EQ(inbox.take(), nullptr);
}

TEST(ShardInbox, tells_one_sender_to_wake_a_shard_that_sleeps) {
  ShardInbox inbox;
  EXPECT_TRUE(inbox.fall_asleep());
  EXPECT_TRUE(inbox.put(batch_of(1, 0)));
  EXPECT_FALSE(inbox.put(batch_of(2, 0)));
  inbox.wake_up();
  EXPECT_FALSE(inbox.put(batch_of(1, 1)));
}

TEST(ShardInbox, does_not_let_a_shard_sleep_that_has_something_to_do) {
  ShardInbox inbox;
  EXPECT_FALSE(inbox.put(batch_of(1, 0)));
  EXPECT_FALSE(inbox.fall_asleep());
  EXPECT_FALSE(inbox.put(batch_of(1, 1))) << "it is awake";
  EXPECT_NE(inbox.take(), nullptr);
  EXPECT_TRUE(inbox.fall_asleep());
}

TEST(ShardInbox, a_long_chain_that_nobody_took_is_freed) {
  ShardInbox inbox;
  for (std::uint32_t i = 0; i < 200'000; ++i) EXPECT_FALSE(inbox.put(batch_of(0, i)));
}

// What a shard that went to sleep is woken with. Bounded: a wake-up that is lost fails the test.
TEST(ShardInbox, keeps_each_sender_s_order_and_loses_no_wake_up_with_senders_at_work) {
  constexpr ShardId kSenders = 3;
  constexpr std::uint32_t kBatches = 3000;
  ShardInbox inbox;
  std::counting_semaphore<> bell(0);
  std::vector<std::jthread> senders;
  for (ShardId from = 0; from < kSenders; ++from)
    senders.emplace_back([&, from] {
      for (std::uint32_t i = 0; i < kBatches; ++i) {
        if (inbox.put(batch_of(from, i))) bell.release();
        if (i % 16 == 0) std::this_thread::yield();
      }
    });
  std::vector<std::uint32_t> next(kSenders);
  std::uint32_t left = kSenders * kBatches;
  while (left > 0) {
    for (auto batch = inbox.take(); batch; batch = std::move(batch->next), --left)
      ASSERT_EQ(batch->messages.at(0).data_size, next.at(batch->from)++);
    if (left == 0 || !inbox.fall_asleep()) continue;
    ASSERT_TRUE(bell.try_acquire_for(std::chrono::seconds(20))) << left << " batches never came";
    inbox.wake_up();
  }
  EXPECT_EQ(inbox.take(), nullptr);
}

}  // namespace
}  // namespace hubbub
