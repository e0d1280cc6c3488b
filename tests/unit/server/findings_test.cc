// The review's findings, one section a row: what was wrong with the system before this one must be impossible
// here. Each test fails if the old fault comes back. It runs the program's own assembly (routes, shard, hub,
// default limits) on a simulated Io.
#include <gtest/gtest.h>

#include <algorithm>

#include "hubbub/core/notices.h"
#include "tests/unit/server/server_world.h"

namespace hubbub::sim {
namespace {

using wire::Opcode;

constexpr std::string_view kSubscribe = R"({"topic":"t"})";

std::vector<SimClient> open_clients(World& world, std::size_t count) {
  std::vector<SimClient> clients;
  for (std::size_t i = 0; i < count; ++i) clients.emplace_back(world).open();
  return clients;
}

// From the hub's side, as another client's publish arrives.
void publish(World& world, std::size_t bytes) {
  EXPECT_TRUE(world.shard->hub().deliver("t", '"' + std::string(bytes, 'x') + '"').has_value());
}

// --- 1. The send channel was closed twice, by two goroutines; closing it blocked.

// Everything that ends a connection, all in one turn. (A second close of the same socket aborts in SimIo.)
TEST(FindingDoubleClose, a_connection_is_doomed_once_however_many_times_it_fails) {
  World world({}, routes());
  auto clients = open_clients(world, 40);
  for (SimClient& client : clients) client.ask(1, "topic.subscribe", kSubscribe);
  const std::uint64_t before = world.io.sockets_open();
  for (SimClient& client : clients) {
    client.call(2, "session.close");
    client.close(1000);
    client.send("\xFF\xFF");  // a protocol error, had it not closed
    client.end();
    client.reset();
  }
  world.shard->post([&] {
    publish(world, 100);
    EXPECT_LE(world.shard->hub().deliver_to_all(hub_message("1")), 40U);
    world.shard->begin_drain();
  });
  world.advance(60'000);
  EXPECT_EQ(world.io.sockets_open(), before - 40);
  EXPECT_EQ(world.log.count("connection closed"), 40U);
  std::uint64_t closes = 0;
  for (const auto& [code, count] : world.stats().closes) closes += count;
  EXPECT_EQ(closes, 40U);
}

TEST(FindingDoubleClose,
     a_write_that_fails_in_the_middle_of_a_fan_out_ends_that_connection_once_and_no_other) {
  World world({}, routes());
  auto clients = open_clients(world, 10);
  for (SimClient& client : clients) client.ask(1, "topic.subscribe", kSubscribe);
  world.shard->post([&] {
    for (std::size_t i = 0; i < clients.size(); i += 2) clients[i].reset();
    // Large enough that the outbox is flushed while the messages are handed out, and again at the end of the
    // turn.
    for (int n = 0; n < 30; ++n) publish(world, 60'000);
  });
  world.settle();
  EXPECT_EQ(world.log.count("connection closed"), 5U);
  for (std::size_t i = 1; i < clients.size(); i += 2)
    EXPECT_EQ(clients[i].sync().texts_with("topic.message"), 30U);
}

TEST(FindingDoubleClose, nothing_is_freed_while_it_is_being_used) {
  World world({}, routes());
  auto clients = open_clients(world, 2);
  // Three replies and the end of the session wait to be written; the write meets a reset.
  for (int i = 0; i < 3; ++i) clients[0].call(i, "echo", "[\"" + std::string(20'000, 'x') + "\"]");
  clients[0].call(60, "session.close");
  world.io.fail_from = world.io.operations + 1;  // the read, then the write
  world.settle();
  world.io.fail_from = kUnlimited;
  world.advance(Limits{}.write_stall_ms + Limits{}.close_deadline_ms);
  EXPECT_TRUE(clients[0].gone());
  EXPECT_FALSE(clients[1].ask(1, "echo", "[1]").empty());
}

// --- 2. Broadcast copied the client list under a lock, and sent to clients that were gone.

TEST(FindingBroadcast, broadcast_during_disconnects_never_touches_a_dead_client) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SeededRng rng(seed);
    World world({}, routes());
    std::vector<SimClient> clients = open_clients(world, 30);
    std::vector<std::size_t> expected(clients.size(), 0);
    std::vector<bool> alive(clients.size(), true);
    for (int round = 0; round < 15; ++round) {
      for (std::size_t i = 0; i < clients.size(); ++i) {
        if (!alive[i] || rng.below(12) != 0) continue;
        alive[i] = false;
        switch (rng.below(4)) {
          case 0:
            clients[i].reset();
            break;
          case 1:
            clients[i].end();
            break;
          case 2:
            clients[i].close(1000);
            break;
          default:
            clients[i].call(7, "session.close");
            break;
        }
      }
      const auto caller = static_cast<std::size_t>(rng.below(clients.size()));
      if (alive[caller]) {
        clients[caller].call(9, "hub.broadcast", R"({"data":1})");
        for (std::size_t i = 0; i < clients.size(); ++i) expected[i] += alive[i];
      }
      world.settle();
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (!alive[i]) continue;
      EXPECT_EQ(clients[i].sync().texts_with("hub.message"), expected[i])
          << "seed " << seed << " client " << i;
    }
  }
}

TEST(FindingBroadcast, a_broadcast_is_encoded_once_and_shared_by_all) {
  World world({}, routes());
  auto clients = open_clients(world, 100);
  for (SimClient& client : clients) client.socket().to_client_capacity = 0;  // all are held up
  world.settle();
  const std::int64_t before = world.frames();
  world.shard->post([&] { EXPECT_EQ(world.shard->hub().deliver_to_all(hub_message("\"news\"")), 100U); });
  world.settle();
  EXPECT_EQ(world.frames() - before, 1);
  for (SimClient& client : clients) {
    client.socket().to_client_capacity = 10'000;
    client.reset();
  }
  world.settle();
  world.advance(Limits{}.grace_ms);
  EXPECT_EQ(world.frames(), 1) << "the shard's ping frame";
}

// --- 3. Batching without backpressure: memory without bound, head-of-line blocking, no batch bound.

TEST(FindingBackpressure, a_reader_that_stops_is_closed_4008_and_costs_bounded_memory) {
  World world({}, routes());
  auto clients = open_clients(world, 2);
  SimClient& stopped = clients[0];
  SimClient& reading = clients[1];
  for (SimClient& client : clients) client.ask(1, "topic.subscribe", kSubscribe);
  stopped.socket().to_client_capacity = 4096;
  const Limits limits;
  constexpr std::size_t kBytes = 10'000;
  std::int64_t most = 0;
  for (int n = 0; n < 1000; ++n) {  // ten megabytes: ten times the bound
    world.shard->post([&] { publish(world, kBytes); });
    world.settle();
    reading.read();
    most = std::max(most, world.frames());
  }
  // The stopped one's backlog, the other one's ring (it does not acknowledge), and the topic's history.
  const std::size_t held = limits.outbox_hard_bytes + limits.replay_bytes + limits.history_bytes;
  EXPECT_LE(most, static_cast<std::int64_t>(held / kBytes) + 5);
  EXPECT_EQ(world.closes(4008), 1U);
  EXPECT_EQ(world.hits(LimitHit::hard_bytes), 1U);
  EXPECT_EQ(reading.texts_with("topic.message"), 1000U) << "the other one does not notice";
  EXPECT_EQ(reading.close_code(), 0);
  world.advance(limits.close_deadline_ms);
  EXPECT_TRUE(stopped.gone());
  world.advance(std::max(limits.grace_ms, limits.replay_age_ms) + 1000);
  EXPECT_EQ(world.frames(), 1) << "the shard's ping frame";
}

TEST(FindingBackpressure, a_reader_that_is_too_slow_for_too_long_is_closed_4008) {
  ShardSettings settings;
  settings.limits.write_stall_ms = 3'600'000;
  World world(settings, routes());
  auto clients = open_clients(world, 1);
  SimClient& slow = clients[0];
  slow.ask(1, "topic.subscribe", kSubscribe);
  slow.socket().to_client_capacity = 4096;
  world.shard->post([&] {
    for (int n = 0; n < 40; ++n) publish(world, 10'000);  // over the soft bound, under the hard one
  });
  world.settle();
  world.advance(Limits{}.outbox_soft_ms - 1);
  EXPECT_EQ(world.closes(4008), 0U);
  world.advance(1);
  EXPECT_EQ(world.closes(4008), 1U);
  EXPECT_EQ(world.hits(LimitHit::soft_bytes), 1U);
  slow.sync();
  EXPECT_EQ(slow.close_code(), 4008);
  EXPECT_NE(slow.close_reason().find("outbox.soft_bytes"), std::string::npos);
}

TEST(FindingBackpressure, writes_of_a_turn_are_bounded_and_other_clients_go_on) {
  ShardSettings settings;
  settings.limits.write_bytes_per_turn = 16 * 1024;
  World world(settings, routes());
  auto clients = open_clients(world, 2);
  SimClient& greedy = clients[0];
  SimClient& modest = clients[1];
  greedy.ask(1, "topic.subscribe", kSubscribe);
  world.shard->post([&] {
    for (int n = 0; n < 100; ++n) publish(world, 5'000);
  });
  modest.call(1, "echo", "[1]");
  world.turn();
  modest.read();
  EXPECT_FALSE(modest.reply(1).empty()) << "answered in the turn of the burst";
  greedy.read();
  EXPECT_LE(greedy.texts_with("topic.message"), 4U);
  EXPECT_LE(world.io.write_bytes_largest, 16U * 1024 + 5'200);
  greedy.sync();
  EXPECT_EQ(greedy.texts_with("topic.message"), 100U);
}

TEST(FindingBackpressure, a_publisher_never_waits_for_readers) {
  World world({}, routes());
  auto clients = open_clients(world, 20);
  for (SimClient& client : clients) {
    client.ask(1, "topic.subscribe", kSubscribe);
    client.socket().to_client_capacity = 0;
  }
  SimClient publisher(world);
  publisher.open();
  publisher.call(1, "topic.publish", R"({"topic":"t","data":1})");
  world.turn();
  publisher.read();
  EXPECT_FALSE(publisher.reply(1).empty());
}

// --- 4. Any origin, no limit of connections, no limit of rate.

TEST(FindingOpenDoor, foreign_origins_are_refused_by_default) {
  World world({}, routes());
  SimClient foreign(world);
  foreign.open("Origin: https://evil.example\r\n");
  EXPECT_EQ(foreign.status(), 403);
  EXPECT_EQ(world.shard->hub().counts().attached, 0U);
}

TEST(FindingOpenDoor, connections_of_an_address_are_limited_by_default) {
  World world({}, routes());
  std::vector<SimClient> clients;
  std::size_t open = 0;
  for (std::uint16_t i = 0; i < 200; ++i) {
    clients.emplace_back(world, Address::ipv4(203, 0, 113, 5, i)).open();
    open += clients.back().upgraded();
    world.advance(100);  // within the allowed rate
  }
  EXPECT_EQ(open, 64U);
  EXPECT_EQ(clients.back().status(), 429);
}

TEST(FindingOpenDoor, connects_of_an_address_are_limited_by_default) {
  World world({}, routes());
  std::size_t open = 0;
  for (std::uint16_t i = 0; i < 100; ++i) {
    SimClient client(world, Address::ipv4(203, 0, 113, 5, i));
    open += client.open().upgraded();
    client.reset();
    world.settle();
  }
  EXPECT_EQ(open, 30U);
}

TEST(FindingOpenDoor, connections_of_the_node_are_limited) {
  ShardSettings settings;
  settings.connections_max = 5;
  World world(settings, routes());
  auto clients = open_clients(world, 6);
  EXPECT_EQ(clients[4].status(), 101);
  EXPECT_EQ(clients[5].status(), 503);
}

TEST(FindingOpenDoor, messages_are_limited_by_default_and_told_when_to_retry) {
  World world({}, routes());
  SimClient client(world);
  client.open();
  for (int i = 0; i < 250; ++i) client.call(i, "echo");
  client.sync();
  EXPECT_EQ(client.texts_with("-32025"), 50U);
  EXPECT_NE(client.reply(249).find("\"retry_after_ms\":10"), std::string::npos) << client.reply(249);
  EXPECT_EQ(world.hits(LimitHit::rate_per_s), 50U);
  world.advance(1000);
  EXPECT_NE(client.ask(1000, "echo", "[1]").find("\"result\":[1]"), std::string::npos);
}

// --- 5. A message limit of 512 bytes, written into the code.

std::string padded_call(std::size_t size) {
  std::string text = call_text(1, "echo", "[1]");
  return text + std::string(size - text.size(), ' ');
}

TEST(FindingMessageLimit, message_limit_is_64_KiB_by_default_configurable_and_named_in_the_close) {
  for (const std::size_t limit : {std::size_t{65'536}, std::size_t{100'000}, std::size_t{128}}) {
    ShardSettings settings;
    if (limit != 65'536) settings.limits.message_bytes = limit;
    World world(settings, routes());
    SimClient client(world);
    client.open();
    EXPECT_TRUE(client.text_with("\"message_bytes\":" + std::to_string(limit)))
        << "announced in session.opened";
    client.text(padded_call(limit));
    client.sync();
    EXPECT_FALSE(client.reply(1).empty()) << "a message of exactly the limit";
    client.text(padded_call(limit + 1));
    client.sync();
    EXPECT_EQ(client.close_code(), 1009);
    EXPECT_NE(client.close_reason().find(std::to_string(limit)), std::string::npos) << client.close_reason();
    EXPECT_EQ(world.hits(LimitHit::message_bytes), 1U);
  }
}

// --- 6. IsConnected() probed the connection by setting a deadline on it.

TEST(FindingProbe, liveness_is_decided_by_pongs_and_write_progress_only) {
  World world({}, routes());
  auto clients = open_clients(world, 3);
  SimClient& quiet = clients[0];    // says nothing but pongs
  SimClient& silent = clients[1];   // not even these
  SimClient& stopped = clients[2];  // sends, does not read
  stopped.socket().to_client_capacity = 0;
  for (int second = 0; second < 600; ++second) {
    world.advance(1000);
    const std::size_t pings = quiet.count(Opcode::ping);
    quiet.read();
    if (quiet.count(Opcode::ping) > pings) quiet.pong();
    stopped.pong();
  }
  EXPECT_EQ(quiet.close_code(), 0);
  EXPECT_FALSE(quiet.ask(1, "echo", "[1]").empty());
  EXPECT_EQ(silent.sync().close_code(), 4012);
  EXPECT_TRUE(silent.gone());
  EXPECT_TRUE(stopped.gone());
  EXPECT_EQ(world.closes(4012), 1U);
  EXPECT_EQ(world.closes(4008), 1U);
}

// Sends to, asks about and broadcasts past an idle connection change nothing of when it is pinged or closed.
TEST(FindingProbe, looking_at_a_connection_does_not_change_it) {
  const auto closed_after = [](bool looked_at) {
    World world({}, routes());
    SimClient idle(world);
    SimClient busy(world);
    idle.open();
    busy.open();
    Millis passed = 0;
    for (; !idle.gone() && passed < 200'000; passed += 100) {
      if (looked_at) {
        if (passed % 1000 == 0) busy.call(static_cast<int>(passed), "hub.stats");
        if (passed % 5000 == 0)
          busy.call(static_cast<int>(passed) + 1, "session.send",
                    R"({"to":")" + idle.code() + R"(","data":1})");
      }
      busy.pong();
      world.advance(100);
      idle.read();
    }
    EXPECT_EQ(world.closes(4012), 1U);
    return passed;
  };
  EXPECT_EQ(closed_after(true), closed_after(false));
}

}  // namespace
}  // namespace hubbub::sim
