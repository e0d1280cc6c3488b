// Slab: owns objects at stable addresses and hands out generational handles. A handle to something gone
// resolves to nullptr instead of to whatever took its place. One thread; iteration is in slot order, so
// deterministic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "hubbub/base/assert.h"

namespace hubbub {

// 8 bytes: 32-bit slot, 32-bit generation. Value 0 is no object ("null").
template <class T>
struct Handle {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;

  [[nodiscard]] explicit operator bool() const { return generation != 0; }
  [[nodiscard]] std::uint64_t bits() const { return (std::uint64_t{generation} << 32) | slot; }
  [[nodiscard]] static Handle from_bits(std::uint64_t bits) {
    return {static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32)};
  }
  friend bool operator==(Handle, Handle) = default;
};

template <class T>
class Slab {
 public:
  // Constructs a T. The address stays until erase().
  template <class... Args>
  Handle<T> emplace(Args&&... args) {
    std::uint32_t slot;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    Slot& entry = slots_[slot];
    entry.value.emplace(std::forward<Args>(args)...);
    ++live_;
    return {slot, entry.generation};
  }

  // The object, or nullptr if it is gone. The pointer dies with the current call into the owner.
  [[nodiscard]] T* get(Handle<T> handle) {
    if (handle.slot >= slots_.size()) return nullptr;
    Slot& entry = slots_[handle.slot];
    return entry.value && entry.generation == handle.generation ? &*entry.value : nullptr;
  }

  void erase(Handle<T> handle) {
    HUBBUB_ASSERT(get(handle) != nullptr);
    Slot& entry = slots_[handle.slot];
    entry.value.reset();
    if (++entry.generation == 0) entry.generation = 1;
    free_.push_back(handle.slot);
    --live_;
  }

  [[nodiscard]] std::size_t size() const { return live_; }

  // Calls f(Handle, T&) for each object. f may erase the object it is given and no other.
  template <class F>
  void for_each(F&& f) {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot)
      if (slots_[slot].value) f(Handle<T>{slot, slots_[slot].generation}, *slots_[slot].value);
  }

 private:
  struct Slot {
    std::optional<T> value;
    std::uint32_t generation = 1;
  };
  std::deque<Slot> slots_;  // grows at the end only: addresses are stable
  std::vector<std::uint32_t> free_;
  std::size_t live_ = 0;
};

}  // namespace hubbub
