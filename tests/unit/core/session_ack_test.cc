// session.ack in both directions, as a session sees it.
#include <gtest/gtest.h>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::Core;
using test::Ticket;

FrameRef text(std::string_view what) { return Frame::make({}, what); }

TEST(SessionAck, lets_go_of_what_the_client_has) {
  Core core;
  Client& client = core.connect();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.session->push(text("p")), PushStatus::queued);
  client.link.write(3);
  EXPECT_TRUE(client.session->on_ack(2));
  EXPECT_EQ(client.session->outbox().acked(), 2u);
  EXPECT_TRUE(client.session->on_ack(1)) << "an old one says nothing new";
  EXPECT_TRUE(client.session->on_ack(3));
  EXPECT_FALSE(client.session->on_ack(4)) << "that one is not sent";
  EXPECT_EQ(client.session->outbox().acked(), 3u);
  client.session->check_invariants();
}

TEST(SessionAck, is_told_after_so_many_messages) {
  Core core;
  Client& client = core.connect();
  client.session->tell_acks();
  for (std::uint64_t i = 1; i < Session::kAckMessages; ++i) client.session->count_received();
  EXPECT_TRUE(client.link.uncounted.empty());
  client.session->count_received();
  ASSERT_EQ(client.link.uncounted.size(), 1u);
  EXPECT_EQ(client.link.uncounted[0], R"({"jsonrpc":"2.0","method":"session.ack","params":{"received":64}})");
  core.advance(Session::kAckDelayMs * 3);
  EXPECT_EQ(client.link.uncounted.size(), 1u) << "there is nothing new to tell";
}

TEST(SessionAck, is_told_so_long_after_the_first_message_that_is_not) {
  Core core;
  Client& client = core.connect();
  client.session->tell_acks();
  client.session->count_received();
  core.advance(Session::kAckDelayMs - 1);
  client.session->count_received();
  EXPECT_TRUE(client.link.uncounted.empty());
  core.advance(1);
  ASSERT_EQ(client.link.uncounted.size(), 1u);
  EXPECT_EQ(at(client.link.uncounted[0], "/params/received"), "2");
  client.session->count_received();
  core.advance(Session::kAckDelayMs);
  EXPECT_EQ(client.link.uncounted.size(), 2u);
}

TEST(SessionAck, is_not_told_to_a_plain_client_that_never_used_one) {
  Core core;
  Client& client = core.connect();
  for (int i = 0; i < 100; ++i) client.session->count_received();
  core.advance(Session::kAckDelayMs);
  EXPECT_TRUE(client.link.uncounted.empty());
  EXPECT_TRUE(client.session->on_ack(0));
  client.session->count_received();
  EXPECT_EQ(client.link.uncounted.size(), 1u) << "now it has";
}

TEST(SessionAck, the_clients_first_one_makes_due_what_it_was_not_told_before) {
  Core core;
  Client& client = core.connect();
  for (int i = 0; i < 3; ++i) client.session->count_received();
  EXPECT_TRUE(client.session->on_ack(0));
  EXPECT_TRUE(client.link.uncounted.empty());
  core.advance(Session::kAckDelayMs);
  ASSERT_EQ(client.link.uncounted.size(), 1u);
  EXPECT_EQ(at(client.link.uncounted[0], "/params/received"), "3");
  Client& busy = core.connect();
  for (std::uint64_t i = 0; i < Session::kAckMessages; ++i) busy.session->count_received();
  EXPECT_TRUE(busy.session->on_ack(0));
  EXPECT_EQ(busy.link.uncounted.size(), 1u) << "so many are due at once";
}

TEST(SessionAck, is_not_told_over_a_connection_that_closes_nor_for_what_the_resume_told) {
  Core core;
  Client& client = core.connect();
  client.session->tell_acks();
  client.session->count_received();
  const Ticket ticket = client.ticket();
  client.session->on_link_closing();
  core.advance(Session::kAckDelayMs);
  EXPECT_TRUE(client.link.uncounted.empty());
  core.disconnect(client);
  Client& back = core.resume(ticket, 0);
  core.advance(Session::kAckDelayMs);
  EXPECT_TRUE(back.link.uncounted.empty());
  for (std::uint64_t i = 0; i < Session::kAckMessages; ++i) back.session->count_received();
  ASSERT_EQ(back.link.uncounted.size(), 1u);
  EXPECT_EQ(at(back.link.uncounted[0], "/params/received"), "65");
}

}  // namespace
}  // namespace hubbub
