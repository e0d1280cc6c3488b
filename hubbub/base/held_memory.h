// What this process holds for its clients on the heap and that grows with what they send or do not take:
// frames, rings, histories, half received messages. The memory budget rests on it; objects of a fixed size
// are counted by their number instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "hubbub/base/thread_count.h"

namespace hubbub {

struct HeldMemoryTag;
using HeldMemory = ThreadCount<HeldMemoryTag>;  // bytes

// So many bytes, counted for as long as this lives: a member of whatever owns them. Moves with its owner, to
// another thread too.
class HeldBytes {
 public:
  HeldBytes() = default;
  HeldBytes(HeldBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)) {}
  HeldBytes& operator=(HeldBytes&& other) noexcept {
    if (this != &other) {
      set(0);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  ~HeldBytes() { set(0); }

  void set(std::size_t bytes) {
    if (bytes == bytes_) return;
    HeldMemory::add(static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(bytes_));
    bytes_ = bytes;
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

}  // namespace hubbub
