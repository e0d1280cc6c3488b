// MemoryBudget: keeps what the node holds within memory.budget. Counts bytes of what grows (HeldMemory) and
// objects by their number, and sheds, from the soft mark on and in this order, until it is enough:
//
//   1. kept messages of sessions without a connection (their clients are told what is missing)
//   2. topics' histories (a latecomer is told that its position is not there any more)
//   3. new sessions are refused, until it is better
//   4. the connections with the largest queues are closed with 1013; their sessions stay. First those with
//      most that they have not taken, later those with most that they have not acknowledged
//
// Each step is given time before the next, for what is to go may be other shards'.
//
// At the budget itself its shard reads no more messages until some was let go, and gives up the largest of
// those that are half received (Shard). So the node holds at most the budget and what one read of each shard
// can make.
//
// One of each shard, on its thread; the sum it looks at is the node's, what it sheds its own shard's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hubbub/core/env.h"

namespace hubbub {

class Hub;

class MemoryBudget {
 public:
  // Shares of the budget in percent: where shedding begins, how far it goes (there new sessions are let in
  // again), and where queues are given up.
  static constexpr std::size_t kSoft = 80;
  static constexpr std::size_t kCalm = 75;
  static constexpr std::size_t kQueues = 90;

  MemoryBudget(Hub& hub, const Env& env) : hub_(hub), env_(env) {}

  // At the end of a turn.
  void step();
  // No more messages should be read in this turn.
  [[nodiscard]] bool full() const;
  // It is full although there was time to shed: messages half received are what is left to give up.
  [[nodiscard]] bool exhausted() const;
  // Bytes that a node holds, as the budget counts them.
  [[nodiscard]] static std::size_t used(const Node& node);

 private:
  void look();
  void wake_others();
  void give_up_queues();
  [[nodiscard]] std::size_t percent(std::size_t share) const {
    return env_.limits.memory_budget / 100 * share;
  }
  void shed_kept();

  Hub& hub_;
  const Env& env_;
  Millis looked_at_ = 0;
  std::int64_t mine_then_ = 0;  // what this thread held
  std::size_t used_then_ = 0;
  Millis dry_until_ = 0;  // there was nothing left to shed: not worth searching before
  Millis soft_at_ = 0;    // since when it is over the soft mark; 0: it is not
  Millis high_at_ = 0;    // since when it is over the mark for queues; 0: it is not
};

}  // namespace hubbub
