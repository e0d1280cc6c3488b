// Node: what the shards of one process share: who owns which session and is home to which topic, and the few
// counts that bound the whole process. Nothing here is touched for a message.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "hubbub/core/session_code.h"
#include "hubbub/core/stats.h"

namespace hubbub {

// A shard's place in its process: 0 .. Node::shards() - 1.
using ShardId = std::uint32_t;

class Node {
 public:
  // `key`: any number, the same for all shards: without knowing it nobody can choose names that all fall to
  // one shard.
  explicit Node(ShardId shards = 1, std::uint64_t key = 0);

  [[nodiscard]] ShardId shards() const { return static_cast<ShardId>(stats_.size()); }
  // The shard a session with that code lives on.
  [[nodiscard]] ShardId owner_of(SessionCode code) const;
  // The shard that has a topic's offsets and history.
  [[nodiscard]] ShardId home_of(std::string_view topic) const;

  // Takes one of `max`; false if all are taken. Given back by give(). Any thread.
  [[nodiscard]] static bool take(std::atomic<std::size_t>& count, std::size_t max);
  static void give(std::atomic<std::size_t>& count) { count.fetch_sub(1, std::memory_order_relaxed); }
  std::atomic<std::size_t> sessions{0};     // limits.sessions
  std::atomic<std::size_t> topics{0};       // limits.topics
  std::atomic<std::size_t> connections{0};  // limits.connections
  std::atomic<bool> draining{false};        // from before the first client is told
  std::atomic<bool> memory_short{false};    // no new sessions: see core/memory_budget.h
  std::atomic<std::size_t> parcels{0};      // connections on their way from one shard to another
  std::atomic<ShardId> drained{0};          // shards that have nothing left to do
  // Rises from one opened WebSocket to the next, whichever shard it is on.
  [[nodiscard]] std::uint64_t draw_connection_id() {
    return connection_ids_.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  // Each shard's, before and after the shards run; null for one that is gone.
  void set_stats(ShardId shard, const Stats* stats) { stats_[shard] = stats; }
  // All shards' sum of one.
  [[nodiscard]] std::uint64_t sum(Count Stats::* count) const;
  // All shards' sums.
  void sum_stats(Stats& sum) const;

 private:
  std::uint64_t key_;
  std::vector<const Stats*> stats_;
  std::atomic<std::uint64_t> connection_ids_{0};
};

}  // namespace hubbub
