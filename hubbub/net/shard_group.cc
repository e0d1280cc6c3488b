#include "hubbub/net/shard_group.h"

#include <utility>

namespace hubbub {

ShardGroup::ShardGroup(const Limits& limits, ShardId shards, std::uint64_t key)
    : limits_(limits), node_(shards, key), gate_(limits_) {
  for (ShardId shard = 0; shard < shards; ++shard) ports_.push_back(std::make_unique<Port>(shards));
}

void ShardGroup::set_shard(ShardId id, Shard* shard, Io* io) {
  const std::lock_guard lock(ports_[id]->waking);
  ports_[id]->shard = shard;
  ports_[id]->io = io;
}

void ShardGroup::send(ShardId to, std::unique_ptr<ShardBatch> batch) {
  Port& port = *ports_[to];
  if (!port.inbox.put(std::move(batch))) return;
  const std::lock_guard lock(port.waking);
  if (port.io) port.io->wake();
}

Result<void> ShardGroup::admit(const Address& peer, Millis now, Stats& stats) {
  const std::lock_guard lock(gate_lock_);
  return gate_.admit(peer, now, stats);
}

void ShardGroup::release(const Address& peer) {
  const std::lock_guard lock(gate_lock_);
  gate_.release(peer);
}

}  // namespace hubbub
