#include "hubbub/core/stats.h"

#include <gtest/gtest.h>

#include <set>

namespace hubbub {
namespace {

TEST(Stats, count_each_limit_and_each_error_apart) {
  Stats stats;
  stats.hit(LimitHit::topics);
  stats.hit(LimitHit::topics);
  stats.hit(LimitHit::fds);
  stats.error(Errc::parse_error);
  stats.error(Errc::node_full);
  for (std::size_t i = 0; i < stats.limit_hits.size(); ++i) {
    const auto limit = static_cast<LimitHit>(i);
    EXPECT_EQ(stats.limit_hits[i], limit == LimitHit::topics ? 2u : limit == LimitHit::fds ? 1u : 0u);
  }
  for (std::size_t i = 0; i < stats.errors.size(); ++i) {
    const auto code = static_cast<Errc>(i);
    EXPECT_EQ(stats.errors[i], code == Errc::parse_error || code == Errc::node_full ? 1u : 0u);
  }
}

TEST(LimitLabel, is_there_for_every_limit_and_fits_a_metric_label) {
  std::set<std::string_view> labels;
  for (int i = 0; i < static_cast<int>(LimitHit::count_); ++i) {
    const std::string_view label = limit_label(static_cast<LimitHit>(i));
    EXPECT_FALSE(label.empty()) << i;
    EXPECT_EQ(label.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << label;
    EXPECT_TRUE(labels.insert(label).second) << label;
  }
}

TEST(LimitLabel, is_the_right_one) {
  EXPECT_EQ(limit_label(LimitHit::message_bytes), "message_bytes");
  EXPECT_EQ(limit_label(LimitHit::calls_in_flight), "calls_in_flight");
  EXPECT_EQ(limit_label(LimitHit::open_deadline), "open_deadline");
  EXPECT_EQ(limit_label(LimitHit::sessions), "sessions");
  EXPECT_EQ(limit_label(LimitHit::outbox_messages), "messages");
  EXPECT_EQ(limit_label(LimitHit::fds), "fds");
}

}  // namespace
}  // namespace hubbub
