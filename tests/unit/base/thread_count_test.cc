#include "hubbub/base/thread_count.h"

#include <gtest/gtest.h>

#include <thread>

#include "hubbub/base/held_memory.h"

namespace hubbub {
namespace {

TEST(ThreadCount, sums_threads_that_live_and_threads_that_ended) {
  struct Tag;
  using Count = ThreadCount<Tag>;
  Count::add(5);
  std::thread([] { Count::add(-2); }).join();
  std::thread([] {
    Count::add(4);
    EXPECT_EQ(Count::mine(), 4);
    EXPECT_EQ(Count::total(), 7);
  }).join();
  EXPECT_EQ(Count::mine(), 5);
  EXPECT_EQ(Count::total(), 7);
}

TEST(HeldBytes, are_counted_while_their_owner_lives_wherever_it_moves) {
  const std::int64_t before = HeldMemory::total();
  {
    HeldBytes held;
    held.set(100);
    HeldBytes there = std::move(held);
    EXPECT_EQ(HeldMemory::total(), before + 100);
    there.set(30);
    EXPECT_EQ(HeldMemory::total(), before + 30);
    std::thread([moved = std::move(there)]() mutable { moved.set(40); }).join();
  }
  EXPECT_EQ(HeldMemory::total(), before);
}

}  // namespace
}  // namespace hubbub
