// ShardGroup: what the shards of one process share, and the only things they do: the node's placement and
// counts, each shard's inbox, and the gate that counts connections by address. Outlives its shards.
//
// None of it is touched for a message of one shard's own; a message to another shard costs its part of one
// atomic exchange a turn; the gate's lock is taken once for a connection that comes and once for one that
// goes.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/core/node.h"
#include "hubbub/net/io.h"
#include "hubbub/net/ip_gate.h"
#include "hubbub/net/shard_inbox.h"

namespace hubbub {

class Shard;

class ShardGroup {
 public:
  // `key`: see Node.
  ShardGroup(const Limits& limits, ShardId shards, std::uint64_t key);
  ShardGroup(const ShardGroup&) = delete;
  ShardGroup& operator=(const ShardGroup&) = delete;

  [[nodiscard]] Node& node() { return node_; }
  [[nodiscard]] ShardId shards() const { return node_.shards(); }

  // A shard is there, and how to wake it; null: it is gone, what is sent to it is dropped with the group.
  void set_shard(ShardId id, Shard* shard, Io* io);
  // For tasks on that shard's thread.
  [[nodiscard]] Shard* shard(ShardId id) const { return ports_[id]->shard; }
  void send(ShardId to, std::unique_ptr<ShardBatch> batch);
  [[nodiscard]] ShardInbox& inbox(ShardId shard) { return ports_[shard]->inbox; }

  // How much of what `from` sent to `to` was received: the sender's bound rests on it.
  struct Received {
    std::atomic<std::uint64_t> messages{0};
    std::atomic<std::uint64_t> bytes{0};
  };
  [[nodiscard]] Received& received(ShardId from, ShardId to) { return ports_[to]->received[from]; }

  // IpGate's, for all shards. `stats` is the calling shard's.
  [[nodiscard]] Result<void> admit(const Address& peer, Millis now, Stats& stats);
  void release(const Address& peer);

 private:
  struct Port {
    explicit Port(ShardId shards) : received(shards) {}
    ShardInbox inbox;
    std::mutex waking;  // of io; taken to wake a sleeping shard, and when it comes or goes
    Io* io = nullptr;
    Shard* shard = nullptr;
    std::vector<Received> received;  // by sender
  };

  const Limits limits_;
  Node node_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::mutex gate_lock_;
  IpGate gate_;
};

}  // namespace hubbub
