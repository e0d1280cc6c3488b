#include "hubbub/net/mailbox.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace hubbub {
namespace {

using Tasks = std::vector<std::move_only_function<void()>>;

// Counts wakes from any thread; nothing else is called.
class WakeCounter final : public Io {
 public:
  std::span<const IoEvent> wait(Millis) override { return {}; }
  void wake() override { ++wakes; }
  Result<Listening> listen(const std::string&, std::uint16_t, bool) override {
    return fail(Errc::internal_error);
  }
  void unwatch(Socket) override {}
  AcceptResult accept(Socket) override { return {IoStatus::failed, kNoSocket, {}}; }
  bool watch(Socket, std::uint64_t) override { return false; }
  ReadResult read(Socket, std::span<char>) override { return {IoStatus::failed}; }
  void write(std::span<WriteOp>) override {}
  void shutdown_write(Socket) override {}
  void close(Socket) override {}
  std::atomic<int> wakes{0};
};

TEST(Mailbox, tasks_come_out_once_and_in_order) {
  WakeCounter io;
  Mailbox mailbox(io);
  std::vector<int> ran;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(mailbox.post([&ran, i] { ran.push_back(i); }));
  Tasks tasks;
  mailbox.take(tasks);
  for (auto& task : tasks) task();
  EXPECT_EQ(ran, (std::vector{0, 1, 2, 3, 4}));
  mailbox.take(tasks);
  EXPECT_TRUE(tasks.empty());
}

TEST(Mailbox, the_first_task_of_a_turn_wakes_and_the_others_do_not) {
  WakeCounter io;
  Mailbox mailbox(io);
  Tasks tasks;
  for (int turn = 1; turn <= 3; ++turn) {
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(mailbox.post([] {}));
    EXPECT_EQ(io.wakes, turn);
    mailbox.take(tasks);
  }
}

TEST(Mailbox, tasks_of_many_threads_all_arrive_each_threads_in_order) {
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  WakeCounter io;
  Mailbox mailbox(io);
  mailbox.bind();
  std::array<std::vector<int>, kThreads> ran;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      EXPECT_FALSE(mailbox.on_thread());
      for (int i = 0; i < kEach; ++i) EXPECT_TRUE(mailbox.post([&ran, t, i] { ran[t].push_back(i); }));
    });
  EXPECT_TRUE(mailbox.on_thread());
  Tasks tasks;
  for (int seen = 0; seen < kThreads * kEach;) {
    mailbox.take(tasks);
    for (auto& task : tasks) task();
    seen += static_cast<int>(tasks.size());
    if (tasks.empty()) std::this_thread::yield();
  }
  for (auto& thread : threads) thread.join();
  for (const auto& list : ran) {
    ASSERT_EQ(list.size(), std::size_t{kEach});
    for (int i = 0; i < kEach; ++i) ASSERT_EQ(list[static_cast<std::size_t>(i)], i);
  }
}

TEST(Mailbox, a_closed_mailbox_refuses_and_does_not_touch_its_io) {
  auto io = std::make_unique<WakeCounter>();
  auto mailbox = std::make_shared<Mailbox>(*io);
  mailbox->close();
  io.reset();
  EXPECT_FALSE(mailbox->post([] {}));
}

// A dropped task may hold a reply that posts from its destructor.
TEST(Mailbox, a_task_dropped_by_close_may_post) {
  struct PostsAtItsEnd {
    explicit PostsAtItsEnd(Mailbox& m) : mailbox(&m) {}
    PostsAtItsEnd(PostsAtItsEnd&& other) noexcept : mailbox(std::exchange(other.mailbox, nullptr)) {}
    PostsAtItsEnd& operator=(PostsAtItsEnd&&) = delete;
    ~PostsAtItsEnd() {
      if (!mailbox) return;
      EXPECT_FALSE(mailbox->post([] {}));
    }
    void operator()() {}
    Mailbox* mailbox;
  };
  WakeCounter io;
  Mailbox mailbox(io);
  EXPECT_TRUE(mailbox.post(PostsAtItsEnd(mailbox)));
  mailbox.close();
}

}  // namespace
}  // namespace hubbub
