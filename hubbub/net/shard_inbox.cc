#include "hubbub/net/shard_inbox.h"

#include <utility>

namespace hubbub {

ShardInbox::~ShardInbox() {
  // One by one: a long chain must not be freed by recursion.
  for (auto batch = take(); batch; batch = std::move(batch->next)) {
  }
}

bool ShardInbox::put(std::unique_ptr<ShardBatch> batch) {
  ShardBatch* mine = batch.release();
  ShardBatch* seen = newest_.load(std::memory_order_relaxed);
  do {
    static_cast<void>(mine->next.release());  // it was not ours
    mine->next.reset(seen);
  } while (!newest_.compare_exchange_weak(seen, mine, std::memory_order_seq_cst, std::memory_order_relaxed));
  // Either this sees the shard asleep, or the shard sees the batch before it sleeps: both sides write first
  // and then look, in one total order.
  return asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false, std::memory_order_seq_cst);
}

std::unique_ptr<ShardBatch> ShardInbox::take() {
  std::unique_ptr<ShardBatch> newest(newest_.exchange(nullptr, std::memory_order_seq_cst));
  std::unique_ptr<ShardBatch> oldest;
  while (newest) {
    std::unique_ptr<ShardBatch> older = std::move(newest->next);
    newest->next = std::move(oldest);
    oldest = std::move(newest);
    newest = std::move(older);
  }
  return oldest;
}

bool ShardInbox::fall_asleep() {
  asleep_.store(true, std::memory_order_seq_cst);
  if (newest_.load(std::memory_order_seq_cst) == nullptr) return true;
  wake_up();
  return false;
}

}  // namespace hubbub
