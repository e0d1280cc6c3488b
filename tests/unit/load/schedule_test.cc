// Open loops without coordinated omission, on a clock of our own.
#include "hubbub/load/schedule.h"

#include <gtest/gtest.h>

#include "hubbub/load/flight.h"
#include "hubbub/load/workload.h"

namespace hubbub::load {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

TEST(Schedule, is_due_at_its_times_and_not_before) {
  Schedule schedule(1000, 5 * kMs);
  EXPECT_FALSE(schedule.due(5 * kMs - 1));
  EXPECT_TRUE(schedule.due(5 * kMs));
  EXPECT_EQ(schedule.take(), 5 * kMs);
  EXPECT_FALSE(schedule.due(6 * kMs - 1));
  EXPECT_EQ(schedule.next(), 6 * kMs);
}

TEST(Schedule, does_not_drift) {
  Schedule schedule(3, 0);  // a third of a second is no whole number of nanoseconds
  for (int i = 0; i < 3'000'000; ++i) static_cast<void>(schedule.take());
  EXPECT_EQ(schedule.next(), 1'000'000'000'000'000U);
}

TEST(Schedule, without_a_rate_is_never_due) { EXPECT_FALSE(Schedule().due(UINT64_MAX - 1)); }

// The server answers each message at once, but nothing leaves from 10 ms to 30 ms. Measured from when they
// really left all messages would take 0 ms; those 21 that were due meanwhile were late by 20, 19, ... 0 ms.
TEST(Schedule, a_stall_is_in_the_latency_of_every_message_that_was_due_meanwhile) {
  Schedule schedule(1000, 1);
  LatencyWindow latency;
  latency.open(1);
  for (std::uint64_t now = 1; now < 100 * kMs; now += kMs) {
    if (now > 10 * kMs && now < 30 * kMs) continue;
    while (schedule.due(now)) latency.record(schedule.take(), now);
  }
  EXPECT_EQ(latency.histogram().count(), 100U);
  EXPECT_EQ(latency.histogram().max(), 20 * kMs);
  EXPECT_EQ(latency.histogram().quantile(0.80), 0U);
  EXPECT_NEAR(static_cast<double>(latency.histogram().quantile(0.90)), 10.0 * kMs, 0.5 * kMs);
}

TEST(LatencyWindow, counts_what_began_inside_whenever_it_ends) {
  LatencyWindow latency;
  latency.record(1, 2);  // not open yet
  latency.open(100);
  latency.record(99, 500);  // began in the warm-up
  latency.record(100, 150);
  latency.close(200);
  latency.record(199, 10'000);  // answered after the window: the slow ones are not left out
  latency.record(200, 201);
  EXPECT_EQ(latency.histogram().count(), 2U);
  EXPECT_EQ(latency.histogram().max(), 9801U);
}

TEST(Flight, gives_each_message_its_time_back_in_any_order) {
  Flight flight;
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(flight.send(100 + i), i);
  EXPECT_EQ(flight.answer(4), 104U);
  EXPECT_EQ(flight.oldest(), 0U);
  EXPECT_EQ(flight.answer(4), std::nullopt);
  for (const std::uint64_t i : {1U, 0U, 2U, 3U}) EXPECT_EQ(flight.answer(i), 100 + i);
  EXPECT_EQ(flight.oldest(), 5U);
  EXPECT_EQ(flight.span(), 5U);
}

TEST(Flight, grows_without_forgetting_and_ends_at_its_bound) {
  Flight flight;
  for (std::uint64_t i = 0; i < 100; ++i) flight.answer(flight.send(1));
  while (!flight.full()) static_cast<void>(flight.send(flight.sent() + 1));
  EXPECT_EQ(flight.span(), Flight::kSpanMax);
  for (std::uint64_t i = 100; i < flight.sent(); ++i) ASSERT_EQ(flight.answer(i), i + 1);
  EXPECT_EQ(flight.span(), 0U);
}

}  // namespace
}  // namespace hubbub::load
