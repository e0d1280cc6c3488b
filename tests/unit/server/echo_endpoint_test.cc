#include "hubbub/server/echo_endpoint.h"

#include <gtest/gtest.h>

#include "tests/unit/server/server_world.h"

namespace hubbub::sim {
namespace {

using wire::Opcode;

struct Echo : testing::Test {
  World world{{}, echo_routes()};
  SimClient client{world};
  void SetUp() override { client.open(); }
};

TEST_F(Echo, text_and_binary_come_back_as_they_were) {
  const std::string bytes("\0\xFF\xC0 binary", 10);
  client.send(client_frame(Opcode::text, "grüße") + client_frame(Opcode::binary, bytes) +
              client_frame(Opcode::text, ""));
  client.sync();
  ASSERT_EQ(client.frames().size(), 3U);
  EXPECT_EQ(client.frames()[0].opcode, Opcode::text);
  EXPECT_EQ(client.frames()[0].payload, "grüße");
  EXPECT_EQ(client.frames()[1].opcode, Opcode::binary);
  EXPECT_EQ(client.frames()[1].payload, bytes);
  EXPECT_EQ(client.frames()[2].payload, "");
}

TEST_F(Echo, fragments_come_back_as_one_message) {
  client.send(client_frame(Opcode::text, "a", false) + client_frame(Opcode::continuation, "b", false) +
              client_frame(Opcode::ping, "p") + client_frame(Opcode::continuation, "c"));
  client.sync();
  ASSERT_EQ(client.frames().size(), 2U);
  EXPECT_EQ(client.count(Opcode::pong), 1U);
  EXPECT_EQ(client.texts(), std::vector<std::string>{"abc"});
}

TEST_F(Echo, a_violation_closes_without_any_message_of_the_hubs) {
  client.text("before");
  client.send(client_frame(Opcode::text, "\xFF"));
  client.sync();
  EXPECT_EQ(client.texts(), std::vector<std::string>{"before"});
  EXPECT_EQ(client.close_code(), 1007);
}

TEST_F(Echo, who_does_not_read_is_not_read_and_then_closed) {
  client.socket().to_client_capacity = 1000;
  const std::string message = client_frame(Opcode::text, std::string(10'000, 'x'));
  for (int i = 0; i < 1000; ++i) client.send(message);
  world.settle();
  EXPECT_LT(world.frames(), 60);
  world.advance(Limits{}.write_stall_ms);
  EXPECT_EQ(world.closes(4008), 1U);
  world.advance(Limits{}.close_deadline_ms);
  EXPECT_TRUE(client.gone());
  EXPECT_EQ(world.frames(), 1) << "the shard's ping frame";
}

TEST_F(Echo, what_is_echoed_is_let_go) {
  for (int i = 0; i < 10'000; ++i) client.send(client_frame(Opcode::text, "x"));
  client.sync();
  EXPECT_EQ(client.frames().size(), 10'000U);
  EXPECT_EQ(world.frames(), 1);
}

}  // namespace
}  // namespace hubbub::sim
