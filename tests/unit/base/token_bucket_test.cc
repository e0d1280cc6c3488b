#include "hubbub/base/token_bucket.h"

#include <gtest/gtest.h>

#include "hubbub/base/rng.h"

namespace hubbub {
namespace {

TEST(TokenBucket, gives_its_burst_at_once_and_not_one_more) {
  TokenBucket bucket(3, 1000);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(1, 3, 1000)) << i;
  EXPECT_FALSE(bucket.take(1, 3, 1000));
}

TEST(TokenBucket, refills_at_its_rate) {
  TokenBucket bucket(1, 0);
  EXPECT_TRUE(bucket.take(10, 1, 0));
  EXPECT_FALSE(bucket.take(10, 1, 99));
  EXPECT_TRUE(bucket.take(10, 1, 100));
}

TEST(TokenBucket, never_holds_more_than_its_burst) {
  TokenBucket bucket(2, 0);
  EXPECT_TRUE(bucket.full(1000, 2, 1'000'000));
  EXPECT_TRUE(bucket.take(1000, 2, 1'000'000));
  EXPECT_TRUE(bucket.take(1000, 2, 1'000'000));
  EXPECT_FALSE(bucket.take(1000, 2, 1'000'000));
}

TEST(TokenBucket, is_full_again_after_the_time_it_takes) {
  TokenBucket bucket(2, 0);
  EXPECT_TRUE(bucket.take(1, 2, 0));
  EXPECT_FALSE(bucket.full(1, 2, 999));
  EXPECT_TRUE(bucket.full(1, 2, 1000));
}

TEST(TokenBucket, a_caller_that_waits_as_told_gets_its_token) {
  SeededRng rng(3);
  for (int round = 0; round < 2000; ++round) {
    const double rate = 0.1 + static_cast<double>(rng.below(5000)) / 7;
    const double burst = 1 + static_cast<double>(rng.below(10));
    Millis now = static_cast<Millis>(rng.below(1'000'000));
    TokenBucket bucket(burst, now);
    while (bucket.take(rate, burst, now)) now += static_cast<Millis>(rng.below(2));
    const Millis wait = bucket.wait_ms(rate);
    ASSERT_GE(wait, 1);
    ASSERT_TRUE(bucket.take(rate, burst, now + wait))
        << "rate " << rate << " burst " << burst << " wait " << wait;
  }
}

TEST(TokenBucket, lets_the_rate_through_in_the_long_run) {
  TokenBucket bucket(5, 0);
  int taken = 0;
  for (Millis now = 0; now < 10'000; ++now) taken += bucket.take(20, 5, now);
  EXPECT_GE(taken, 203);
  EXPECT_LE(taken, 205);
}

}  // namespace
}  // namespace hubbub
