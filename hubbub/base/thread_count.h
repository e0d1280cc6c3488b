// ThreadCount: a process-wide sum to which each thread adds without a lock and without an atomic exchange.
// `Tag` tells one sum from another.
//
// Invariant: total() is the sum of all add() of all threads, those that have ended included; exact once the
// threads that add are quiet.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace hubbub {

template <class Tag>
class ThreadCount {
 public:
  // Any thread, also while its other objects are being destroyed.
  static void add(std::int64_t change) {
    if (local_.enlisted || enlist()) [[likely]]
      local_.value.store(local_.value.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
    else
      ended_.fetch_add(change, std::memory_order_relaxed);
  }
  // What the calling thread added.
  [[nodiscard]] static std::int64_t mine() { return local_.value.load(std::memory_order_relaxed); }
  // Takes a lock that no add() takes but a thread's first and its end.
  [[nodiscard]] static std::int64_t total() {
    const std::lock_guard lock(mutex_);
    std::int64_t sum = ended_.load(std::memory_order_relaxed);
    for (const Local* of = first_; of; of = of->next) sum += of->value.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  // Has no destructor: what is counted may go after the thread's other objects.
  struct Local {
    std::atomic<std::int64_t> value;  // only its own thread writes
    Local* next;
    Local* previous;
    bool enlisted;
    bool ended;
  };
  // Its end is the thread's.
  struct Enlisted {
    Enlisted() {
      const std::lock_guard lock(mutex_);
      local_.next = first_;
      if (local_.next) local_.next->previous = &local_;
      first_ = &local_;
      local_.enlisted = true;
    }
    Enlisted(const Enlisted&) = delete;
    Enlisted& operator=(const Enlisted&) = delete;
    ~Enlisted() {
      const std::lock_guard lock(mutex_);
      local_.enlisted = false;
      local_.ended = true;
      (local_.previous ? local_.previous->next : first_) = local_.next;
      if (local_.next) local_.next->previous = local_.previous;
      ended_.fetch_add(local_.value.load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
  };
  // True if the thread is enlisted now: not before its first add(), nor after its end.
  [[gnu::noinline]] static bool enlist() {
    if (local_.ended) return false;
    thread_local Enlisted enlisted;
    return local_.enlisted;
  }

  static inline constinit thread_local Local local_{};
  static inline constinit std::mutex mutex_{};
  static inline constinit Local* first_ = nullptr;
  static inline constinit std::atomic<std::int64_t> ended_{0};
};

}  // namespace hubbub
