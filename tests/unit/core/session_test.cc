#include "hubbub/core/session.h"

#include <gtest/gtest.h>

#include "hubbub/core/notices.h"
#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::Core;
using test::FakeLink;

FrameRef bytes(std::size_t size) { return Frame::make({}, std::string(size, 'x')); }

// The connection was closed once, for a reader too slow, and told so in-band.
void expect_closed_as_slow(const Client& client, std::string_view reason) {
  ASSERT_EQ(client.link.closes.size(), 1u);
  const FakeLink::Close& close = client.link.closes.front();
  EXPECT_EQ(close.code, 4008);
  EXPECT_TRUE(close.reason.contains(reason)) << close.reason;
  EXPECT_EQ(close.mode, CloseMode::now);
  EXPECT_EQ(at(close.farewell, "/method"), "\"session.closing\"");
  EXPECT_EQ(at(close.farewell, "/params/code"), "4008");
}

TEST(Session, a_push_is_queued_and_wakes_the_connection) {
  Core core;
  Client& client = core.connect();
  EXPECT_EQ(client.session->push(bytes(10)), PushStatus::queued);
  EXPECT_EQ(client.link.wakes, 1);
  EXPECT_EQ(client.session->outbox().unsent(), 1u);
  EXPECT_EQ(core.stats.deliveries, 1u);
  EXPECT_EQ(core.stats.messages_out, 0u) << "not yet on the wire";
  client.link.write(FakeLink::kAll);
  EXPECT_EQ(core.stats.messages_out, 1u);
}

TEST(Session, has_a_token_of_256_and_an_epoch_of_64_random_bits) {
  Core core;
  const Client& client = core.connect();
  EXPECT_EQ(client.token.size(), 43u) << "256 bits in base64url";
  EXPECT_EQ(client.session->identity().epoch.size(), 11u) << "64 bits in base64url";
}

TEST(Session, a_push_up_to_the_hard_bound_is_taken) {
  Core core({.outbox_soft_bytes = 1000, .outbox_hard_bytes = 1000});
  Client& client = core.connect();
  EXPECT_EQ(client.session->push(bytes(999)), PushStatus::queued);
  EXPECT_EQ(client.session->push(bytes(1)), PushStatus::queued);
  EXPECT_EQ(client.session->outbox().unsent_bytes(), 1000u);
  EXPECT_EQ(client.link.flushes, 0);
  EXPECT_TRUE(client.link.closes.empty());
  EXPECT_EQ(core.hits(LimitHit::hard_bytes), 0u);
}

TEST(Session, a_push_past_the_hard_bound_tries_the_socket_first) {
  Core core({.outbox_soft_bytes = 1000, .outbox_hard_bytes = 1000});
  Client& client = core.connect();
  EXPECT_EQ(client.session->push(bytes(1000)), PushStatus::queued);
  client.link.flush_frames = 1;
  EXPECT_EQ(client.session->push(bytes(1)), PushStatus::queued);
  EXPECT_EQ(client.link.flushes, 1);
  EXPECT_TRUE(client.link.closes.empty());
  EXPECT_EQ(core.hits(LimitHit::hard_bytes), 0u);
}

TEST(Session, a_push_past_the_hard_bound_closes_a_reader_that_takes_nothing) {
  Core core({.outbox_soft_bytes = 1000, .outbox_hard_bytes = 1000, .replay_bytes = 500});
  Client& client = core.connect();
  EXPECT_EQ(client.session->push(bytes(1000)), PushStatus::queued);
  EXPECT_EQ(client.session->push(bytes(1)), PushStatus::stored);
  EXPECT_EQ(client.link.flushes, 1);
  expect_closed_as_slow(client, "outbox.hard_bytes");
  EXPECT_EQ(core.hits(LimitHit::hard_bytes), 1u);
  // One close, however much still comes.
  EXPECT_EQ(client.session->push(bytes(1)), PushStatus::stored) << "for when it comes back";
  client.session->push_reply(bytes(1));
  client.session->on_stalled();
  core.advance(core.limits.outbox_soft_ms + 1);
  EXPECT_EQ(client.link.closes.size(), 1u);
  while (client.session->push(bytes(100)) == PushStatus::stored && core.hits(LimitHit::replay) < 20) {
  }
  EXPECT_LE(client.session->outbox().bytes(), 1500u) << "outbox.hard_bytes and replay.bytes, never more";
  EXPECT_EQ(client.session->state(), SessionState::attached) << "the session stays and can resume";
}

TEST(Session, the_number_of_messages_is_bounded_like_their_bytes) {
  Core core({.outbox_messages = 16});
  Client& client = core.connect();
  for (int i = 0; i < 16; ++i) EXPECT_EQ(client.session->push(bytes(1)), PushStatus::queued);
  EXPECT_EQ(client.session->push(bytes(1)), PushStatus::stored);
  expect_closed_as_slow(client, "outbox.messages");
  EXPECT_EQ(core.hits(LimitHit::outbox_messages), 1u);
  EXPECT_EQ(core.hits(LimitHit::hard_bytes), 0u);
}

TEST(Session, a_reader_above_the_soft_bound_for_soft_time_is_closed) {
  Core core({.outbox_soft_bytes = 1000, .outbox_soft_ms = 5000});
  Client& client = core.connect();
  EXPECT_EQ(client.session->push(bytes(1001)), PushStatus::queued);
  core.advance(4999);
  EXPECT_TRUE(client.link.closes.empty());
  core.advance(1);
  expect_closed_as_slow(client, "outbox.soft_bytes");
  EXPECT_EQ(core.hits(LimitHit::soft_bytes), 1u);
}

TEST(Session, a_reader_at_the_soft_bound_may_stay_there) {
  Core core({.outbox_soft_bytes = 1000, .outbox_soft_ms = 5000});
  Client& client = core.connect();
  EXPECT_EQ(client.session->push(bytes(1000)), PushStatus::queued);
  core.advance(1'000'000);
  EXPECT_TRUE(client.link.closes.empty());
  EXPECT_EQ(core.hits(LimitHit::soft_bytes), 0u);
}

TEST(Session, a_reader_that_drains_in_time_is_not_closed_and_gets_the_whole_time_again) {
  Core core({.outbox_soft_bytes = 1000, .outbox_soft_ms = 5000});
  Client& client = core.connect();
  EXPECT_EQ(client.session->push(bytes(600)), PushStatus::queued);
  EXPECT_EQ(client.session->push(bytes(600)), PushStatus::queued);
  core.advance(4999);
  client.link.write(1);
  core.advance(100);
  EXPECT_TRUE(client.link.closes.empty());
  EXPECT_EQ(client.session->push(bytes(600)), PushStatus::queued);
  core.advance(4999);
  EXPECT_TRUE(client.link.closes.empty());
  core.advance(1);
  expect_closed_as_slow(client, "outbox.soft_bytes");
}

TEST(Session, a_socket_that_takes_nothing_is_closed_as_stalled) {
  Core core;
  Client& client = core.connect();
  client.session->on_stalled();
  expect_closed_as_slow(client, "outbox.write_stall");
  EXPECT_EQ(core.hits(LimitHit::write_stall), 1u);
}

TEST(Session, replies_are_never_dropped_and_stop_the_input_until_they_are_read) {
  Core core(
      {.outbox_soft_bytes = 1000, .outbox_soft_ms = 5000, .outbox_hard_bytes = 2000, .outbox_messages = 16});
  Client& client = core.connect();
  client.session->push_reply(bytes(1000));
  EXPECT_TRUE(client.session->accepts_input());
  for (int i = 0; i < 40; ++i) client.session->push_reply(bytes(100));
  EXPECT_FALSE(client.session->accepts_input());
  EXPECT_EQ(client.session->outbox().unsent(), 41u) << "far past every bound, and all there";
  core.advance(1'000'000);
  EXPECT_TRUE(client.link.closes.empty()) << "replies alone close nothing; write_stall does";
  client.link.write(31);
  EXPECT_TRUE(client.session->accepts_input());
  EXPECT_EQ(client.link.take().size(), 41u);
}

TEST(Session, replies_never_count_against_the_bounds_on_what_others_send) {
  Core core(
      {.outbox_soft_bytes = 1000, .outbox_soft_ms = 5000, .outbox_hard_bytes = 2000, .outbox_messages = 16});
  Client& client = core.connect();
  for (int i = 0; i < 40; ++i) client.session->push_reply(bytes(100));
  EXPECT_EQ(client.session->push(bytes(1)), PushStatus::queued)
      << "4000 bytes, 40 messages, all of them replies";
  EXPECT_EQ(client.link.flushes, 0);
  core.advance(1'000'000);
  EXPECT_TRUE(client.link.closes.empty()) << "nor against the soft bound";
  EXPECT_EQ(client.session->push(bytes(1999)), PushStatus::queued) << "what others send has its whole bound";
  client.session->check_invariants();
  EXPECT_EQ(client.session->push(bytes(1)), PushStatus::stored);
  expect_closed_as_slow(client, "outbox.hard_bytes");
}

TEST(Session, replies_never_count_against_the_number_of_messages_others_send) {
  Core core({.outbox_messages = 16});
  Client& client = core.connect();
  for (int i = 0; i < 40; ++i) client.session->push_reply(bytes(1));
  for (int i = 0; i < 16; ++i) EXPECT_EQ(client.session->push(bytes(1)), PushStatus::queued);
  EXPECT_EQ(client.session->push(bytes(1)), PushStatus::stored);
  expect_closed_as_slow(client, "outbox.messages");
}

TEST(Session, survives_its_connection_for_the_grace_time) {
  Core core({.grace_ms = 3000});
  Client& client = core.connect();
  const std::string code = client.code();
  core.disconnect(client);
  ASSERT_NE(core.hub.find(code), nullptr);
  EXPECT_EQ(core.hub.find(code)->state(), SessionState::detached);
  EXPECT_EQ(core.hub.find(code)->push(bytes(1)), PushStatus::stored);
  core.advance(2999);
  EXPECT_NE(core.hub.find(code), nullptr);
  EXPECT_EQ(core.stats.sessions_expired, 0u);
  core.advance(1);
  EXPECT_EQ(core.hub.find(code), nullptr);
  EXPECT_EQ(core.stats.sessions_expired, 1u);
  core.hub.check_invariants();
}

TEST(Session, without_grace_time_ends_with_its_connection) {
  Core core({.grace_ms = 0});
  Client& client = core.connect();
  const std::string code = client.code();
  core.disconnect(client);
  EXPECT_EQ(core.hub.find(code), nullptr);
  EXPECT_EQ(core.stats.sessions_expired, 1u);
}

TEST(Session, a_reader_closed_as_slow_keeps_its_session_for_the_grace_time) {
  Core core({.grace_ms = 3000, .outbox_messages = 16});
  Client& client = core.connect();
  while (client.session->push(bytes(1)) == PushStatus::queued) {
  }
  const std::string code = client.code();
  core.disconnect(client);
  core.advance(2999);
  EXPECT_NE(core.hub.find(code), nullptr);
  core.hub.check_invariants();
}

TEST(Session, the_rate_allowance_tells_when_to_come_back) {
  Core core({.rate_per_s = 10, .rate_burst = 2});
  Client& client = core.connect();
  Millis retry_after_ms = -1;
  EXPECT_TRUE(client.session->take_rate(retry_after_ms));
  EXPECT_TRUE(client.session->take_rate(retry_after_ms));
  EXPECT_EQ(core.hits(LimitHit::rate_per_s), 0u);
  EXPECT_FALSE(client.session->take_rate(retry_after_ms));
  EXPECT_EQ(retry_after_ms, 100);
  EXPECT_EQ(core.hits(LimitHit::rate_per_s), 1u);
  core.advance(retry_after_ms);
  EXPECT_TRUE(client.session->take_rate(retry_after_ms));
}

TEST(Session, a_rate_of_zero_is_no_limit) {
  Core core({.rate_per_s = 0, .rate_burst = 0});
  Client& client = core.connect();
  Millis retry_after_ms = -1;
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(client.session->take_rate(retry_after_ms));
}

TEST(Session, is_closed_once_with_the_first_reason) {
  Core core;
  Client& client = core.connect();
  client.session->close_link(4503, "kicked", CloseMode::after_outbox, 2500);
  client.session->close_link(1000, "again", CloseMode::now);
  ASSERT_EQ(client.link.closes.size(), 1u);
  EXPECT_EQ(client.link.closes[0].code, 4503);
  EXPECT_EQ(at(client.link.closes[0].farewell, "/params"),
            R"({"code":4503,"reason":"kicked","retry_after_ms":2500})");
}

}  // namespace
}  // namespace hubbub
