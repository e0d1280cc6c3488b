// ShardInbox: what other shards send to one. A sender gathers a turn's messages for a shard in one batch and
// hands it over with one atomic exchange; the shard takes all batches at once. No lock, and nobody waits.
//
// Invariants: the batches of one sender come out in the order they went in; every batch that went in is taken
// or freed with the inbox.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "hubbub/core/hub.h"

namespace hubbub {

struct ShardMessage {
  HubTask task;  // empty: `frame` is a publication for a mirror
  FrameRef frame = {};
  std::uint32_t data_size = 0;  // of the publication
  std::uint32_t bytes = 0;      // what it was counted with; 0: an answer, not counted
};

struct ShardBatch {
  explicit ShardBatch(ShardId sender) : from(sender) {}
  ShardId from;
  std::vector<ShardMessage> messages;
  std::unique_ptr<ShardBatch> next;
};

class ShardInbox {
 public:
  ShardInbox() = default;
  ~ShardInbox();
  ShardInbox(const ShardInbox&) = delete;
  ShardInbox& operator=(const ShardInbox&) = delete;

  // Any thread. True if the shard sleeps and must be woken: told to one sender only.
  [[nodiscard]] bool put(std::unique_ptr<ShardBatch> batch);

  // The shard's: all that came, oldest first; null if nothing did.
  [[nodiscard]] std::unique_ptr<ShardBatch> take();
  // The shard's, around its sleep. False: something came, do not sleep.
  [[nodiscard]] bool fall_asleep();
  void wake_up() { asleep_.store(false, std::memory_order_relaxed); }

 private:
  std::atomic<ShardBatch*> newest_{nullptr};  // a stack, linked from newer to older
  std::atomic<bool> asleep_{false};
};

}  // namespace hubbub
