// Poster: the way from any thread into a shard's thread. A shard's poster outlives it, so that a late answer
// from a worker thread finds a closed door instead of freed memory.
#pragma once

#include <functional>

namespace hubbub {

class Poster {
 public:
  virtual ~Poster() = default;
  // Thread-safe. Runs `task` on the shard's thread in a later turn; false if the shard has ended (task is
  // dropped).
  virtual bool post(std::move_only_function<void()> task) = 0;
  // True if the calling thread is the shard's.
  [[nodiscard]] virtual bool on_thread() const = 0;
};

}  // namespace hubbub
