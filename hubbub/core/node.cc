#include "hubbub/core/node.h"

#include "hubbub/base/assert.h"
#include "hubbub/base/hash.h"

namespace hubbub {

Node::Node(ShardId shards, std::uint64_t key) : key_(key), stats_(shards, nullptr) {
  HUBBUB_ASSERT(shards > 0);
}

ShardId Node::owner_of(SessionCode code) const {
  const std::uint64_t value = code.key();
  if (shards() == 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(&value), sizeof value);
  return static_cast<ShardId>(keyed_hash(bytes, key_) % shards());
}

ShardId Node::home_of(std::string_view topic) const {
  return shards() == 1 ? 0 : static_cast<ShardId>(keyed_hash(topic, key_) % shards());
}

bool Node::take(std::atomic<std::size_t>& count, std::size_t max) {
  if (count.fetch_add(1, std::memory_order_relaxed) < max) return true;
  give(count);
  return false;
}

std::uint64_t Node::sum(Count Stats::* count) const {
  std::uint64_t sum = 0;
  for (const Stats* stats : stats_)
    if (stats) sum += stats->*count;
  return sum;
}

void Node::sum_stats(Stats& sum) const {
  for (const Stats* stats : stats_)
    if (stats) sum.add(*stats);
}

}  // namespace hubbub
