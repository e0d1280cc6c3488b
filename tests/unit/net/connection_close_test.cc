// How connections end: close handshakes from both sides, protocol errors, ends without a handshake.
#include <gtest/gtest.h>

#include <iterator>

#include "tests/sim/sim_client.h"

namespace hubbub::sim {
namespace {

using wire::Opcode;

struct ConnectionClose : testing::Test {
  World world;
  SimClient client{world};
  void SetUp() override {
    client.open();
    client.forget_frames();
  }
  void TearDown() override {
    EXPECT_FALSE(client.broken());
    world.shard.reset();
    EXPECT_EQ(world.frames(), 0);
    EXPECT_EQ(world.io.sockets_open(), 0U);
  }
};

TEST_F(ConnectionClose, the_clients_code_is_echoed_then_both_end) {
  client.close(4321, "bye");
  client.sync();
  EXPECT_EQ(client.close_code(), 4321);
  EXPECT_EQ(client.count(Opcode::text), 0U) << "no farewell to one who says good-bye";
  EXPECT_TRUE(client.got_fin());
  EXPECT_FALSE(client.gone());
  client.end();
  world.settle();
  EXPECT_TRUE(client.gone());
  EXPECT_FALSE(client.got_reset());
  EXPECT_EQ(world.closes(4321), 0U) << "a client could feign our codes, or invent two thousand";
  EXPECT_EQ(world.closes(0), 1U);
  EXPECT_EQ(world.log.count("code=4321 reason=bye"), 1U);
}

TEST_F(ConnectionClose, a_close_frame_without_code_is_answered_by_one_without) {
  client.send(client_frame(Opcode::close, {}));
  client.sync();
  EXPECT_EQ(client.close_code(), 1005);
  EXPECT_EQ(world.closes(1005), 1U);
}

TEST_F(ConnectionClose, what_was_asked_before_the_close_is_answered_before_the_echo) {
  client.send(client_frame(Opcode::text, call_text(1, "echo", "[1]")) + client_close(1000));
  client.sync();
  ASSERT_EQ(client.frames().size(), 2U);
  EXPECT_FALSE(client.reply(1).empty());
  EXPECT_EQ(client.close_code(), 1000);
}

TEST_F(ConnectionClose, a_client_that_closes_and_ends_at_once_still_gets_answers_and_echo) {
  client.send(client_frame(Opcode::text, call_text(1, "echo", "[1]")) + client_close(1000));
  client.end();
  client.sync();
  ASSERT_EQ(client.frames().size(), 2U);
  EXPECT_FALSE(client.reply(1).empty());
  EXPECT_EQ(client.close_code(), 1000);
  EXPECT_TRUE(client.gone());
}

TEST_F(ConnectionClose, data_after_the_clients_close_is_ignored) {
  client.send(client_close(1000) +
              client_frame(Opcode::text, call_text(1, "hub.broadcast", R"({"data":1})")) +
              client_frame(Opcode::ping, "x") + "garbage");
  client.sync();
  ASSERT_EQ(client.frames().size(), 1U);
  EXPECT_EQ(client.close_code(), 1000);
  client.send("more garbage");
  client.sync();
  EXPECT_EQ(world.stats().calls, 0U);
  client.end();
  world.settle();
  EXPECT_TRUE(client.gone());
}

TEST_F(ConnectionClose, the_servers_close_waits_for_the_clients) {
  EXPECT_FALSE(client.ask(1, "session.close").empty());
  EXPECT_EQ(client.close_code(), 1000);
  EXPECT_TRUE(client.text_with("session.closing"));
  EXPECT_FALSE(client.got_fin());
  client.close(1000);
  world.settle();
  EXPECT_TRUE(client.got_fin());
  client.end();
  world.settle();
  EXPECT_TRUE(client.gone());
  EXPECT_EQ(world.closes(1000), 1U);
}

TEST_F(ConnectionClose, after_the_servers_close_nothing_is_answered_any_more) {
  client.ask(1, "session.close");
  const std::size_t frames = client.frames().size();
  client.send(client_frame(Opcode::text, call_text(2, "echo", "[2]")) + client_frame(Opcode::ping, "x"));
  client.sync();
  EXPECT_EQ(client.frames().size(), frames);
  client.close(1000);
  client.sync();
  EXPECT_EQ(client.frames().size(), frames) << "one Close frame a side";
}

TEST_F(ConnectionClose, nothing_follows_the_servers_close_frame_not_even_notices) {
  client.ask(1, "session.close");
  EXPECT_EQ(client.close_code(), 1000);
  world.shard->begin_drain();  // tells every client session.draining
  client.sync();
  EXPECT_FALSE(client.broken());
  EXPECT_EQ(client.texts_with("session.draining"), 0U);
}

TEST_F(ConnectionClose, crossing_close_frames_end_the_connection_once) {
  client.call(1, "session.close");
  client.close(4000);
  client.sync();
  EXPECT_EQ(client.count(Opcode::close), 1U);
  client.end();
  world.settle();
  EXPECT_TRUE(client.gone());
  EXPECT_EQ(world.log.count("connection closed"), 1U);
}

TEST_F(ConnectionClose, no_answer_to_the_servers_close_ends_at_the_deadline) {
  client.ask(1, "session.close");
  world.advance(Limits{}.close_deadline_ms - 1);
  EXPECT_FALSE(client.gone());
  world.advance(1);
  EXPECT_TRUE(client.gone());
  EXPECT_EQ(world.hits(LimitHit::close_deadline), 1U);
}

TEST_F(ConnectionClose, a_late_answer_to_the_servers_close_buys_no_more_time) {
  client.ask(1, "session.close");
  world.advance(Limits{}.close_deadline_ms - 1000);
  client.close(1000);  // and keeps TCP open
  client.sync();
  EXPECT_TRUE(client.got_fin());
  world.advance(999);
  EXPECT_FALSE(client.gone());
  world.advance(1);
  EXPECT_TRUE(client.gone()) << "one deadline for the whole closing";
}

TEST_F(ConnectionClose, what_is_sent_to_a_client_whose_close_has_arrived_waits_for_its_next_connection) {
  client.ask(1, "session.info");
  SimClient sender(world);
  sender.open();
  client.close(1000);  // and keeps TCP open
  world.settle();
  EXPECT_FALSE(client.gone());
  EXPECT_EQ(world.shard->hub().counts().attached, 2U);
  EXPECT_NE(sender.ask(1, "session.send", R"({"to":")" + client.code() + R"(","data":1})")
                .find(R"("result":{"status":"queued"})"),
            std::string::npos)
      << sender.reply(1);
  EXPECT_NE(sender.ask(2, "hub.broadcast", R"({"data":1})").find(R"("result":{"sessions":2})"),
            std::string::npos)
      << sender.reply(2);
  EXPECT_EQ(client.sync().texts_with("hub.message"), 0U);
}

TEST_F(ConnectionClose, a_clients_own_codes_are_counted_together_and_ours_by_name) {
  const std::uint16_t own[] = {3000, 4008, 4012, 4503, 4999};
  for (const std::uint16_t code : own) {
    SimClient leaver(world);
    leaver.open();
    leaver.close(code);
    leaver.sync();
    EXPECT_EQ(leaver.close_code(), code) << "echoed all the same";
    EXPECT_EQ(world.closes(code), 0U) << code;
  }
  EXPECT_EQ(world.closes(0), std::size(own));
  SimClient going(world);
  going.open();
  going.close(1001);
  going.sync();
  EXPECT_EQ(world.closes(1001), 1U) << "RFC 6455's are few";
  client.ask(1, "session.info");
  Hub& hub = world.shard->hub();
  hub.end(*hub.find(client.code()), 4503, "kicked");
  client.sync();
  EXPECT_EQ(client.close_code(), 4503);
  EXPECT_EQ(world.closes(4503), 1U);
  client.close(4999);  // its answer to ours is no second close
  client.sync();
  EXPECT_EQ(world.closes(0), std::size(own));
}

TEST_F(ConnectionClose, a_client_that_never_ends_after_the_handshake_is_cut_at_the_deadline) {
  client.close(1000);
  client.sync();
  EXPECT_TRUE(client.got_fin());
  world.advance(Limits{}.close_deadline_ms);
  EXPECT_TRUE(client.gone());
}

TEST_F(ConnectionClose, an_end_without_close_frame_is_1006_and_the_session_stays_for_its_grace) {
  client.end();
  world.settle();
  EXPECT_TRUE(client.gone());
  EXPECT_EQ(world.closes(1006), 1U);
  EXPECT_EQ(world.shard->hub().counts().detached, 1U);
  world.advance(Limits{}.grace_ms - 1);
  EXPECT_EQ(world.shard->hub().counts().detached, 1U);
  world.advance(1);
  EXPECT_EQ(world.shard->hub().counts().detached, 0U);
  EXPECT_EQ(world.stats().sessions_expired, 1U);
}

TEST_F(ConnectionClose, a_reset_is_1006) {
  client.reset();
  world.settle();
  EXPECT_TRUE(client.gone());
  EXPECT_EQ(world.closes(1006), 1U);
}

TEST_F(ConnectionClose, a_busy_topic_does_not_keep_the_close_frame_back) {
  client.ask(1, "topic.subscribe", R"({"topic":"t"})");
  client.close(1000);
  // Each turn brings a new message, so that the outbox is never empty when a turn's writes are gathered.
  for (int turn = 0; turn < 10; ++turn) {
    world.shard->post([&] { EXPECT_TRUE(world.shard->hub().deliver("t", "1").has_value()); });
    world.turn();
    client.read();
  }
  EXPECT_EQ(client.close_code(), 1000);
}

struct Violation {
  const char* name;
  std::string bytes;
  std::uint16_t code;
};

class ConnectionViolation : public testing::TestWithParam<Violation> {};

TEST_P(ConnectionViolation, gives_its_code_after_earlier_replies_and_ends) {
  const Violation& violation = GetParam();
  for (const bool cut : {false, true}) {
    World world;
    SimClient client(world);
    client.open();
    client.forget_frames();
    const std::string bytes = client_frame(Opcode::text, call_text(1, "echo", "[1]")) + violation.bytes +
                              client_frame(Opcode::text, call_text(2, "echo", "[2]"));
    for (std::size_t i = 0; i < bytes.size(); i += cut ? 1 : bytes.size()) {
      client.send(std::string_view(bytes).substr(i, cut ? 1 : std::string::npos));
      world.settle();
    }
    client.sync();
    EXPECT_FALSE(client.reply(1).empty());
    EXPECT_TRUE(client.reply(2).empty());
    EXPECT_TRUE(client.text_with(R"("session.closing","params":{"code":)" + std::to_string(violation.code)));
    EXPECT_EQ(client.close_code(), violation.code);
    EXPECT_FALSE(client.close_reason().empty());
    EXPECT_TRUE(client.got_fin()) << "a broken peer is not waited for";
    EXPECT_FALSE(client.broken());
    client.end();
    world.settle();
    EXPECT_TRUE(client.gone());
    EXPECT_EQ(world.closes(violation.code), 1U);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ConnectionViolation,
    testing::Values(Violation{"unmasked", std::string("\x81\x01x", 3), 1002},
                    Violation{"reserved_bit", std::string("\xA1\x80\0\0\0\0", 6), 1002},
                    Violation{"reserved_opcode", std::string("\x83\x80\0\0\0\0", 6), 1002},
                    Violation{"lone_continuation", client_frame(Opcode::continuation, "x"), 1002},
                    Violation{"close_with_one_byte", client_frame(Opcode::close, "x"), 1002},
                    Violation{"bad_close_code", client_close(1006), 1002},
                    Violation{"bad_utf8", client_frame(Opcode::text, "\xC0\xAF"), 1007},
                    Violation{"too_big", client_frame(Opcode::text, std::string(65537, ' ')), 1009}),
    [](const auto& instance) { return instance.param.name; });

TEST_F(ConnectionClose, binary_is_refused_with_1003) {
  client.send(client_frame(Opcode::text, call_text(1, "echo", "[1]")) + client_frame(Opcode::binary, "x"));
  client.sync();
  EXPECT_FALSE(client.reply(1).empty());
  EXPECT_TRUE(client.text_with(R"("code":1003)"));
  EXPECT_EQ(client.close_code(), 1003);
}

TEST(ConnectionMessage, fragments_are_counted_together_against_the_limit) {
  for (const std::size_t over : {0U, 1U}) {
    ShardSettings settings;
    settings.limits.message_bytes = 1000;
    World world(settings);
    SimClient client(world);
    client.open();
    std::string message = call_text(1, "echo", "[1]");
    message += std::string(1000 + over - message.size(), ' ');
    for (std::size_t at = 0; at < message.size(); at += 100)
      client.send(client_frame(at == 0 ? Opcode::text : Opcode::continuation,
                               std::string_view(message).substr(at, 100), at + 100 >= message.size()));
    client.sync();
    EXPECT_EQ(client.close_code(), over ? 1009 : 0);
    EXPECT_EQ(client.reply(1).empty(), over == 1);
    EXPECT_EQ(world.hits(LimitHit::message_bytes), over);
    if (over) {
      EXPECT_NE(client.close_reason().find("1000"), std::string::npos) << client.close_reason();
    }
  }
}

TEST(ConnectionMessage, a_message_that_is_never_finished_holds_no_more_than_its_limit) {
  World world;
  SimClient client(world);
  client.open();
  client.send(client_frame(Opcode::text, std::string(1000, 'a'), false));
  for (int i = 0; i < 1000 && client.close_code() == 0; ++i) {
    client.send(client_frame(Opcode::continuation, std::string(1000, 'a'), false));
    client.sync();
    ASSERT_LT(i, 66);
  }
  EXPECT_EQ(client.close_code(), 1009);
}

}  // namespace
}  // namespace hubbub::sim
