// Mailbox: a shard's Poster. Any thread drops tasks in; the shard takes them all once a turn. Outlives the
// shard through its shared owners; after close() posts are refused.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "hubbub/base/poster.h"
#include "hubbub/net/io.h"

namespace hubbub {

class Mailbox final : public Poster {
 public:
  explicit Mailbox(Io& io) : io_(&io) {}

  bool post(std::move_only_function<void()> task) override;
  [[nodiscard]] bool on_thread() const override { return std::this_thread::get_id() == thread_.load(); }

  // Shard: the calling thread is the shard's from now on.
  void bind();
  // Shard: swaps out what came; `out` is cleared first.
  void take(std::vector<std::move_only_function<void()>>& out);
  // Shard: no more posts, and io is not touched any more.
  void close();

 private:
  std::mutex mutex_;
  std::vector<std::move_only_function<void()>> tasks_;
  Io* io_;  // null once closed
  std::atomic<std::thread::id> thread_{};
};

}  // namespace hubbub
