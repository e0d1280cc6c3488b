#include "hubbub/server/stop_signals.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <csignal>
#include <thread>

namespace hubbub {
namespace {

TEST(StopSignals, come_out_in_the_order_they_came) {
  StopSignals signals;
  EXPECT_EQ(signals.wait_for(0), 0);
  std::raise(SIGINT);
  std::raise(SIGTERM);
  EXPECT_EQ(signals.wait(), SIGINT);
  EXPECT_EQ(signals.wait_for(0), SIGTERM);
  EXPECT_EQ(signals.wait_for(0), 0);
}

TEST(StopSignals, may_hit_a_thread_that_knows_nothing_of_them) {
  StopSignals signals;
  std::thread([] { ::pthread_kill(::pthread_self(), SIGTERM); }).join();
  EXPECT_EQ(signals.wait(), SIGTERM);
}

TEST(StopSignals, are_taken_even_if_the_thread_was_started_with_them_blocked) {
  sigset_t both;
  sigset_t before;
  ::sigemptyset(&both);
  ::sigaddset(&both, SIGTERM);
  ::sigaddset(&both, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &both, &before);
  {
    StopSignals signals;
    std::raise(SIGINT);
    EXPECT_EQ(signals.wait(), SIGINT);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(StopSignals, are_what_they_were_afterwards) {
  static volatile std::sig_atomic_t ours = 0;
  const auto before = std::signal(SIGTERM, [](int number) { ours = number; });
  {
    StopSignals signals;
    std::raise(SIGTERM);
    EXPECT_EQ(signals.wait(), SIGTERM);
    EXPECT_EQ(ours, 0);
  }
  std::raise(SIGTERM);
  EXPECT_EQ(ours, SIGTERM);
  std::signal(SIGTERM, before);
}

}  // namespace
}  // namespace hubbub
