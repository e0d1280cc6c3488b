#include "hubbub/core/limits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "hubbub/core/stats.h"

namespace hubbub {
namespace {

std::size_t size_of(const LimitInfo::Field& field) {
  return std::visit([](auto member) { return sizeof(Limits{}.*member); }, field);
}

double value_of(const LimitInfo& info, const Limits& limits) {
  return std::visit([&](auto member) { return static_cast<double>(limits.*member); }, info.field);
}

TEST(LimitTable, names_every_field_of_the_struct_but_the_one_the_protocol_fixes) {
  std::size_t covered = sizeof(Limits::topic_name_bytes);
  for (const LimitInfo& info : limit_table()) covered += size_of(info.field);
  const std::size_t padding_behind_the_flag = alignof(Limits) - sizeof(bool);
  EXPECT_EQ(sizeof(Limits), covered + padding_behind_the_flag)
      << "a field of Limits has no row in limit_table(), or one row too many";
}

TEST(LimitTable, has_each_key_and_each_field_once) {
  std::set<std::string_view> keys;
  for (const LimitInfo& info : limit_table()) EXPECT_TRUE(keys.insert(info.key).second) << info.key;
  for (const LimitInfo& a : limit_table()) {
    const auto same = [&a](const LimitInfo& b) { return a.field == b.field; };
    EXPECT_EQ(std::ranges::count_if(limit_table(), same), 1) << a.key;
  }
}

TEST(LimitTable, has_defaults_inside_the_ranges) {
  for (const LimitInfo& info : limit_table()) {
    const double value = value_of(info, Limits{});
    const bool zero_allowed = value == 0 && !info.zero_means.empty();
    EXPECT_TRUE(zero_allowed || (value >= info.min && value <= info.max)) << info.key;
    EXPECT_LE(info.min, info.max) << info.key;
  }
}

TEST(LimitTable, explains_every_row) {
  const std::set<std::string_view> units{"bytes", "ms", "count", "per_s", "flag"};
  for (const LimitInfo& info : limit_table()) {
    EXPECT_TRUE(units.contains(info.unit)) << info.key;
    EXPECT_FALSE(info.bounds.empty()) << info.key;
    EXPECT_FALSE(info.on_hit.empty()) << info.key;
    EXPECT_FALSE(info.default_text.empty()) << info.key;
  }
}

TEST(LimitTable, counts_hits_under_labels_that_the_counters_have) {
  std::set<std::string_view> labels;
  for (int i = 0; i < static_cast<int>(LimitHit::count_); ++i)
    labels.insert(limit_label(static_cast<LimitHit>(i)));
  for (const LimitInfo& info : limit_table()) {
    EXPECT_TRUE(info.metric.empty() || labels.contains(info.metric)) << info.key << " " << info.metric;
  }
}

TEST(LimitTable, has_a_row_for_every_counter_but_the_operating_system_s) {
  for (int i = 0; i < static_cast<int>(LimitHit::count_); ++i) {
    const std::string_view label = limit_label(static_cast<LimitHit>(i));
    if (label == "fds") continue;
    EXPECT_TRUE(std::ranges::count(limit_table(), label, &LimitInfo::metric) > 0) << label;
  }
}

TEST(FindLimit, finds_a_row_by_its_key_and_nothing_else) {
  ASSERT_NE(find_limit("outbox.hard_bytes"), nullptr);
  EXPECT_EQ(find_limit("outbox.hard_bytes")->default_text, "1MiB");
  EXPECT_EQ(find_limit("hard_bytes"), nullptr);
  EXPECT_EQ(find_limit(""), nullptr);
}

TEST(LimitRules, hold_for_the_defaults_and_name_real_keys) {
  for (const LimitRule& rule : limit_rules()) {
    EXPECT_TRUE(rule.holds(Limits{})) << rule.key;
    EXPECT_NE(find_limit(rule.key), nullptr) << rule.key;
    EXPECT_NE(find_limit(rule.other), nullptr) << rule.other;
  }
}

// Which rules a set of limits breaks, by key.
std::set<std::string_view> broken(const Limits& limits) {
  std::set<std::string_view> out;
  for (const LimitRule& rule : limit_rules())
    if (!rule.holds(limits)) out.insert(rule.key);
  return out;
}

TEST(LimitRules, let_soft_equal_hard_and_no_more) {
  Limits limits;
  limits.outbox_soft_bytes = limits.outbox_hard_bytes;
  EXPECT_TRUE(broken(limits).empty());
  ++limits.outbox_soft_bytes;
  EXPECT_EQ(broken(limits), std::set<std::string_view>{"outbox.soft_bytes"});
}

TEST(LimitRules, need_a_burst_only_while_the_rate_is_on) {
  Limits limits;
  limits.rate_burst = 0;
  EXPECT_EQ(broken(limits), std::set<std::string_view>{"limits.rate_burst"});
  limits.rate_per_s = 0;
  EXPECT_TRUE(broken(limits).empty());
  limits.ip_connects_burst = 0.5;
  EXPECT_EQ(broken(limits), std::set<std::string_view>{"limits.ip_connects_burst"});
}

TEST(LimitRules, need_a_session_for_each_connection_and_room_for_one_session_s_topics) {
  Limits limits;
  limits.connections = limits.sessions + 1;
  limits.topics = limits.topics_per_session - 1;
  EXPECT_EQ(broken(limits), (std::set<std::string_view>{"limits.sessions", "limits.topics"}));
}

}  // namespace
}  // namespace hubbub
