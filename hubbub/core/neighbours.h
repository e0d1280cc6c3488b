// Neighbours: the way from one shard to the others of its process. What is sent from one shard to another
// arrives in the order in which it was sent; nothing waits and nothing is shared but immutable frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "hubbub/base/error.h"
#include "hubbub/base/frame.h"
#include "hubbub/core/node.h"

namespace hubbub {

class Hub;

// What is done on another shard, with its hub. Runs there once, or is destroyed on any thread when that shard
// has ended.
using HubTask = std::move_only_function<void(Hub&)>;

class Neighbours {
 public:
  virtual ~Neighbours() = default;
  [[nodiscard]] virtual ShardId self() const = 0;
  // A request; `bytes` is what it carries. False if the way there is full (limits.shard_queue_messages,
  // limits.shard_queue_bytes): then nothing happens, `task` is not moved from. There is always room again
  // later: Topics::catch_up.
  [[nodiscard]] virtual bool ask(ShardId to, HubTask&& task, std::size_t bytes) = 0;
  // An answer to what was asked, or what ends something: always taken. There is at most one for each request.
  virtual void answer(ShardId to, HubTask task) = 0;
  // A publication of a topic whose home is here, for a shard with subscribers. Its data ends the params and
  // has `data_size` bytes. False as with ask().
  [[nodiscard]] virtual bool deliver(ShardId to, const FrameRef& frame, std::size_t data_size) = 0;
};

// For a caller whose request found no room: overloaded, with retry_after_ms.
[[nodiscard]] Error neighbour_busy();

}  // namespace hubbub
