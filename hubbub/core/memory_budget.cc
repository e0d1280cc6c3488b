#include "hubbub/core/memory_budget.h"

#include <algorithm>

#include "hubbub/base/held_memory.h"
#include "hubbub/core/hub.h"

namespace hubbub {
namespace {

// What one of each takes, with its share of tables and blocks of a fixed size (docs/memory.md), rounded up.
constexpr std::size_t kConnectionBytes = 800;
constexpr std::size_t kSessionBytes = 700;
constexpr std::size_t kTopicBytes = 500;
constexpr std::size_t kSubscriptionBytes = 48;

constexpr Millis kLookMs = 10;
constexpr Millis kDryMs = 100;
// How long it is over the soft mark before histories go.
constexpr Millis kSoftMs = 20;
// How long it is over the mark before queues go, and before what is only not acknowledged counts as one.
constexpr Millis kHighMs = 30;
constexpr Millis kHigherMs = 200;
// A look is also due when this thread came to hold that part of the budget more since the last.
constexpr std::int64_t kPart = 256;

}  // namespace

std::size_t MemoryBudget::used(const Node& node) {
  const std::int64_t held = std::max<std::int64_t>(0, HeldMemory::total());
  return static_cast<std::size_t>(held) + node.connections * kConnectionBytes +
         node.sessions * kSessionBytes + node.topics * kTopicBytes +
         node.sum(&Stats::subscriptions) * kSubscriptionBytes;
}

bool MemoryBudget::full() const {
  if (env_.limits.memory_budget == 0) return false;
  const std::int64_t since = HeldMemory::mine() - mine_then_;
  return static_cast<std::int64_t>(used_then_) + since >=
         static_cast<std::int64_t>(env_.limits.memory_budget);
}

bool MemoryBudget::exhausted() const { return full() && high_at_ != 0 && env_.now() - high_at_ >= kHighMs; }

void MemoryBudget::step() {
  if (env_.limits.memory_budget == 0) return;
  const std::int64_t grown = HeldMemory::mine() - mine_then_;
  if (env_.now() - looked_at_ >= kLookMs ||
      grown >= static_cast<std::int64_t>(env_.limits.memory_budget) / kPart)
    look();
}

void MemoryBudget::look() {
  looked_at_ = env_.now();
  used_then_ = used(env_.node);
  if (used_then_ > percent(kSoft))
    shed_kept();
  else
    soft_at_ = 0;
  give_up_queues();
  if (used_then_ <= percent(kCalm) && env_.node.memory_short.exchange(false))
    env_.log.info("memory is enough again", {{"held_bytes", used_then_}});
  mine_then_ = HeldMemory::mine();
}

// A shard that sleeps does not look.
void MemoryBudget::wake_others() {
  for (ShardId shard = 0; shard < env_.node.shards(); ++shard)
    if (shard != env_.shard()) static_cast<void>(env_.neighbours->ask(shard, [](Hub&) {}, 0));
}

void MemoryBudget::give_up_queues() {
  if (used_then_ <= percent(kQueues)) {
    high_at_ = 0;
    return;
  }
  if (high_at_ == 0) high_at_ = env_.now();
  const Millis high = env_.now() - high_at_;
  if (high < kHighMs) return;
  const QueueKind kind = high < kHigherMs ? QueueKind::not_taken : QueueKind::not_acknowledged;
  used_then_ -= std::min(used_then_, hub_.shed_queues(kind, used_then_ - percent(kCalm)));
}

// What is kept for later: 1 and 2. If there is not enough of it, 3.
void MemoryBudget::shed_kept() {
  if (soft_at_ == 0) soft_at_ = env_.now();
  const bool histories = env_.now() - soft_at_ >= kSoftMs;
  const auto wanted = [&] { return used_then_ - std::min(used_then_, percent(kCalm)); };
  if (env_.now() >= dry_until_) {
    used_then_ -= std::min(used_then_, hub_.shed_detached(wanted()));
    if (histories) used_then_ -= std::min(used_then_, hub_.topics().shed_histories(wanted()));
    if (histories && wanted() > 0) dry_until_ = env_.now() + kDryMs;
  }
  if (used_then_ <= percent(kSoft)) {
    soft_at_ = 0;
    return;
  }
  if (histories && !env_.node.memory_short.exchange(true))
    env_.log.warn("memory short: new sessions are refused",
                  {{"held_bytes", used_then_}, {"memory.budget", env_.limits.memory_budget}});
  wake_others();
}

}  // namespace hubbub
