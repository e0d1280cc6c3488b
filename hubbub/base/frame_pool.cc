#include "hubbub/base/frame_pool.h"

#include <algorithm>
#include <array>
#include <new>

#include "hubbub/base/held_memory.h"

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
  bool enlisted;
  bool ended;
};

constinit thread_local Pool pool{};

struct TakenTag;
using Taken = ThreadCount<TakenTag>;  // blocks, less what was given

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
  }
};

// True if the thread is enlisted now: not before its first block, nor after its end.
bool enlist() {
  if (pool.ended) return false;
  thread_local Enlisted enlisted;
  return pool.enlisted;
}

void count(std::int64_t blocks, std::size_t bytes) {
  Taken::add(blocks);
  HeldMemory::add(blocks * static_cast<std::int64_t>(bytes));
}

}  // namespace

void* take(std::size_t bytes) {
  count(1, bytes);
  if (!kKeepsBlocks || bytes > kPooledBytesMax) return ::operator new(bytes);
  const std::size_t index = size_index(bytes);
  FreeList& list = pool.lists[index];
  FreeBlock* const block = list.first;
  if (!block) {
    if (!pool.enlisted) enlist();
    return ::operator new(block_bytes(index));
  }
  list.first = block->next;
  __builtin_prefetch(list.first, 1);  // the next message's; it was let go a while ago
  ++list.room;
  return block;
}

void give(void* block, std::size_t bytes) noexcept {
  count(-1, bytes);
  if (!kKeepsBlocks || bytes > kPooledBytesMax) return ::operator delete(block);
  FreeList& list = pool.lists[size_index(bytes)];
  if (list.room == 0 && (pool.enlisted || !enlist() || list.room == 0)) return ::operator delete(block);
  --list.room;
  list.first = new (block) FreeBlock{list.first};
}

std::int64_t taken() { return Taken::total(); }

std::size_t kept_bytes() {
  std::size_t sum = 0;
  for (std::size_t i = 1; i < kSizes; ++i)
    for (const FreeBlock* block = pool.lists[i].first; block; block = block->next) sum += block_bytes(i);
  return sum;
}

}  // namespace hubbub::frame_pool
