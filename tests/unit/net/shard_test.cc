#include "hubbub/net/shard.h"
#include "hubbub/core/notices.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/sim/sim_client.h"

namespace hubbub::sim {
namespace {

using wire::Opcode;

Address stranger(std::uint8_t last, std::uint16_t port = 1) { return Address::ipv4(10, 0, 0, last, port); }

std::vector<SimClient> crowd_of(World& world, std::size_t count) {
  std::vector<SimClient> crowd;
  for (std::size_t i = 0; i < count; ++i) crowd.emplace_back(world);
  return crowd;
}

// --- Accepting

TEST(ShardAccept, a_turn_accepts_its_budget_and_the_rest_in_the_next_turns) {
  ShardSettings settings;
  settings.limits.accepts_per_turn = 10;
  World world(settings);
  auto crowd = crowd_of(world, 25);
  for (const std::size_t expected : {10U, 20U, 25U}) {
    world.turn();
    EXPECT_EQ(world.shard->connections(), expected);
  }
  EXPECT_EQ(world.stats().accepted, 25U);
}

TEST(ShardAccept, a_full_node_answers_503_with_retry_after_and_counts) {
  ShardSettings settings;
  settings.connections_max = 2;
  World world(settings);
  auto crowd = crowd_of(world, 3);
  for (SimClient& client : crowd) client.open();
  EXPECT_EQ(crowd[0].status(), 101);
  EXPECT_EQ(crowd[1].status(), 101);
  EXPECT_EQ(crowd[2].status(), 503);
  EXPECT_NE(crowd[2].responses()[0].head.find("Retry-After: 1"), std::string::npos);
  EXPECT_NE(crowd[2].responses()[0].body.find("limits.connections"), std::string::npos);
  EXPECT_EQ(world.hits(LimitHit::connections), 1U);
  // The refused one does not take a place while it is still there.
  crowd[0].reset();
  world.settle();
  SimClient next(world);
  EXPECT_EQ(next.open().status(), 101);
}

TEST(ShardAccept, beyond_a_bound_refused_connections_are_closed_unanswered) {
  ShardSettings settings;
  settings.connections_max = 1;
  World world(settings);
  auto crowd = crowd_of(world, 2000);
  world.settle();
  EXPECT_LT(world.shard->connections(), 300U);
  EXPECT_EQ(world.io.sockets_open(), world.shard->connections() + 1);
  EXPECT_EQ(world.hits(LimitHit::connections), 1999U);
  world.advance(Limits{}.head_deadline_ms);
  EXPECT_EQ(world.shard->connections(), 0U);
}

TEST(ShardAccept, so_many_refused_connections_are_answered_as_are_set_and_no_more) {
  ShardSettings settings;
  settings.connections_max = 1;
  settings.refused_max = 3;
  World world(settings);
  auto crowd = crowd_of(world, 10);
  world.settle();
  EXPECT_EQ(world.shard->connections(), 4U);
  EXPECT_EQ(world.io.sockets_open(), 5U) << "and the listener";
  std::vector<int> statuses;
  for (SimClient& client : crowd) statuses.push_back(client.open().status());
  EXPECT_EQ(statuses, (std::vector{101, 503, 503, 503, 0, 0, 0, 0, 0, 0}));
  for (std::size_t i = 4; i < crowd.size(); ++i) EXPECT_TRUE(crowd[i].gone()) << i;
  EXPECT_EQ(world.hits(LimitHit::connections), 9U) << "those who were not told count, too";
  // One of them ends, and the next is told again.
  crowd[1].end();
  world.settle();
  EXPECT_EQ(SimClient(world).open().status(), 503);
  EXPECT_TRUE(SimClient(world).sync().gone());
}

TEST(ShardAccept, an_address_with_too_many_connections_gets_429_and_others_do_not) {
  ShardSettings settings;
  settings.limits.ip_connections = 2;
  World world(settings);
  std::vector<SimClient> crowd;
  for (std::uint16_t i = 0; i < 3; ++i) crowd.emplace_back(world, stranger(1, i)).open();
  EXPECT_EQ(crowd[1].status(), 101);
  EXPECT_EQ(crowd[2].status(), 429);
  EXPECT_NE(crowd[2].responses()[0].head.find("Retry-After: "), std::string::npos);
  SimClient other(world, stranger(2));
  EXPECT_EQ(other.open().status(), 101);
  // A place is free again when one is gone, whatever way it went.
  crowd[0].reset();
  world.settle();
  SimClient next(world, stranger(1, 9));
  EXPECT_EQ(next.open().status(), 101);
  EXPECT_EQ(world.hits(LimitHit::ip_connections), 1U);
}

TEST(ShardAccept, an_address_that_connects_too_often_gets_429) {
  ShardSettings settings;
  settings.limits.ip_connects_per_s = 1;
  settings.limits.ip_connects_burst = 2;
  World world(settings);
  std::vector<int> statuses;
  for (std::uint16_t i = 0; i < 4; ++i) statuses.push_back(SimClient(world, stranger(1, i)).open().status());
  EXPECT_EQ(statuses, (std::vector{101, 101, 429, 429}));
  world.advance(1000);
  EXPECT_EQ(SimClient(world, stranger(1)).open().status(), 101);
}

TEST(ShardAccept, behind_a_trusted_proxy_the_address_it_tells_counts) {
  ShardSettings settings;
  settings.limits.ip_connections = 2;
  settings.proxy.trusted.push_back(AddressRange::parse("127.0.0.1").value());
  World world(settings);
  const auto open_as = [&](std::string_view told) {
    auto client = std::make_unique<SimClient>(world);
    client->open("X-Forwarded-For: " + std::string(told) + "\r\n");
    return client;
  };
  std::vector<std::unique_ptr<SimClient>> crowd;
  for (const std::string_view forged : {"", "6.6.6.1, ", "6.6.6.2, "})
    crowd.push_back(open_as(std::string(forged) + "203.0.113.5"));
  EXPECT_EQ(crowd[1]->status(), 101);
  EXPECT_EQ(crowd[2]->status(), 429);
  EXPECT_EQ(open_as("203.0.113.6")->status(), 101);
  crowd[0]->reset();
  world.settle();
  EXPECT_EQ(open_as("203.0.113.5")->status(), 101);
}

TEST(ShardAccept, a_trusted_proxy_itself_is_not_limited_and_another_s_word_does_not_count) {
  ShardSettings settings;
  settings.limits.ip_connections = 2;
  settings.proxy.trusted.push_back(AddressRange::parse("10.9.0.0/16").value());
  World world(settings);
  std::vector<SimClient> proxied;
  for (std::uint16_t i = 0; i < 10; ++i)
    EXPECT_EQ(proxied.emplace_back(world, Address::ipv4(10, 9, 0, 1, i)).open().status(), 101);
  std::vector<SimClient> crowd;
  for (std::uint16_t i = 0; i < 3; ++i)
    crowd.emplace_back(world, stranger(1, i))
        .open("X-Forwarded-For: 203.0.113." + std::to_string(i) + "\r\n");
  EXPECT_EQ(crowd[2].status(), 429);
}

TEST(ShardAccept, a_node_that_is_full_does_not_charge_the_address) {
  ShardSettings settings;
  settings.connections_max = 1;
  settings.limits.ip_connections = 2;
  World world(settings);
  SimClient holder(world, stranger(9));
  holder.open();
  for (std::uint16_t i = 0; i < 5; ++i) EXPECT_EQ(SimClient(world, stranger(1, i)).open().status(), 503);
}

TEST(ShardAccept, running_out_of_descriptors_does_not_spin_and_later_serves) {
  World world;
  world.io.descriptors_max = 4;  // the listener and three
  auto crowd = crowd_of(world, 500);
  const std::uint64_t before = world.turns;
  world.settle();
  EXPECT_LT(world.turns - before, 20U);
  EXPECT_EQ(world.io.backlog(), 0U) << "those who wait are told by a close, not left hanging";
  EXPECT_EQ(world.hits(LimitHit::fds), 497U);
  EXPECT_EQ(crowd[0].open().status(), 101);
  const std::uint64_t waits = world.io.waits;
  world.advance(60'000);
  EXPECT_LT(world.io.waits - waits, 50U) << "idle means asleep";
  world.io.descriptors_max = kUnlimited;
  SimClient next(world);
  EXPECT_EQ(next.open().status(), 101);
}

TEST(ShardAccept, those_it_can_neither_take_nor_drop_are_served_once_there_are_descriptors_again) {
  World world;
  world.io.descriptors_max = 4;  // the listener and three
  world.io.reserve_taken = true;
  auto crowd = crowd_of(world, 10);
  world.settle();
  EXPECT_EQ(world.io.backlog(), 7U);
  const std::uint64_t waits = world.io.waits;
  world.advance(1'000);
  EXPECT_LT(world.io.waits - waits, 100U) << "it asks now and then";
  world.io.descriptors_max = kUnlimited;
  world.advance(100);  // and nobody new comes
  EXPECT_EQ(world.io.backlog(), 0U);
  for (SimClient& client : crowd) EXPECT_EQ(client.open().status(), 101);
}

// --- Turns

TEST(ShardTurn, writes_of_a_turn_go_out_in_few_batches_with_one_write_a_connection) {
  World world;
  auto crowd = crowd_of(world, 100);
  for (SimClient& client : crowd) client.open();
  const std::uint64_t calls = world.io.write_calls;
  const std::uint64_t writes = world.stats().writes;
  world.shard->post([&] {
    for (int i = 0; i < 16; ++i) EXPECT_EQ(world.shard->hub().deliver_to_all(hub_message("1")), 100U);
  });
  world.turn();
  EXPECT_EQ(world.io.write_calls - calls, 4U);  // of 32 connections each
  EXPECT_EQ(world.stats().writes - writes, 100U);
  for (SimClient& client : crowd) EXPECT_EQ(client.sync().texts_with("hub.message"), 16U);
}

TEST(ShardTurn, flush_delay_shares_a_write_and_costs_no_more_than_itself) {
  ShardSettings settings;
  settings.limits.flush_delay_ms = 5;
  World world(settings);
  SimClient client(world);
  client.upgrade();
  world.advance(5);
  client.read();
  EXPECT_TRUE(client.text_with("session.opened"));
  const std::uint64_t writes = world.stats().writes;
  client.call(1, "echo");
  world.settle();
  world.advance(3);
  client.call(2, "echo");
  world.settle();
  client.read();
  EXPECT_EQ(client.reply(1), "");
  world.advance(1);
  client.read();
  EXPECT_EQ(client.reply(1), "");
  world.advance(1);
  client.read();
  EXPECT_NE(client.reply(1), "");
  EXPECT_NE(client.reply(2), "");
  EXPECT_EQ(world.stats().writes - writes, 1U);
}

TEST(ShardTurn, posted_tasks_run_on_the_shard_and_not_after_its_end) {
  World world;
  int ran = 0;
  EXPECT_TRUE(world.shard->post([&] { ++ran; }));
  EXPECT_EQ(ran, 0);
  world.settle();
  EXPECT_EQ(ran, 1);
}

TEST(ShardTurn, an_idle_shard_sleeps_until_its_next_timer) {
  World world;
  auto crowd = crowd_of(world, 10);
  for (SimClient& client : crowd) client.open();
  const std::uint64_t waits = world.io.waits;
  world.advance(Limits{}.ping_interval_ms / 2 - 1);
  EXPECT_LT(world.io.waits - waits, 40U);
}

TEST(ShardEnd, a_shard_that_is_destroyed_lets_go_of_everything) {
  World world;
  auto crowd = crowd_of(world, 10);
  for (SimClient& client : crowd) {
    client.open();
    client.socket().to_client_capacity = 10;
    client.call(1, "topic.subscribe", R"({"topic":"t"})");
    client.call(2, "topic.publish", R"({"topic":"t","data":1})");
  }
  SimClient half(world);
  half.send("GET / HT");
  world.settle();
  world.shard.reset();
  EXPECT_EQ(world.frames(), 0);
  EXPECT_EQ(world.io.sockets_open(), 0U);
}

// --- Drain

struct Drain : testing::Test {
  static constexpr Millis kPeriod = 1000;
  static constexpr std::size_t kClients = 100;
  std::optional<World> world;
  std::vector<SimClient> crowd;

  void SetUp() override {
    ShardSettings settings;
    settings.drain_period_ms = kPeriod;
    world.emplace(settings);
    crowd = crowd_of(*world, kClients);
    for (SimClient& client : crowd) client.open();
    world->shard->post([this] { world->shard->begin_drain(); });
    world->settle();
  }
  std::size_t closed() {
    std::size_t n = 0;
    for (SimClient& client : crowd) {
      client.read();
      n += client.close_code() == 1012;
    }
    return n;
  }
  // What a good client does: answers the Close frame and ends.
  void answer_closes() {
    for (SimClient& client : crowd)
      if (client.close_code() != 0 && !client.gone()) {
        client.close(1012);
        client.end();
      }
  }
};

TEST_F(Drain, every_client_is_told_at_once) {
  for (SimClient& client : crowd) {
    client.read();
    EXPECT_TRUE(client.text_with(R"("session.draining","params":{"retry_after_ms":1000})"));
  }
}

TEST_F(Drain, closes_are_spread_over_the_period) {
  EXPECT_EQ(closed(), 0U);
  world->advance(kPeriod / 4);
  EXPECT_NEAR(static_cast<double>(closed()), kClients / 4.0, 5);
  world->advance(kPeriod / 4);
  EXPECT_NEAR(static_cast<double>(closed()), kClients / 2.0, 5);
  world->advance(kPeriod / 2);
  EXPECT_EQ(closed(), kClients);
}

TEST_F(Drain, each_close_tells_when_to_come_back_and_the_times_are_spread) {
  world->advance(kPeriod);
  ASSERT_EQ(closed(), kClients);
  std::set<std::string> times;
  for (SimClient& client : crowd)
    times.insert(client.text_with(R"("session.closing","params":{"code":1012)").value_or(""));
  EXPECT_FALSE(times.contains(""));
  EXPECT_GT(times.size(), kClients / 2);
}

TEST_F(Drain, ends_when_all_are_gone_and_not_before) {
  world->advance(kPeriod / 2);
  closed();
  answer_closes();
  EXPECT_TRUE(world->settle());
  world->advance(kPeriod / 2);
  closed();
  answer_closes();
  EXPECT_FALSE(world->settle());
}

TEST_F(Drain, clients_that_do_not_answer_are_cut_at_the_close_deadline) {
  EXPECT_TRUE(world->advance(kPeriod + Limits{}.close_deadline_ms - 100));
  EXPECT_FALSE(world->advance(200));
}

TEST_F(Drain, what_is_sent_to_a_client_that_is_being_closed_waits_for_its_next_connection) {
  world->advance(kPeriod / 2);
  closed();
  SimClient* gone = nullptr;
  SimClient* here = nullptr;
  for (SimClient& client : crowd) (client.close_code() == 1012 ? gone : here) = &client;
  ASSERT_TRUE(gone && here);
  EXPECT_FALSE(gone->gone()) << "it has not answered the Close frame yet";
  EXPECT_NE(here->ask(1, "session.send", R"({"to":")" + gone->code() + R"(","data":1})")
                .find(R"("result":{"status":"queued"})"),
            std::string::npos);
  const std::string reached = R"("result":{"sessions":)" + std::to_string(kClients) + '}';
  EXPECT_NE(here->ask(2, "hub.broadcast", R"({"data":1})").find(reached), std::string::npos)
      << here->reply(2) << " is not " << reached;
  EXPECT_EQ(gone->sync().texts_with("hub.message"), 0U);
}

TEST_F(Drain, a_call_under_way_is_answered_before_the_close) {
  crowd[7].call(1, "echo", "[7]");
  world->advance(kPeriod);
  closed();
  EXPECT_FALSE(crowd[7].reply(1).empty());
  EXPECT_EQ(crowd[7].close_code(), 1012);
}

TEST_F(Drain, a_connection_that_has_not_asked_anything_is_closed_too) {
  SimClient late(*world);
  world->settle();
  world->advance(kPeriod);
  closed();
  answer_closes();
  EXPECT_FALSE(world->settle()) << "those who came after its begin do not prolong a drain";
}

TEST(DrainEmpty, a_shard_without_connections_ends_at_once) {
  World world;
  world.shard->begin_drain();
  EXPECT_FALSE(world.settle());
}

TEST(DrainSession, no_session_is_opened_while_draining) {
  World world;
  SimClient client(world);
  client.open("Sec-WebSocket-Protocol: hubbub.v1\r\n");
  world.shard->begin_drain();
  client.call(1, "session.open", "{}");
  world.turn();
  client.read();
  EXPECT_NE(client.reply(1).find("-32029"), std::string::npos);
}

}  // namespace
}  // namespace hubbub::sim
