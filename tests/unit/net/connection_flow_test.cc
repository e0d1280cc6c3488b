// What flows when the socket takes or gives little: every byte in order, nothing lost, and who does not read
// is not read.
#include <gtest/gtest.h>

#include "tests/sim/sim_client.h"

namespace hubbub::sim {
namespace {

using wire::Opcode;

ShardSettings without_rate_limit() {
  ShardSettings settings;
  settings.limits.rate_per_s = 0;
  return settings;
}

TEST(ConnectionFlow, short_reads_and_writes_change_nothing) {
  for (const std::size_t size : {1U, 2U, 7U, 100U}) {
    World world(without_rate_limit());
    SimClient client(world);
    client.socket().read_max = size;
    client.socket().write_max = size;
    client.open();
    for (int i = 0; i < 30; ++i)
      client.call(i, "echo", "[\"" + std::string(static_cast<std::size_t>(i * 10), 'x') + "\"]");
    client.sync();
    EXPECT_EQ(client.texts().size(), 31U) << size;
    for (int i = 0; i < 30; ++i) EXPECT_FALSE(client.reply(i).empty()) << i;
    EXPECT_FALSE(client.broken());
  }
}

TEST(ConnectionFlow, more_than_a_turns_reading_goes_on_in_the_next) {
  ShardSettings settings = without_rate_limit();
  settings.limits.read_bytes_per_turn = 1024;
  World world(settings);
  SimClient client(world);
  client.open();
  SimClient other(world);
  other.open();
  std::string flood;
  for (int i = 0; i < 10'000; ++i) flood += client_frame(Opcode::text, call_text(i, "echo"));
  client.send(flood);
  other.call(1, "echo");
  world.turn();
  other.read();
  EXPECT_FALSE(other.reply(1).empty()) << "the other one is served in the same turn";
  client.sync();
  EXPECT_EQ(client.texts().size(), 10'001U);
}

TEST(ConnectionFlow, one_write_is_bounded_and_the_rest_goes_out_in_later_turns) {
  ShardSettings settings = without_rate_limit();
  settings.limits.write_bytes_per_turn = 2048;
  World world(settings);
  SimClient client(world);
  client.open();
  std::string burst;
  for (int i = 0; i < 100; ++i)
    burst += client_frame(Opcode::text, call_text(i, "echo", "[\"" + std::string(500, 'x') + "\"]"));
  client.send(burst);
  client.sync();
  EXPECT_EQ(client.texts().size(), 101U);
  EXPECT_LE(world.io.write_bytes_largest, 2048U + 600U);
}

// The replies to a client's own calls are never dropped: the hub stops reading from that client until it
// drains.
TEST(ConnectionFlow, a_client_that_does_not_read_its_replies_is_not_read_and_continues_exactly_after) {
  World world(without_rate_limit());
  SimClient client(world);
  client.open();
  client.socket().to_client_capacity = 8 * 1024;
  constexpr int kCalls = 2000;
  std::string flood;
  for (int i = 0; i < kCalls; ++i)
    flood += client_frame(Opcode::text, call_text(i, "echo", "[\"" + std::string(1000, 'x') + "\"]"));
  client.send(flood);
  world.settle();
  EXPECT_LT(world.stats().calls, 400U) << "about outbox.soft_bytes of replies";
  EXPECT_GT(world.stats().calls, 200U);
  EXPECT_GT(client.socket().to_server.size(), flood.size() / 2) << "the rest waits in the client's own pipe";
  EXPECT_LT(world.frames(), 400);
  client.sync();
  ASSERT_EQ(client.texts().size(), std::size_t{kCalls} + 1);
  const auto texts = client.texts();
  for (int i = 0; i < kCalls; ++i)
    ASSERT_NE(texts[static_cast<std::size_t>(i) + 1].find("\"id\":" + std::to_string(i) + ','),
              std::string::npos)
        << i;
  EXPECT_EQ(client.close_code(), 0);
}

TEST(ConnectionFlow, a_client_that_pings_and_does_not_read_the_pongs_is_not_read) {
  World world;
  SimClient client(world);
  client.open();
  client.forget_frames();
  client.socket().to_client_capacity = 1024;
  constexpr int kPings = 20'000;
  std::string flood;
  for (int i = 0; i < kPings; ++i) flood += client_frame(Opcode::ping, std::string(100, 'p'));
  client.send(flood);
  world.settle();
  EXPECT_LT(world.frames(), 1000);
  EXPECT_GT(client.socket().to_server.size(), flood.size() / 2);
  client.sync();
  EXPECT_EQ(client.count(Opcode::pong), std::size_t{kPings});
  EXPECT_FALSE(client.broken());
}

TEST(ConnectionFlow, a_client_that_was_not_read_can_still_be_closed_by_the_server) {
  World world(without_rate_limit());
  SimClient client(world);
  client.open();
  client.socket().to_client_capacity = 1024;
  std::string flood;
  for (int i = 0; i < 1000; ++i)
    flood += client_frame(Opcode::text, call_text(i, "echo", "[\"" + std::string(1000, 'x') + "\"]"));
  client.send(flood + client_close(1000));
  world.advance(Limits{}.write_stall_ms);
  EXPECT_EQ(world.hits(LimitHit::write_stall), 1U);
  world.advance(Limits{}.close_deadline_ms);
  EXPECT_TRUE(client.gone());
}

TEST(ConnectionFlow, a_burst_of_one_turn_that_the_socket_takes_is_not_the_readers_fault) {
  ShardSettings settings;
  settings.limits.outbox_hard_bytes = 64 * 1024;
  settings.limits.outbox_soft_bytes = 32 * 1024;
  World world(settings);
  SimClient client(world);
  client.open();
  client.ask(1, "topic.subscribe", R"({"topic":"t"})");
  world.shard->post([&] {
    for (int i = 0; i < 500; ++i)
      EXPECT_TRUE(world.shard->hub().deliver("t", '"' + std::string(1000, 'x') + '"').has_value());
  });
  client.sync();
  EXPECT_EQ(client.close_code(), 0);
  EXPECT_EQ(client.texts_with("topic.message"), 500U);
}

TEST(ConnectionFlow, compressed_replies_are_the_same_for_a_client_that_asks_for_compression) {
  World world;
  SimClient client(world);
  client.open("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  EXPECT_NE(client.responses()[0].head.find("Sec-WebSocket-Extensions: permessage-deflate"),
            std::string::npos);
  client.forget_frames();
  client.call(1, "echo", "[\"" + std::string(5000, 'x') + "\"]");
  client.sync();
  ASSERT_EQ(client.frames().size(), 1U);
  EXPECT_TRUE(client.frames()[0].rsv1);
  EXPECT_LT(client.frames()[0].payload.size(), 200U);
  wire::Inflater inflater(15, false);
  std::string text;
  EXPECT_EQ(inflater.feed(client.frames()[0].payload, text, 10'000), wire::InflateStatus::ok);
  EXPECT_EQ(inflater.finish(text, 10'000), wire::InflateStatus::ok);
  EXPECT_EQ(text, R"({"jsonrpc":"2.0","id":1,"result":[")" + std::string(5000, 'x') + "\"]}");
}

// --- Replies and the hard bound

// A client that reads slowly and has more than outbox.hard_bytes of one batch's answer to read.
struct HalfWrittenReply : testing::Test {
  static ShardSettings settings() {
    ShardSettings out = without_rate_limit();
    out.limits.message_bytes = 2 * 1024 * 1024;
    out.limits.write_stall_ms = 3'600'000;
    out.limits.ping_interval_ms = 0;
    return out;
  }
  World world{settings()};
  SimClient client{world};

  void SetUp() override {
    client.open();
    client.ask(1, "topic.subscribe", R"({"topic":"t"})");
    client.socket().to_client_capacity = 8 * 1024;
    const std::string large(Limits{}.outbox_hard_bytes + 1000, 'x');
    client.text('[' + call_text(2, "echo", "[\"" + large + "\"]") + ']');
    world.settle();
    EXPECT_EQ(client.socket().to_client.size(), client.socket().to_client_capacity) << "half written";
  }
  void publish(std::size_t bytes) {
    world.shard->post([this, bytes] {
      EXPECT_TRUE(world.shard->hub().deliver("t", '"' + std::string(bytes, 'x') + '"').has_value());
    });
    world.settle();
  }
};

TEST_F(HalfWrittenReply, and_a_tiny_publish_keep_the_connection) {
  publish(1);
  world.advance(2 * Limits{}.outbox_soft_ms);
  EXPECT_EQ(world.closes(4008), 0U);
  client.sync();
  EXPECT_EQ(client.close_code(), 0);
  EXPECT_FALSE(client.reply(2).empty());
  EXPECT_EQ(client.texts_with("topic.message"), 1U);
  EXPECT_EQ(world.hits(LimitHit::hard_bytes) + world.hits(LimitHit::soft_bytes), 0U);
}

TEST_F(HalfWrittenReply, and_published_messages_beyond_the_bound_close_it) {
  constexpr std::size_t kBytes = 100'000;
  for (std::size_t sent = 0; sent < Limits{}.outbox_hard_bytes; sent += kBytes) {
    EXPECT_EQ(world.closes(4008), 0U) << sent;
    publish(kBytes);
  }
  publish(1);
  EXPECT_EQ(world.closes(4008), 1U);
  EXPECT_EQ(world.hits(LimitHit::hard_bytes), 1U);
  client.sync();
  EXPECT_EQ(client.close_code(), 4008);
  EXPECT_FALSE(client.reply(2).empty()) << "the frame that was half out is completed";
}

}  // namespace
}  // namespace hubbub::sim
