// A benchmark that counts or reports wrongly is worse than none.
#include "hubbub/load/histogram.h"

#include <gtest/gtest.h>

namespace hubbub::load {
namespace {

TEST(Histogram, is_exact_for_small_values) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 50; ++value) histogram.record(value);
  EXPECT_EQ(histogram.count(), 50U);
  EXPECT_EQ(histogram.quantile(0.5), 25U);
  EXPECT_EQ(histogram.quantile(0.02), 1U);
  EXPECT_EQ(histogram.quantile(1.0), 50U);
}

TEST(Histogram, reports_at_least_the_value_and_at_most_a_32nd_more) {
  for (std::uint64_t value = 1; value < (1ULL << 62); value = value * 3 / 2 + 1) {
    Histogram histogram;
    histogram.record(value);
    const std::uint64_t reported = histogram.quantile(0.5);
    EXPECT_GE(reported, value);
    EXPECT_LE(reported - value, value / 32);
  }
}

TEST(Histogram, keeps_the_largest_value_there_is) {
  Histogram histogram;
  histogram.record(UINT64_MAX);
  EXPECT_EQ(histogram.quantile(1.0), UINT64_MAX);
}

TEST(Histogram, finds_a_rare_slow_one_in_the_tail_only) {
  Histogram histogram;
  for (int i = 0; i < 999; ++i) histogram.record(10);
  histogram.record(60);
  EXPECT_EQ(histogram.quantile(0.99), 10U);
  EXPECT_EQ(histogram.quantile(0.999), 10U);
  EXPECT_EQ(histogram.quantile(1.0), 60U);
}

TEST(Histogram, is_empty_after_clear) {
  Histogram histogram;
  histogram.record(7);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.quantile(0.5), 0U);
}

TEST(Histogram, tells_maximum_and_mean_exactly) {
  Histogram histogram;
  for (const std::uint64_t value : {1000003ULL, 1ULL, 2000000ULL}) histogram.record(value);
  EXPECT_EQ(histogram.max(), 2000000U);
  EXPECT_DOUBLE_EQ(histogram.mean(), 3000004.0 / 3);
}

TEST(Histogram, reports_no_quantile_above_the_maximum) {
  Histogram histogram;
  histogram.record(1'000'001);
  EXPECT_EQ(histogram.quantile(0.5), 1'000'001U);
}

}  // namespace
}  // namespace hubbub::load
