// Every I/O operation is proved to fail cleanly: one scenario {handshake, call, subscribe, publish, close} is
// run with its operation 0, 1, 2, … failing, until a run passes without reaching the failing one (Beast's
// doFailLoop).
#include <gtest/gtest.h>

#include <limits>

#include "tests/sim/sim_client.h"

namespace hubbub::sim {
namespace {

constexpr std::uint64_t kForEver = std::numeric_limits<std::uint64_t>::max();

struct Plan {
  std::uint64_t fail_at;
  std::uint64_t count;
  SimIo::Fault fault;
  bool must_succeed;  // the fault is one that a socket may show any time: nobody may notice
  bool slow = false;  // small windows: more operations, more states to fail in
};

void use(World& world, const Plan& plan) {
  SimClient reader(world);
  SimClient writer(world);
  if (plan.slow) {
    reader.socket().to_client_capacity = reader.socket().read_max = 50;
    writer.socket().to_client_capacity = writer.socket().read_max = 50;
  }
  reader.open("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  writer.open();
  const std::string subscribed = reader.ask(1, "topic.subscribe", R"({"topic":"t"})");
  const std::string published = writer.ask(2, "topic.publish", R"({"topic":"t","data":"news"})");
  reader.sync();
  writer.close(1000);
  writer.sync();
  writer.end();
  reader.end();
  world.settle();
  EXPECT_FALSE(reader.broken());
  EXPECT_FALSE(writer.broken());
  if (!plan.must_succeed && world.io.faults > 0) return;
  EXPECT_NE(subscribed.find("\"offset\":0"), std::string::npos);
  EXPECT_NE(published.find("\"offset\":1"), std::string::npos);
  EXPECT_TRUE(reader.text_with(R"("data":"news")"));
  EXPECT_EQ(writer.close_code(), 1000);
  EXPECT_TRUE(reader.gone());
  EXPECT_TRUE(writer.gone());
}

// True once the plan's failure was not reached any more.
bool run(const Plan& plan) {
  World world;
  world.io.fail_from = plan.fail_at;
  world.io.fail_count = plan.count;
  world.io.fault = plan.fault;
  use(world, plan);
  const bool reached = world.io.faults > 0;
  world.io.fail_from = kForEver;

  // A fault harms its connection and nobody else: the next client is served.
  SimClient next(world);
  EXPECT_EQ(next.open().status(), 101);
  EXPECT_FALSE(next.ask(1, "echo", "[1]").empty());
  next.reset();
  // Everything is let go in time: sockets, sessions, topics, frames.
  const Limits limits;
  world.advance(limits.head_deadline_ms + limits.close_deadline_ms + limits.ping_interval_ms +
                limits.pong_deadline_ms);
  EXPECT_EQ(world.shard->connections(), 0U);
  EXPECT_EQ(world.io.sockets_open(), 1U);
  world.advance(limits.grace_ms + limits.topic_idle_ms);
  const HubCounts counts = world.shard->hub().counts();
  EXPECT_EQ(counts.attached + counts.detached + counts.subscriptions + counts.topics, 0U);
  EXPECT_EQ(world.shard->dispatcher().calls_in_flight(), 0U);
  world.shard.reset();
  EXPECT_EQ(world.frames(), 0);
  EXPECT_EQ(world.io.sockets_open(), 0U);
  return !reached;
}

void run_until_it_passes(Plan plan) {
  for (plan.fail_at = 0;; ++plan.fail_at) {
    SCOPED_TRACE("operation " + std::to_string(plan.fail_at));
    const bool passed = run(plan);
    if (testing::Test::HasFailure() || passed) break;
    ASSERT_LT(plan.fail_at, 5000U) << "never gets past its own failures";
  }
  EXPECT_GT(plan.fail_at, 10U) << "the scenario hardly does anything";
}

TEST(IoFailures, any_one_operation_may_fail) { run_until_it_passes({0, 1, SimIo::Fault::error, false}); }

TEST(IoFailures, any_one_operation_may_fail_while_windows_are_small) {
  run_until_it_passes({0, 1, SimIo::Fault::error, false, true});
}

TEST(IoFailures, from_any_operation_on_all_may_fail) {
  run_until_it_passes({0, kForEver, SimIo::Fault::error, false});
}

TEST(IoFailures, any_one_operation_may_have_to_wait_and_nobody_notices) {
  run_until_it_passes({0, 1, SimIo::Fault::would_block, true});
}

TEST(IoFailures, any_ten_operations_may_move_a_single_byte_and_nobody_notices) {
  run_until_it_passes({0, 10, SimIo::Fault::one_byte, true});
}

}  // namespace
}  // namespace hubbub::sim
