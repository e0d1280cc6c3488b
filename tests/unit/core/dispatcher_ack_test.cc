// session.ack in all its forms, and what counts as a message.
#include <gtest/gtest.h>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::Core;
using test::send_to_all;

std::string ack(std::string_view received, std::string_view id = {}) {
  std::string out = R"({"jsonrpc":"2.0",)";
  if (!id.empty()) out += R"("id":)" + std::string(id) + ',';
  return out + R"("method":"session.ack","params":{"received":)" + std::string(received) + "}}";
}

// A client that was sent three messages.
struct Acknowledging : testing::Test {
  Core core;
  Client& client = core.connect();
  void SetUp() override {
    EXPECT_EQ(send_to_all(core.hub, "1"), 1u);
    EXPECT_EQ(send_to_all(core.hub, "2"), 1u);
    EXPECT_EQ(send_to_all(core.hub, "3"), 1u);
    client.link.take();
  }
  [[nodiscard]] std::uint64_t acked() const { return client.session->outbox().acked(); }
};

TEST_F(Acknowledging, as_a_notification_is_not_counted_and_not_answered) {
  EXPECT_EQ(core.call(client, ack("2")), "");
  EXPECT_EQ(acked(), 2u);
  EXPECT_EQ(client.session->received(), 0u);
  EXPECT_EQ(client.session->outbox().tail(), 3u);
}

TEST_F(Acknowledging, as_a_request_is_counted_and_answered) {
  EXPECT_EQ(core.call(client, ack("2", "5")), R"({"jsonrpc":"2.0","id":5,"result":null})");
  EXPECT_EQ(acked(), 2u);
  EXPECT_EQ(client.session->received(), 1u);
}

TEST_F(Acknowledging, in_a_batch_is_counted_with_its_batch) {
  EXPECT_EQ(core.call(client, '[' + ack("1") + ',' + ack("2", "5") + ']'),
            R"([{"jsonrpc":"2.0","id":5,"result":null}])");
  EXPECT_EQ(acked(), 2u);
  EXPECT_EQ(client.session->received(), 1u);
}

TEST_F(Acknowledging, more_than_was_sent_is_a_protocol_error) {
  EXPECT_EQ(core.call(client, ack("3")), "");
  EXPECT_TRUE(client.link.closes.empty());
  EXPECT_EQ(core.call(client, ack("4")), "");
  ASSERT_EQ(client.link.closes.size(), 1u);
  EXPECT_EQ(client.link.closes[0].code, 1002);
  EXPECT_EQ(client.session->state(), SessionState::attached) << "the session can be resumed";
}

TEST_F(Acknowledging, without_a_count_is_a_protocol_error) {
  for (const std::string& wrong :
       {std::string(R"({"jsonrpc":"2.0","method":"session.ack"})"), ack("-1"), ack("1.5"), ack(R"("1")"),
        std::string(R"({"jsonrpc":"2.0","method":"session.ack","params":[1]})")}) {
    Client& other = core.connect();
    EXPECT_EQ(core.call(other, wrong), "");
    ASSERT_EQ(other.link.closes.size(), 1u) << wrong;
    EXPECT_EQ(other.link.closes[0].code, 1002);
  }
}

TEST_F(Acknowledging, turns_on_the_servers_own_acknowledgements) {
  core.call(client, R"({"jsonrpc":"2.0","method":"ping"})");
  core.advance(Session::kAckDelayMs);
  EXPECT_TRUE(client.link.uncounted.empty());
  core.deliver(client, ack("3"));
  core.call(client, R"({"jsonrpc":"2.0","method":"ping"})");
  core.advance(Session::kAckDelayMs);
  ASSERT_EQ(client.link.uncounted.size(), 1u);
  EXPECT_EQ(at(client.link.uncounted[0], "/params/received"), "2");
}

TEST(AcknowledgingFast, costs_the_allowance_and_is_never_refused) {
  Core core({.rate_per_s = 1, .rate_burst = 2});
  Client& client = core.connect();
  EXPECT_EQ(send_to_all(core.hub, "1"), 1u);
  client.link.take();
  for (int i = 0; i < 5; ++i) core.deliver(client, ack("0"));
  EXPECT_EQ(at(core.call(client, R"({"jsonrpc":"2.0","id":1,"method":"ping"})"), "/error/code"), "-32025");
  core.deliver(client, ack("1"));
  EXPECT_EQ(client.session->outbox().acked(), 1u);
  EXPECT_TRUE(client.link.closes.empty());
}

TEST(Counting, every_text_is_one_message_whatever_it_is) {
  Core core;
  Client& client = core.connect();
  std::uint64_t count = 0;
  for (const std::string_view message :
       {R"({"jsonrpc":"2.0","id":1,"method":"ping"})", R"({"jsonrpc":"2.0","method":"ping"})",
        R"([{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}])", "[]",
        "not JSON", R"({"jsonrpc":"2.0","id":1,"method":"no.such"})", "{}", "1"}) {
    core.deliver(client, message);
    EXPECT_EQ(client.session->received(), ++count) << message;
  }
}

}  // namespace
}  // namespace hubbub
