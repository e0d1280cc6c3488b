// Count: a number that one thread changes and any thread may read: plain loads and stores for its owner,
// never torn or a race for the others. No order with anything else is promised.
#pragma once

#include <atomic>
#include <cstdint>

namespace hubbub {

class Count {
 public:
  Count() = default;
  Count(const Count& other) : value_(other.get()) {}
  Count& operator=(const Count& other) { return *this = other.get(); }
  Count& operator=(std::uint64_t value) {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }

  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }
  operator std::uint64_t() const { return get(); }  // NOLINT: reads like the integer it is

  // The owner's.
  Count& operator++() { return *this = get() + 1; }
  Count& operator--() { return *this = get() - 1; }
  Count& operator+=(std::uint64_t more) { return *this = get() + more; }
  Count& operator-=(std::uint64_t less) { return *this = get() - less; }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace hubbub
