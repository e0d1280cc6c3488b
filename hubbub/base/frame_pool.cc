#include "hubbub/base/frame_pool.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <new>

namespace hubbub::frame_pool {
namespace {

// malloc puts 8 bytes before a block and rounds up: sizes that fill what it hands out.
constexpr std::size_t kStep = 32;
constexpr std::size_t kMallocHead = 8;

constexpr std::size_t size_index(std::size_t bytes) { return (bytes + kMallocHead + kStep - 1) / kStep; }
constexpr std::size_t block_bytes(std::size_t index) { return index * kStep - kMallocHead; }
constexpr std::size_t kSizes = size_index(kPooledBytesMax) + 1;

struct FreeBlock {
  FreeBlock* next;
};
static_assert(block_bytes(1) >= sizeof(FreeBlock));

struct FreeList {
  FreeBlock* first;
  std::uint32_t room;  // how many more it keeps; 0 until the thread is enlisted
};

// Of one thread. Has no destructor: frames may be let go after those of the thread's other objects have run.
struct Pool {
  std::array<FreeList, kSizes> lists;
  std::atomic<std::int64_t> taken;  // less what was given; only its own thread writes
  Pool* next;                       // enlisted
  Pool* previous;
  bool enlisted;
  bool ended;

  void count(std::int64_t change) {
    taken.store(taken.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
  }
};

constinit thread_local Pool pool{};

// The threads that live, for taken(). Touched when a thread begins, when it ends, and by taken().
struct Threads {
  std::mutex mutex;
  Pool* first = nullptr;
  std::atomic<std::int64_t> taken{0};  // of threads that ended
};
constinit Threads threads;

std::size_t room_of(std::size_t index) {
  const std::size_t bytes = block_bytes(index);
  return (bytes <= kSmallBytes ? kKeepBytesSmall : kKeepBytes) / bytes;
}

// Its end is the thread's.
struct Enlisted {
  Enlisted() {
    if (kKeepsBlocks) {
      for (std::size_t i = 1; i < kSizes; ++i) pool.lists[i].room = static_cast<std::uint32_t>(room_of(i));
    }
    const std::lock_guard lock(threads.mutex);
    pool.next = threads.first;
    if (pool.next) pool.next->previous = &pool;
    threads.first = &pool;
    pool.enlisted = true;
  }
  Enlisted(const Enlisted&) = delete;
  Enlisted& operator=(const Enlisted&) = delete;
  ~Enlisted() {
    for (FreeList& list : pool.lists) {
      while (FreeBlock* block = list.first) {
        list.first = block->next;
        ::operator delete(block);
      }
      list.room = 0;
    }
    pool.enlisted = false;
    pool.ended = true;
    const std::lock_guard lock(threads.mutex);
    (pool.previous ? pool.previous->next : threads.first) = pool.next;
    if (pool.next) pool.next->previous = pool.previous;
    threads.taken += pool.taken.load(std::memory_order_relaxed);
  }
};

// True if the thread is enlisted now: not before its first block, nor after its end.
bool enlist() {
  if (pool.ended) return false;
  thread_local Enlisted enlisted;
  return pool.enlisted;
}

void count(std::int64_t change) {
  if (pool.enlisted || enlist())
    pool.count(change);
  else
    threads.taken += change;
}

[[gnu::noinline]] void* take_fresh(std::size_t bytes) {
  void* const block = ::operator new(bytes);
  count(1);
  return block;
}

[[gnu::noinline]] void give_back(void* block) noexcept {
  count(-1);
  ::operator delete(block);
}

}  // namespace

void* take(std::size_t bytes) {
  if (!kKeepsBlocks || bytes > kPooledBytesMax) return take_fresh(bytes);
  const std::size_t index = size_index(bytes);
  FreeList& list = pool.lists[index];
  FreeBlock* const block = list.first;
  if (!block) return take_fresh(block_bytes(index));
  list.first = block->next;
  __builtin_prefetch(list.first, 1);  // the next message's; it was let go a while ago
  ++list.room;
  pool.count(1);
  return block;
}

void give(void* block, std::size_t bytes) noexcept {
  if (!kKeepsBlocks || bytes > kPooledBytesMax) return give_back(block);
  FreeList& list = pool.lists[size_index(bytes)];
  if (list.room == 0 && (pool.enlisted || !enlist() || list.room == 0)) return give_back(block);
  --list.room;
  list.first = new (block) FreeBlock{list.first};
  pool.count(-1);
}

std::int64_t taken() {
  const std::lock_guard lock(threads.mutex);
  std::int64_t sum = threads.taken;
  for (const Pool* of = threads.first; of; of = of->next) sum += of->taken.load(std::memory_order_relaxed);
  return sum;
}

std::size_t kept_bytes() {
  std::size_t sum = 0;
  for (std::size_t i = 1; i < kSizes; ++i)
    for (const FreeBlock* block = pool.lists[i].first; block; block = block->next) sum += block_bytes(i);
  return sum;
}

}  // namespace hubbub::frame_pool
