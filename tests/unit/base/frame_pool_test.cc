// Promises of base/frame_pool.h: blocks are used again, what is kept is bounded, and threads may hand blocks
// to each other. Built with a sanitizer nothing is kept; the counts hold all the same.
#include "hubbub/base/frame_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "hubbub/base/frame.h"

namespace hubbub {
namespace {

TEST(FramePool, a_block_serves_the_next_that_is_about_as_large) {
  void* const first = frame_pool::take(100);
  std::memset(first, 1, 100);
  frame_pool::give(first, 100);
  void* const second = frame_pool::take(101);
  if (frame_pool::kKeepsBlocks) {
    EXPECT_EQ(second, first);
  }
  std::memset(second, 2, 101);
  frame_pool::give(second, 101);
}

TEST(FramePool, every_size_has_room_for_what_was_asked) {
  for (std::size_t bytes = 1; bytes < 3 * frame_pool::kPooledBytesMax; ++bytes) {
    for (int round = 0; round < 2; ++round) {
      void* const block = frame_pool::take(bytes);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0u) << bytes;
      std::memset(block, 0x5A, bytes);
      frame_pool::give(block, bytes);
    }
  }
}

TEST(FramePool, what_a_thread_keeps_is_bounded) {
  for (const std::size_t bytes : {std::size_t{100}, std::size_t{1000}}) {
    const std::size_t bound =
        bytes <= frame_pool::kSmallBytes ? frame_pool::kKeepBytesSmall : frame_pool::kKeepBytes;
    const std::size_t before = frame_pool::kept_bytes();
    std::vector<void*> blocks(2 * bound / bytes);
    for (void*& block : blocks) block = frame_pool::take(bytes);
    for (void* const block : blocks) frame_pool::give(block, bytes);
    EXPECT_LE(frame_pool::kept_bytes(), before + bound);
    if (frame_pool::kKeepsBlocks) {
      EXPECT_GT(frame_pool::kept_bytes(), bound / 2);
    }
  }
}

TEST(FramePool, large_blocks_are_not_kept) {
  const std::size_t before = frame_pool::kept_bytes();
  frame_pool::give(frame_pool::take(frame_pool::kPooledBytesMax + 1), frame_pool::kPooledBytesMax + 1);
  EXPECT_EQ(frame_pool::kept_bytes(), before);
}

TEST(FramePool, a_block_may_be_let_go_on_another_thread) {
  const std::int64_t before = frame_pool::taken();
  std::vector<void*> blocks(500);
  for (void*& block : blocks) block = frame_pool::take(64);
  EXPECT_EQ(frame_pool::taken(), before + 500);
  std::thread([&blocks] {
    for (void* const block : blocks) frame_pool::give(block, 64);
    if (frame_pool::kKeepsBlocks) {
      EXPECT_GT(frame_pool::kept_bytes(), 0u);
    }
  }).join();
  EXPECT_EQ(frame_pool::taken(), before);
}

TEST(FramePool, counts_outlive_their_thread) {
  const std::int64_t before = frame_pool::taken();
  FrameRef kept;
  std::thread([&kept] {
    kept = Frame::make("h", "from a thread that ends");
    const FrameRef gone = Frame::make("h", "with it");
  }).join();
  EXPECT_EQ(frame_pool::taken(), before + 1);
  EXPECT_EQ(kept->payload(), "from a thread that ends");
  kept = {};
  EXPECT_EQ(frame_pool::taken(), before);
}

// A frame that dies with its thread's own objects, after the pool has ended.
TEST(FramePool, frames_may_die_when_their_thread_ends) {
  const std::int64_t before = frame_pool::taken();
  std::thread([] {
    thread_local FrameRef first;  // made before the thread's first frame: it is destroyed after the pool
    first = Frame::make("h", "x");
    first = Frame::make("h", "y");
  }).join();
  EXPECT_EQ(frame_pool::taken(), before);
}

TEST(FramePool, threads_exchange_frames_while_others_count) {
  constexpr int kRounds = 2000;
  const std::int64_t before = frame_pool::taken();
  std::vector<FrameRef> shared;
  for (int i = 0; i < 64; ++i) shared.push_back(Frame::make("h", "shared"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([mine = shared] {
      for (int i = 0; i < kRounds; ++i) {
        const FrameRef own = Frame::make("h", "own");
        const FrameRef other = mine[static_cast<std::size_t>(i) % mine.size()];
        ASSERT_EQ(other->payload(), "shared");
      }
    });
  }
  shared.clear();
  for (int i = 0; i < 100; ++i) static_cast<void>(frame_pool::taken());
  for (std::thread& thread : threads) thread.join();
  threads.clear();
  EXPECT_EQ(frame_pool::taken(), before);
}

}  // namespace
}  // namespace hubbub
