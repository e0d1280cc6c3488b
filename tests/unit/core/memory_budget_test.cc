#include "hubbub/core/memory_budget.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hubbub/base/held_memory.h"
#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::Client;
using test::Core;
using test::Ticket;

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;
constexpr std::size_t kPiece = 64 * kKiB;

// A node of 4 MiB: sheds from 3.2 MiB on, gives up queues from 3.6 MiB on.
constexpr Limits kSmall{.history_messages = 1000,
                        .history_bytes = 8 * kMiB,
                        .outbox_soft_bytes = 8 * kMiB,
                        .outbox_hard_bytes = 8 * kMiB,
                        .memory_budget = 4 * kMiB,
                        .replay_messages = 1000,
                        .replay_bytes = 8 * kMiB};

struct World {
  explicit World(const Limits& limits = kSmall) : core(limits), budget(core.hub, core.env) {}

  // A session that did not take `bytes` that were sent to it alone.
  void queue(Session& session, std::size_t bytes) const {
    for (std::size_t sent = 0; sent < bytes; sent += kPiece)
      session.push(Frame::make({}, std::string(kPiece, 'x')));
  }
  Ticket away_with(std::size_t bytes) {
    Client& client = core.connect();
    const Ticket ticket = client.ticket();
    core.disconnect(client);
    queue(*core.hub.find(ticket.code), bytes);
    return ticket;
  }
  void publish(std::size_t bytes) {
    for (std::size_t sent = 0; sent < bytes; sent += kPiece)
      ASSERT_TRUE(core.hub.deliver("t", '"' + std::string(kPiece, 'x') + '"'));
    core.hub.finish_turn();
  }
  [[nodiscard]] std::size_t history() const {
    const auto slice = core.hub.topics().history("t", {}, 1000);
    return slice ? slice->messages.size() : 0;
  }
  void look(int times = 1) {
    for (int i = 0; i < times; ++i) {
      core.advance(10);
      budget.step();
    }
  }
  [[nodiscard]] bool refuses_sessions() {
    test::FakeLink link;
    const auto opened = core.hub.open_session(link, {});
    if (opened) {
      core.hub.detach(*opened->session);
      return false;
    }
    EXPECT_EQ(opened.error().code, Errc::overloaded);
    EXPECT_NE(opened.error().message().find("memory.budget"), std::string::npos);
    EXPECT_GT(opened.error().retry_after_ms, 0);
    return true;
  }

  mutable Core core;
  MemoryBudget budget;
};

TEST(MemoryBudget, counts_what_waits_and_gives_it_back) {
  World world;
  const std::size_t before = MemoryBudget::used(world.core.node);
  Client& client = world.core.connect(R"({"name":"somebody with more than nothing"})");
  world.queue(*client.session, kMiB);
  EXPECT_GE(MemoryBudget::used(world.core.node), before + kMiB);
  world.core.hub.end(*client.session, 1000, "");
  world.core.disconnect(client);
  EXPECT_EQ(MemoryBudget::used(world.core.node), before);
}

TEST(MemoryBudget, below_the_soft_mark_nothing_is_shed) {
  World world;
  world.away_with(kMiB);
  world.publish(kMiB);
  world.queue(*world.core.connect().session, kMiB);
  world.look();
  EXPECT_EQ(world.core.stats.shed_messages, 0u);
  EXPECT_EQ(world.core.stats.shed_histories, 0u);
  EXPECT_EQ(world.core.stats.shed_queues, 0u);
  EXPECT_FALSE(world.refuses_sessions());
}

TEST(MemoryBudget, first_kept_messages_of_detached_sessions_go_and_they_are_told) {
  World world;
  const Ticket ticket = world.away_with(kMiB);
  world.publish(kMiB);
  Client& reader = world.core.connect();
  world.queue(*reader.session, kMiB * 13 / 10);
  world.look();
  EXPECT_EQ(world.core.stats.shed_messages, 16u);
  EXPECT_EQ(world.core.stats.shed_histories, 0u);
  EXPECT_EQ(world.history(), 16u);
  EXPECT_TRUE(reader.link.closes.empty());
  EXPECT_FALSE(world.refuses_sessions());
  EXPECT_EQ(world.core.resume(ticket, 0).replay.missing_to, 16u);
  world.core.hub.check_invariants();
}

TEST(MemoryBudget, then_histories_go_and_the_topic_goes_on) {
  World world;
  world.publish(2 * kMiB);
  Client& reader = world.core.connect();
  world.queue(*reader.session, kMiB * 13 / 10);
  world.look(2);
  EXPECT_EQ(world.core.stats.shed_histories, 0u);  // other shards' detached sessions are given time first
  EXPECT_FALSE(world.refuses_sessions());
  world.look();
  EXPECT_EQ(world.core.stats.shed_histories, 32u);
  EXPECT_EQ(world.history(), 0u);
  EXPECT_TRUE(reader.link.closes.empty());
  EXPECT_FALSE(world.refuses_sessions());
  const auto published = world.core.hub.deliver("t", "1");
  ASSERT_TRUE(published);
  EXPECT_EQ(published->offset, 33u);
  world.core.hub.finish_turn();
  world.core.hub.check_invariants();
}

TEST(MemoryBudget, then_new_sessions_are_refused_until_it_is_better_while_old_ones_resume) {
  World world;
  const Ticket ticket = world.away_with(0);
  Client& reader = world.core.connect();
  world.queue(*reader.session, kMiB * 34 / 10);
  world.look(3);
  EXPECT_TRUE(world.refuses_sessions());
  EXPECT_EQ(world.core.hits(LimitHit::memory_budget), 1u);
  EXPECT_TRUE(world.core.log.mentions("memory short"));
  EXPECT_TRUE(reader.link.closes.empty());
  world.core.resume(ticket, 0);
  reader.link.take();
  EXPECT_TRUE(reader.session->on_ack(reader.session->outbox().sent()));
  world.look();
  EXPECT_FALSE(world.refuses_sessions());
  EXPECT_TRUE(world.core.log.mentions("memory is enough again"));
}

TEST(MemoryBudget, then_the_largest_queues_are_given_up_and_their_sessions_stay) {
  World world;
  Client& large = world.core.connect();
  Client& small = world.core.connect();
  const Ticket ticket = large.ticket();
  world.queue(*large.session, 3 * kMiB);
  world.queue(*small.session, kMiB * 8 / 10);
  world.look();
  EXPECT_TRUE(large.link.closes.empty());  // other shards are given time first
  world.core.advance(20);
  world.look();
  ASSERT_EQ(large.link.closes.size(), 1u);
  EXPECT_EQ(large.link.closes[0].code, 1013);
  EXPECT_NE(large.link.closes[0].farewell.find("retry_after_ms"), std::string::npos);
  EXPECT_EQ(large.link.releases, 1);
  EXPECT_EQ(large.session->outbox().bytes(), 0u);
  EXPECT_TRUE(small.link.closes.empty());
  EXPECT_EQ(world.core.stats.shed_queues, 1u);
  EXPECT_LT(MemoryBudget::used(world.core.node), kSmall.memory_budget * 8 / 10);
  world.core.hub.check_invariants();
  // What is sent while its connection closes waits; what was given up is told.
  large.session->push(Frame::make({}, "later"));
  world.core.disconnect(large);
  Client& back = world.core.resume(ticket, 0);
  EXPECT_EQ(back.replay.missing_to, 48u);
  EXPECT_EQ(back.link.take(), std::vector<std::string>{"later"});
}

TEST(MemoryBudget, who_does_not_acknowledge_is_given_up_after_those_who_do_not_read) {
  World world;
  Client& reads = world.core.connect();
  Client& stalls = world.core.connect();
  world.queue(*reads.session, 3 * kMiB);
  reads.link.take();
  world.queue(*stalls.session, kMiB);
  world.look(5);
  EXPECT_EQ(stalls.link.closes.size(), 1u);
  EXPECT_TRUE(reads.link.closes.empty());
  world.queue(*reads.session, kMiB * 7 / 10);
  reads.link.take();
  world.look(10);
  EXPECT_TRUE(reads.link.closes.empty());
  world.look(20);
  EXPECT_EQ(reads.link.closes.size(), 1u);
}

TEST(MemoryBudget, growth_within_a_turn_is_seen_before_the_next_look) {
  World world;
  world.look();
  EXPECT_FALSE(world.budget.full());
  world.queue(*world.core.connect().session, 4 * kMiB);
  EXPECT_TRUE(world.budget.full());
  world.budget.step();  // no time has passed, but it looks
  EXPECT_TRUE(world.budget.full());
  world.look(5);
  EXPECT_FALSE(world.budget.full());
}

TEST(MemoryBudget, without_one_nothing_is_full_or_shed) {
  Limits limits = kSmall;
  limits.memory_budget = 0;
  World world(limits);
  world.away_with(8 * kMiB);
  world.look();
  EXPECT_FALSE(world.budget.full());
  EXPECT_EQ(world.core.stats.shed_messages, 0u);
}

}  // namespace
}  // namespace hubbub
