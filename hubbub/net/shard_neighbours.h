// ShardNeighbours: a shard's end of the ways to the others: gathers what a turn sends to each, keeps the
// bounds, and runs what comes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "hubbub/core/neighbours.h"
#include "hubbub/net/shard_group.h"

namespace hubbub {

class ShardNeighbours final : public Neighbours {
 public:
  ShardNeighbours(ShardGroup& group, ShardId self, const Limits& limits, Stats& stats);

  // Neighbours
  [[nodiscard]] ShardId self() const override { return self_; }
  [[nodiscard]] bool ask(ShardId to, HubTask&& task, std::size_t bytes) override;
  void answer(ShardId to, HubTask task) override;
  [[nodiscard]] bool deliver(ShardId to, const FrameRef& frame, std::size_t data_size) override;

  // Runs what came, at most kMessagesPerTurn of it, or as many publications as make kPushesPerTurn messages
  // for clients.
  void run_some(Hub& hub);
  // End of the turn: what it still has goes out; topics whose mirrors fell behind are tried again.
  void send_all(Hub& hub);
  // There was no room for something: look again soon.
  [[nodiscard]] bool waits_for_room() const;
  // Before and after the shard sleeps; false: there is work.
  [[nodiscard]] bool fall_asleep() { return !batch_ && group_.inbox(self_).fall_asleep(); }
  void wake_up() { group_.inbox(self_).wake_up(); }

  // A flood from other shards must not keep a shard from its own clients.
  static constexpr std::size_t kMessagesPerTurn = 4096;
  static constexpr std::size_t kPushesPerTurn = 65'536;

  // What a turn has for another shard goes out at its end, or sooner in batches of so many: the other one
  // begins while this one goes on. Two that wait for the ends of each other's turns work one after the other.
  static constexpr std::size_t kBatchMessages = 64;

 private:
  struct Way {
    std::unique_ptr<ShardBatch> batch;  // what this turn sends
    std::uint64_t messages = 0;         // sent so far and counted
    std::uint64_t bytes = 0;
    bool full = false;  // something found no room since it was tried last
  };
  [[nodiscard]] bool has_room(ShardId to, std::size_t bytes);
  void gather(ShardId to, ShardMessage message);
  // Half of the bounds is free again.
  [[nodiscard]] bool roomy(ShardId to) const;

  ShardGroup& group_;
  ShardId self_;
  const Limits& limits_;
  Stats& stats_;
  std::vector<Way> ways_;
  std::unique_ptr<ShardBatch> batch_;  // being run
  std::size_t next_ = 0;               // of batch_
};

}  // namespace hubbub
