// Connections that move to the shard that owns their session: nothing of what either side sent is lost, and
// nothing is left where they came from.
#include <gtest/gtest.h>

#include <string>

#include "hubbub/wire/deflate.h"
#include "tests/unit/net/shards_world.h"

namespace hubbub::sim {
namespace {

using test::at;
using wire::Opcode;

constexpr ShardId kOwner = 0;
constexpr ShardId kOther = 1;
constexpr std::string_view kV1 = "Sec-WebSocket-Protocol: hubbub.v1\r\n";
constexpr std::string_view kDeflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

ShardSettings settings_with(const Limits& limits, bool context_takeover) {
  ShardSettings settings;
  settings.deflate.context_takeover = context_takeover;
  settings.limits = limits;
  settings.limits.rate_per_s = 0;
  return settings;
}

// A session of the first shard whose connection was cut.
struct ConnectionParcel : testing::Test {
  void begin(const Limits& limits = {}, bool context_takeover = false) {
    world.emplace(settings_with(limits, context_takeover));
    SimClient client = world->client(kOwner);
    client.open();
    code = client.code();
    const std::string opened = client.texts().at(0);
    token = at(opened, "/params/session/token");
    epoch = at(opened, "/params/session/epoch");
    client.reset();
    world->settle();
    ASSERT_EQ(world->stats(kOwner).detached, 1u);
  }
  [[nodiscard]] std::string claim(std::string_view with_token = {}) const {
    return R"({"code":")" + code + R"(","token":)" + (with_token.empty() ? token : std::string(with_token)) +
           R"(,"epoch":)" + epoch + R"(,"received":0})";
  }
  // The first connection there, with its handshake done.
  SimClient arrive(std::string_view headers, std::string_view path = "/ws") {
    SimClient client = world->client(kOther);
    client.upgrade(headers, path);
    client.sync();
    EXPECT_EQ(client.status(), 101);
    return client;
  }
  void expect_moved() {
    EXPECT_EQ(world->stats(kOther).connections, 0u);
    EXPECT_EQ(world->stats(kOther).attached, 0u);
    EXPECT_EQ(world->stats(kOwner).connections, 1u);
    EXPECT_EQ(world->stats(kOwner).attached, 1u);
    EXPECT_EQ(world->group.node().connections.load(), 1u);
    EXPECT_EQ(world->group.node().sessions.load(), 1u);
  }

  std::optional<ShardsWorld> world;
  std::string code;
  std::string token;  // as JSON
  std::string epoch;
};

TEST_F(ConnectionParcel, is_moved_in_its_head_where_the_url_names_the_session) {
  begin();
  SimClient client = arrive(kV1, "/ws?session=" + code);
  EXPECT_EQ(world->handed_over(), 1u);
  EXPECT_EQ(world->stats(kOther).connections, 0u);
  EXPECT_EQ(at(client.ask(1, "session.resume", claim()), "/result/resumed"), "true");
  expect_moved();
  EXPECT_EQ(world->log.count("connection moved"), 0u) << "it was there already";
}

TEST_F(ConnectionParcel, is_moved_open_with_the_request_to_resume) {
  begin();
  SimClient client = arrive(kV1);
  EXPECT_EQ(at(client.ask(1, "session.resume", claim()), "/result/session/code"), '"' + code + '"');
  expect_moved();
  EXPECT_EQ(world->log.count("connection moved"), 1u);
  EXPECT_EQ(at(client.ask(2, "session.info"), "/result/code"), '"' + code + '"');
}

TEST_F(ConnectionParcel, is_moved_in_plain_mode_and_its_fresh_session_ends) {
  begin();
  SimClient client = arrive({});
  EXPECT_EQ(world->stats(kOther).attached, 1u);
  EXPECT_EQ(at(client.ask(1, "session.resume", claim()), "/result/session/code"), '"' + code + '"');
  expect_moved();
  EXPECT_EQ(at(client.ask(2, "session.info"), "/result/code"), '"' + code + '"');
}

TEST_F(ConnectionParcel, the_head_is_moved_with_what_came_behind_it) {
  begin();
  SimClient client = world->client(kOther);
  client.send(upgrade_request(kV1, "/ws?session=" + code) +
              client_frame(Opcode::text, call_text(1, "session.resume", claim())) +
              client_frame(Opcode::text, call_text(2, "session.info")));
  client.sync();
  EXPECT_EQ(at(client.reply(1), "/result/resumed"), "true");
  EXPECT_EQ(at(client.reply(2), "/result/code"), '"' + code + '"');
}

TEST_F(ConnectionParcel, a_head_that_comes_byte_by_byte_is_moved_whole) {
  begin();
  SimClient client = world->client(kOther);
  for (const char byte : upgrade_request(kV1, "/ws?session=" + code)) {
    client.send({&byte, 1});
    world->settle();
  }
  client.sync();
  EXPECT_EQ(client.status(), 101);
  EXPECT_EQ(world->handed_over(), 1u);
  EXPECT_EQ(at(client.ask(1, "session.resume", claim()), "/result/resumed"), "true");
}

TEST_F(ConnectionParcel, a_connection_that_was_kept_alive_is_moved) {
  begin();
  SimClient client = world->client(kOther);
  client.get("/page");
  client.sync();
  EXPECT_EQ(client.status(), 200);
  client.upgrade(kV1, "/ws?session=" + code);
  client.sync();
  EXPECT_TRUE(client.upgraded());
  EXPECT_EQ(at(client.ask(1, "session.resume", claim()), "/result/resumed"), "true");
  expect_moved();
}

// Cut anywhere: what has been read, half a frame or many, goes with the connection.
TEST_F(ConnectionParcel, loses_nothing_that_is_pipelined_behind_the_request_wherever_it_is_cut) {
  const auto burst = [&] {
    std::string bytes = client_frame(Opcode::text, call_text(1, "session.resume", claim()));
    for (int id = 2; id <= 4; ++id) bytes += client_frame(Opcode::text, call_text(id, "session.info"));
    return bytes + client_frame(Opcode::ping, "alive");
  };
  begin();
  const std::size_t size = burst().size();
  for (std::size_t cut = 0; cut <= size; cut += 7) {
    begin();
    SimClient client = arrive(kV1);
    const std::string bytes = burst();
    client.send(bytes.substr(0, cut));
    world->turn(kOther);
    client.send(bytes.substr(cut));
    client.sync();
    for (int id = 2; id <= 4; ++id)
      ASSERT_EQ(at(client.reply(id), "/result/code"), '"' + code + '"') << "cut at " << cut;
    ASSERT_EQ(client.count(Opcode::pong), 1u) << "cut at " << cut;
    ASSERT_FALSE(client.broken());
  }
}

TEST_F(ConnectionParcel, fragments_that_began_before_it_was_moved_are_completed) {
  begin();
  SimClient client = arrive(kV1);
  const std::string text = call_text(2, "session.info");
  client.send(client_frame(Opcode::text, call_text(1, "session.resume", claim())) +
              client_frame(Opcode::text, text.substr(0, 9), false));
  client.sync();
  client.send(client_frame(Opcode::continuation, text.substr(9)));
  client.sync();
  EXPECT_EQ(at(client.reply(2), "/result/code"), '"' + code + '"');
}

TEST_F(ConnectionParcel, goes_on_writing_the_frame_it_had_begun) {
  begin();
  SimClient client = arrive({});
  client.socket().to_client_capacity = 10;  // bytes on the way to the client
  client.ping(std::string(100, 'p'));
  world->settle();
  client.call(1, "session.resume", claim());
  world->settle();
  client.socket().to_client_capacity = 1024 * 1024;
  client.sync();
  EXPECT_EQ(client.count(Opcode::pong), 1u);
  EXPECT_EQ(at(client.reply(1), "/result/resumed"), "true");
  EXPECT_FALSE(client.broken());
  expect_moved();
}

// With context takeover the client's window holds what it said before the move.
TEST_F(ConnectionParcel, compression_goes_on_with_and_without_context_takeover) {
  for (const bool takeover : {false, true}) {
    begin({}, takeover);
    SimClient client = arrive(std::string(kV1) + std::string(kDeflate));
    wire::Deflater deflater(6, 15, takeover);
    const auto send = [&](std::string_view text) {
      client.send(client_frame(Opcode::text, deflater.compress(text), true, true));
      client.sync();
    };
    send(call_text(1, "session.resume", claim(R"("AAAAAAAAAAAAAAAAAAAAAA")")));
    EXPECT_EQ(client.texts_with(R"("code":-32021)"), 1u);
    send(call_text(2, "session.resume", claim()));
    send(call_text(3, "session.info"));
    EXPECT_EQ(client.count(Opcode::text), 3u);
    EXPECT_EQ(client.close_code(), 0u);
    expect_moved();
  }
}

TEST_F(ConnectionParcel, a_wrong_token_is_answered_where_it_came_and_nothing_moves) {
  begin();
  SimClient client = arrive(kV1);
  const std::string refused = client.ask(1, "session.resume", claim(R"("AAAAAAAAAAAAAAAAAAAAAA")"));
  EXPECT_EQ(at(refused, "/error/code"), "-32021");
  EXPECT_EQ(world->stats(kOther).connections, 1u);
  EXPECT_EQ(world->log.count("connection moved"), 0u);
  EXPECT_EQ(at(client.ask(2, "session.resume", claim()), "/result/resumed"), "true");
  expect_moved();
}

TEST_F(ConnectionParcel, a_wrong_token_in_plain_mode_leaves_the_fresh_session) {
  begin();
  SimClient client = arrive({});
  const std::string fresh = client.code();
  EXPECT_EQ(at(client.ask(1, "session.resume", claim(R"("AAAAAAAAAAAAAAAAAAAAAA")")), "/error/code"),
            "-32021");
  EXPECT_EQ(at(client.ask(2, "session.info"), "/result/code"), '"' + fresh + '"');
}

TEST_F(ConnectionParcel, one_that_closes_while_its_owner_is_asked_leaves_the_session_as_it_was) {
  for (const bool reset : {false, true}) {
    begin();
    SimClient client = arrive(kV1);
    client.call(1, "session.resume", claim());
    world->turn(kOther);
    reset ? client.reset() : client.close(1000);
    world->turn(kOther);
    world->settle();
    client.reset();
    world->settle();
    EXPECT_EQ(world->stats(kOwner).detached, 1u);
    EXPECT_EQ(world->group.node().connections.load(), 0u);
    EXPECT_EQ(arrive(kV1).ask(1, "session.resume", claim()).contains(R"("resumed":true)"), true);
  }
}

TEST_F(ConnectionParcel, one_that_breaks_while_it_moves_detaches_the_session_again) {
  begin();
  SimClient client = arrive(kV1);
  client.call(1, "session.resume", claim());
  world->turn(kOther);
  world->turn(kOwner);
  world->turn(kOther);  // it is on its way
  client.reset();
  world->settle();
  EXPECT_EQ(world->stats(kOwner).attached + world->stats(kOwner).detached, 1u);
  EXPECT_EQ(world->stats(kOwner).attached, 0u);
  EXPECT_EQ(world->group.node().connections.load(), 0u);
}

TEST_F(ConnectionParcel, a_full_way_to_the_owner_is_a_retryable_error_and_closes_with_1013) {
  begin({.shard_queue_messages = 1});
  SimClient first = arrive(kV1);
  SimClient second = arrive(kV1);
  first.call(1, "session.resume", claim(R"("AAAAAAAAAAAAAAAAAAAAAA")"));
  second.call(1, "session.resume", claim());
  world->turn(kOther);
  world->turn(kOther);
  second.read();
  const std::string refused = second.reply(1);
  EXPECT_EQ(at(refused, "/error/code"), "-32009");
  EXPECT_EQ(at(refused, "/error/data/retryable"), "true");
  second.sync();
  EXPECT_EQ(second.close_code(), 1013);
  EXPECT_EQ(world->stats(kOwner).detached, 1u);
}

TEST_F(ConnectionParcel, takes_the_session_over_from_a_connection_that_is_still_there) {
  begin();
  SimClient before = world->client(kOwner);
  before.upgrade(kV1);
  before.sync();
  const std::string resumed = before.ask(1, "session.resume", claim());
  token = at(resumed, "/result/session/token");
  SimClient after = arrive(kV1);
  EXPECT_EQ(at(after.ask(1, "session.resume", claim()), "/result/resumed"), "true");
  before.sync();
  EXPECT_EQ(before.close_code(), 4512);
}

TEST_F(ConnectionParcel, counts_once_for_its_address_wherever_it_is) {
  begin({.ip_connections = 1, .ip_connects_per_s = 0, .ip_exempt_loopback = false});
  SimClient client = arrive(kV1);
  EXPECT_EQ(at(client.ask(1, "session.resume", claim()), "/result/resumed"), "true");
  SimClient refused = world->client(kOther);
  refused.upgrade(kV1);
  refused.sync();
  EXPECT_EQ(refused.status(), 429);
  client.reset();
  world->settle();
  arrive(kV1);
}

TEST_F(ConnectionParcel, one_that_comes_to_a_shard_that_drains_is_told_and_closed) {
  begin();
  SimClient client = arrive(kV1);
  client.call(1, "session.resume", claim());
  world->turn(kOther);
  world->turn(kOwner);  // the owner has said yes
  world->turn(kOther);  // and the connection is on its way
  world->shard(kOwner).begin_drain();
  world->shard(kOther).begin_drain();
  for (int i = 0; i < 100; ++i) world->advance(200);
  client.read();
  EXPECT_EQ(client.close_code(), 1012);
}

}  // namespace
}  // namespace hubbub::sim
