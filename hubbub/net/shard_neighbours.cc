#include "hubbub/net/shard_neighbours.h"

#include <algorithm>
#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/core/hub.h"

namespace hubbub {

ShardNeighbours::ShardNeighbours(ShardGroup& group, ShardId self, const Limits& limits, Stats& stats)
    : group_(group), self_(self), limits_(limits), stats_(stats), ways_(group.shards()) {}

bool ShardNeighbours::has_room(ShardId to, std::size_t bytes) {
  Way& way = ways_[to];
  const ShardGroup::Received& received = group_.received(self_, to);
  const bool messages =
      way.messages - received.messages.load(std::memory_order_acquire) < limits_.shard_queue_messages;
  // One that is larger than the bound goes when nothing else is on the way.
  const std::uint64_t waiting = way.bytes - received.bytes.load(std::memory_order_acquire);
  if (messages && (waiting == 0 || waiting + bytes <= limits_.shard_queue_bytes)) return true;
  stats_.hit(messages ? LimitHit::shard_queue_bytes : LimitHit::shard_queue_messages);
  way.full = true;
  return false;
}

bool ShardNeighbours::roomy(ShardId to) const {
  const Way& way = ways_[to];
  const ShardGroup::Received& received = group_.received(self_, to);
  return (way.messages - received.messages.load(std::memory_order_acquire)) * 2 <=
             limits_.shard_queue_messages &&
         (way.bytes - received.bytes.load(std::memory_order_acquire)) * 2 <= limits_.shard_queue_bytes;
}

void ShardNeighbours::gather(ShardId to, ShardMessage message) {
  HUBBUB_ASSERT(to != self_);
  Way& way = ways_[to];
  if (!way.batch) way.batch = std::make_unique<ShardBatch>(self_);
  if (message.bytes > 0) {
    ++way.messages;
    way.bytes += message.bytes;
  }
  way.batch->messages.push_back(std::move(message));
  if (way.batch->messages.size() == kBatchMessages) group_.send(to, std::move(way.batch));
}

bool ShardNeighbours::ask(ShardId to, HubTask&& task, std::size_t bytes) {
  bytes += sizeof(ShardMessage);
  if (!has_room(to, bytes)) return false;
  gather(to, {.task = std::move(task), .bytes = static_cast<std::uint32_t>(bytes)});
  return true;
}

void ShardNeighbours::answer(ShardId to, HubTask task) { gather(to, {.task = std::move(task)}); }

bool ShardNeighbours::deliver(ShardId to, const FrameRef& frame, std::size_t data_size) {
  const std::size_t bytes = sizeof(ShardMessage) + frame->size();
  if (!has_room(to, bytes)) return false;
  gather(to, {.task = {},
              .frame = frame,
              .data_size = static_cast<std::uint32_t>(data_size),
              .bytes = static_cast<std::uint32_t>(bytes)});
  return true;
}

void ShardNeighbours::run_some(Hub& hub) {
  if (!batch_) batch_ = group_.inbox(self_).take();
  std::size_t pushes = 0;
  const auto enough = [&pushes](std::size_t run) {
    return run >= kMessagesPerTurn || pushes >= kPushesPerTurn;
  };
  for (std::size_t run = 0; batch_ && !enough(run);) {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    for (; next_ < batch_->messages.size() && !enough(run); ++run, ++next_) {
      ShardMessage message = std::move(batch_->messages[next_]);
      messages += message.bytes > 0;
      bytes += message.bytes;
      if (message.task)
        message.task(hub);
      else
        pushes += hub.topics().mirrors().on_publication(message.frame, message.data_size);
    }
    ShardGroup::Received& received = group_.received(batch_->from, self_);
    received.messages.fetch_add(messages, std::memory_order_release);
    received.bytes.fetch_add(bytes, std::memory_order_release);
    if (next_ < batch_->messages.size()) return;
    next_ = 0;
    batch_ = std::move(batch_->next);
  }
}

void ShardNeighbours::send_all(Hub& hub) {
  for (ShardId to = 0; to < ways_.size(); ++to) {
    Way& way = ways_[to];
    if (way.full && roomy(to)) {
      way.full = false;
      hub.topics().mirrors().catch_up(to);
    }
    if (way.batch) group_.send(to, std::move(way.batch));
  }
}

bool ShardNeighbours::waits_for_room() const {
  return ways_.size() > 1 && std::ranges::any_of(ways_, &Way::full);
}

}  // namespace hubbub
