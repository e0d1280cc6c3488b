// Who is taken for dead and when: pings, pongs, write progress. All in the fake clock's time.
#include <gtest/gtest.h>

#include "tests/sim/sim_client.h"

namespace hubbub::sim {
namespace {

using wire::Opcode;

constexpr Millis kPing = 25'000;
constexpr Millis kPong = 10'000;

struct Liveness : testing::Test {
  World world;
  SimClient client{world};
  void SetUp() override {
    ASSERT_EQ(Limits{}.ping_interval_ms, kPing);
    ASSERT_EQ(Limits{}.pong_deadline_ms, kPong);
    client.open();
  }
  // Lets time pass until the next ping has come, at most `most`; how long that took.
  Millis until_ping(Millis most) {
    const std::size_t before = client.count(Opcode::ping);
    const Millis start = world.clock.now;
    while (client.count(Opcode::ping) == before && world.clock.now - start < most) {
      world.advance(10);
      client.read();
    }
    EXPECT_EQ(client.count(Opcode::ping), before + 1);
    return world.clock.now - start;
  }
};

TEST_F(Liveness, pings_come_on_schedule_jittered_and_never_later_than_the_interval) {
  const Millis first = until_ping(kPing);
  EXPECT_GE(first, kPing / 2);
  EXPECT_LE(first, kPing);
  bool jitter = false;
  Millis last = 0;
  for (int i = 0; i < 20; ++i) {
    client.pong();
    const Millis wait = until_ping(kPing + 10);
    EXPECT_GE(wait, kPing - kPing / 10 - 10 - 128)
        << "a tenth, and what it takes to fall into one turn with others";
    EXPECT_LE(wait, kPing + 10);
    jitter = jitter || (last != 0 && wait != last);
    last = wait;
  }
  EXPECT_TRUE(jitter);
}

TEST_F(Liveness, clients_that_come_together_are_not_pinged_together) {
  std::vector<SimClient> crowd;
  for (int i = 0; i < 100; ++i) crowd.emplace_back(world).open();
  const auto pinged = [&] {
    std::size_t n = 0;
    for (SimClient& one : crowd) one.read(), n += one.count(Opcode::ping);
    return n;
  };
  world.advance(kPing * 3 / 4);
  EXPECT_GT(pinged(), 25U);
  EXPECT_LT(pinged(), 75U);
}

TEST_F(Liveness, no_pong_in_time_is_4012) {
  until_ping(kPing);
  world.advance(kPong - 20);
  EXPECT_EQ(client.sync().close_code(), 0);
  world.advance(20);
  EXPECT_EQ(client.sync().close_code(), 4012);
  EXPECT_TRUE(client.text_with(R"("code":4012)"));
  EXPECT_EQ(world.hits(LimitHit::pong), 1U);
  world.advance(Limits{}.close_deadline_ms);
  EXPECT_TRUE(client.gone()) << "the dead do not answer the Close frame";
  EXPECT_EQ(world.closes(4012), 1U);
}

TEST_F(Liveness, a_pong_in_time_is_life) {
  for (int i = 0; i < 10; ++i) {
    until_ping(kPing + 10);
    world.advance(kPong - 20);
    client.pong();
    world.advance(20);
    ASSERT_EQ(client.sync().close_code(), 0);
  }
}

TEST_F(Liveness, any_byte_is_as_good_as_a_pong) {
  until_ping(kPing);
  world.advance(kPong / 2);
  client.send(client_frame(Opcode::text, "{}").substr(0, 1));
  world.advance(kPong);
  EXPECT_EQ(client.sync().close_code(), 0);
}

TEST_F(Liveness, bytes_from_before_the_ping_do_not_count) {
  client.ask(1, "echo", "1");
  until_ping(kPing);
  world.advance(kPong + 10);
  EXPECT_EQ(client.sync().close_code(), 4012);
}

TEST_F(Liveness, a_process_that_slept_does_not_kill_clients_whose_pong_waits) {
  until_ping(kPing);
  client.pong();              // in the socket's buffer…
  world.clock.now += 60'000;  // …while nothing runs
  world.settle();
  EXPECT_EQ(client.sync().close_code(), 0);
  until_ping(kPing);
  client.pong();
  world.advance(kPong + 10);
  EXPECT_EQ(client.sync().close_code(), 0);
}

TEST_F(Liveness, a_process_that_slept_through_ping_and_pong_time_asks_before_it_kills) {
  world.clock.now += 10 * 60'000;
  world.settle();
  EXPECT_EQ(client.sync().close_code(), 0);
  EXPECT_EQ(client.count(Opcode::ping), 1U);
  client.pong();
  world.advance(kPong + 10);
  EXPECT_EQ(client.sync().close_code(), 0);
}

TEST_F(Liveness, pings_are_answered_with_their_payload_and_before_the_outbox) {
  client.ping("are you there");
  client.sync();
  ASSERT_EQ(client.count(Opcode::pong), 1U);
  EXPECT_EQ(client.frames().back().payload, "are you there");
}

TEST(LivenessConfigured, no_pings_when_the_interval_is_0) {
  ShardSettings settings;
  settings.limits.ping_interval_ms = 0;
  World world(settings);
  SimClient client(world);
  client.open();
  world.advance(24 * 3600 * 1000);
  EXPECT_EQ(client.sync().count(Opcode::ping), 0U);
  EXPECT_EQ(client.close_code(), 0);
}

TEST(LivenessConfigured, a_54_s_ping_with_a_60_s_pong_wait_works) {
  ShardSettings settings;
  settings.limits.ping_interval_ms = 54'000;
  settings.limits.pong_deadline_ms = 6'000;
  World world(settings);
  SimClient lives(world);
  SimClient dies(world);
  lives.open();
  dies.open();
  for (int i = 0; i < 300; ++i) {
    world.advance(1000);
    const std::size_t before = lives.count(Opcode::ping);
    lives.read();
    if (lives.count(Opcode::ping) > before) lives.pong();
  }
  EXPECT_EQ(lives.close_code(), 0);
  EXPECT_GE(lives.count(Opcode::ping), 5U);
  EXPECT_LE(lives.count(Opcode::ping), 6U);
  EXPECT_EQ(dies.sync().close_code(), 4012);
}

// A pong deadline longer than the interval: pings go on while one is outstanding, and the newest decides.
TEST(LivenessConfigured, a_pong_wait_longer_than_the_ping_interval_still_ends) {
  ShardSettings settings;
  settings.limits.ping_interval_ms = 10'000;
  settings.limits.pong_deadline_ms = 25'000;
  World world(settings);
  SimClient client(world);
  client.open();
  world.advance(10'000 + 25'000);
  EXPECT_EQ(client.sync().close_code(), 4012);
}

// --- Write progress

struct Stall : testing::Test {
  ShardSettings settings;
  std::optional<World> world;
  std::optional<SimClient> client;

  // A client with a small window that asks for an answer it does not read.
  void start(std::size_t window, std::size_t answer_bytes) {
    settings.limits.ping_interval_ms = 0;
    world.emplace(settings);
    client.emplace(*world);
    client->open();
    client->socket().to_client_capacity = window;
    client->call(1, "echo", "[\"" + std::string(answer_bytes, 'x') + "\"]");
    world->settle();
  }
};

TEST_F(Stall, a_reader_that_takes_nothing_is_closed_4008) {
  start(1000, 10'000);
  world->advance(Limits{}.write_stall_ms - 1);
  EXPECT_EQ(world->hits(LimitHit::write_stall), 0U);
  world->advance(1);
  EXPECT_EQ(world->hits(LimitHit::write_stall), 1U);
  world->advance(Limits{}.close_deadline_ms);
  EXPECT_TRUE(client->gone());
  EXPECT_EQ(world->closes(4008), 1U);
}

TEST_F(Stall, one_that_reads_again_within_the_close_deadline_gets_its_half_frame_and_the_code) {
  start(1000, 10'000);
  world->advance(Limits{}.write_stall_ms);
  client->sync();
  EXPECT_EQ(client->close_code(), 4008);
  EXPECT_FALSE(client->broken());
  EXPECT_FALSE(client->reply(1).empty()) << "the frame that was half out is completed";
}

TEST_F(Stall, one_byte_of_progress_is_enough) {
  start(1000, 10'000);
  for (int i = 0; i < 10; ++i) {
    world->advance(Limits{}.write_stall_ms - 1);
    client->read(1);
    world->settle();
  }
  EXPECT_EQ(world->hits(LimitHit::write_stall), 0U);
  client->sync();
  EXPECT_FALSE(client->reply(1).empty());
}

TEST_F(Stall, a_stall_ends_when_everything_is_written) {
  start(1000, 2'000);
  world->advance(5'000);
  client->sync();
  EXPECT_FALSE(client->reply(1).empty());
  world->advance(60'000);
  EXPECT_EQ(client->sync().close_code(), 0);
}

// A large answer over a thin line takes longer than ping and pong time together, and the ping waits behind
// it.
TEST(LivenessOfSlowReaders, a_reader_that_makes_progress_is_not_killed_for_a_pong_it_could_not_send) {
  ShardSettings settings;
  settings.limits.message_bytes = 1024 * 1024;
  World world(settings);
  SimClient client(world);
  client.open();
  client.socket().to_client_capacity = 4096;
  client.call(1, "echo", "[\"" + std::string(400'000, 'x') + "\"]");
  for (int i = 0; i < 100; ++i) {  // 4 KiB a second
    world.advance(1000);
    const std::size_t before = client.count(Opcode::ping);
    client.read();
    if (client.count(Opcode::ping) > before) client.pong();
  }
  client.sync();
  EXPECT_EQ(client.close_code(), 0);
  EXPECT_FALSE(client.reply(1).empty());
}

}  // namespace
}  // namespace hubbub::sim
