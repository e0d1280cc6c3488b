#include "hubbub/net/ip_gate.h"

#include <gtest/gtest.h>

#include <vector>

namespace hubbub {
namespace {

Address ipv6(std::uint8_t subnet, std::uint8_t host) {
  Address out;
  out.ip = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, subnet, 0, 0, 0, 0, 0, 0, 0, host};
  return out;
}

Address nth(std::uint32_t n) {
  return Address::ipv4(10, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
                       static_cast<std::uint8_t>(n));
}

struct Gate : testing::Test {
  Limits limits{.ip_connections = 3, .ip_connects_per_s = 0, .ip_connects_burst = 30, .ip_entries = 16};
  Stats stats;
  IpGate gate{limits};
  Millis now = 1000;

  [[nodiscard]] std::uint64_t hits(LimitHit limit) const {
    return stats.limit_hits[static_cast<std::size_t>(limit)];
  }
  bool admit(const Address& peer) { return gate.admit(peer, now, stats).has_value(); }
};

TEST_F(Gate, an_address_may_have_its_limit_of_connections_and_not_one_more) {
  const Address peer = nth(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admit(peer));
  EXPECT_EQ(hits(LimitHit::ip_connections), 0U);
  const auto refused = gate.admit(peer, now, stats);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::too_many_connections);
  EXPECT_EQ(refused.error().limit, "limits.ip_connections");
  EXPECT_GT(refused.error().retry_after_ms, 0);
  EXPECT_EQ(hits(LimitHit::ip_connections), 1U);
}

TEST_F(Gate, a_released_connection_makes_room_for_one) {
  const Address peer = nth(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admit(peer));
  gate.release(peer);
  EXPECT_TRUE(admit(peer));
  EXPECT_FALSE(admit(peer));
}

TEST_F(Gate, one_address_does_not_pay_for_another) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admit(nth(1)));
  EXPECT_FALSE(admit(nth(1)));
  EXPECT_TRUE(admit(nth(2)));
}

TEST_F(Gate, ipv6_addresses_of_one_slash_64_count_together) {
  EXPECT_TRUE(admit(ipv6(1, 1)));
  EXPECT_TRUE(admit(ipv6(1, 2)));
  EXPECT_TRUE(admit(ipv6(1, 3)));
  EXPECT_FALSE(admit(ipv6(1, 4)));
  EXPECT_TRUE(admit(ipv6(2, 1)));
}

TEST_F(Gate, connects_are_limited_by_burst_then_rate) {
  limits.ip_connections = 0;
  limits.ip_connects_per_s = 2;
  limits.ip_connects_burst = 5;
  const Address peer = nth(1);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(admit(peer));
  const auto refused = gate.admit(peer, now, stats);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().limit, "limits.ip_connects_per_s");
  EXPECT_EQ(refused.error().retry_after_ms, 500);
  EXPECT_EQ(hits(LimitHit::ip_connects_per_s), 1U);
  now += 499;
  EXPECT_FALSE(admit(peer));
  now += 1;
  EXPECT_TRUE(admit(peer)) << "after exactly the time that was told";
}

TEST_F(Gate, a_refused_connection_is_not_counted) {
  const Address peer = nth(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admit(peer));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(admit(peer));
  for (int i = 0; i < 3; ++i) gate.release(peer);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admit(peer));
}

TEST_F(Gate, loopback_is_exempt_unless_configured_otherwise) {
  const Address here = Address::ipv4(127, 0, 0, 1);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(admit(here));
  for (int i = 0; i < 100; ++i) gate.release(here);
  EXPECT_EQ(gate.entries(), 0U);
  limits.ip_exempt_loopback = false;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admit(here));
  EXPECT_FALSE(admit(here));
}

TEST_F(Gate, with_both_limits_off_nothing_is_remembered) {
  limits.ip_connections = 0;
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_TRUE(admit(nth(i)));
  EXPECT_EQ(gate.entries(), 0U);
}

TEST_F(Gate, memory_is_bounded_while_addresses_rotate) {
  limits.ip_connects_per_s = 1;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(admit(nth(i)));
    gate.release(nth(i));
    ASSERT_LE(gate.entries(), limits.ip_entries);
  }
  EXPECT_GT(hits(LimitHit::ip_entries), 0U);
}

TEST_F(Gate, memory_is_bounded_while_addresses_rotate_around_many_that_stay) {
  constexpr std::uint32_t kStay = 500;
  for (std::uint32_t i = 0; i < kStay; ++i) ASSERT_TRUE(admit(nth(i)));
  for (std::uint32_t i = kStay; i < 10'000; ++i) {
    ASSERT_TRUE(admit(nth(i)));
    gate.release(nth(i));
    ASSERT_LE(gate.entries(), limits.ip_entries + kStay);
  }
}

TEST_F(Gate, an_address_with_connections_is_never_forgotten) {
  for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_TRUE(admit(nth(i)));
  for (std::uint32_t i = 0; i < 1000; ++i) gate.release(nth(i));  // would abort on one that was
  EXPECT_LE(gate.entries(), limits.ip_entries);
}

TEST_F(Gate, a_busy_address_is_not_forgotten_for_idle_ones) {
  limits.ip_connections = 0;
  limits.ip_connects_per_s = 1;
  limits.ip_connects_burst = 2;
  const Address busy = nth(1'000'000);
  EXPECT_TRUE(admit(busy));
  EXPECT_TRUE(admit(busy));
  gate.release(busy);
  gate.release(busy);
  now += 500;  // half a token: not full, so remembered by the sweep
  for (std::uint32_t i = 0; i < limits.ip_entries - 1; ++i) {
    EXPECT_TRUE(gate.admit(nth(i), now - 5000, stats).has_value());
    gate.release(nth(i));
  }
  EXPECT_TRUE(admit(nth(77)));  // sweeps those that are full again
  EXPECT_FALSE(admit(busy));
}

}  // namespace
}  // namespace hubbub
