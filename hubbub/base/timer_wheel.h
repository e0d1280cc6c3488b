// TimerWheel: many timers, set and cancelled in constant time, milliseconds resolution. Eight levels of 64
// slots; a timer sits on the level of the highest 6-bit digit in which its deadline differs from now, and
// moves down as time passes.
//
// Invariants: no occupied slot starts at or before current_; a linked timer is in exactly one slot or in the
// list being fired. One thread. Never asks a clock: advance() is told the time.
#pragma once

#include <array>
#include <cstdint>

#include "hubbub/base/clock.h"

namespace hubbub {

class TimerWheel;

// One timer, embedded in its owner. Calls `fire(context, now)` from TimerWheel::advance, already disarmed, so
// it may be armed again from there. Destroying it cancels it. Not movable: the wheel points at it.
class Timer {
 public:
  using Fire = void (*)(void* context, Millis now);
  Timer(Fire fire, void* context) : fire_(fire), context_(context) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void cancel() noexcept;
  [[nodiscard]] bool armed() const { return wheel_ != nullptr; }
  [[nodiscard]] Millis deadline() const { return deadline_; }

 private:
  friend class TimerWheel;
  Fire fire_;
  void* context_;
  Timer* prev_ = nullptr;
  Timer* next_ = nullptr;
  TimerWheel* wheel_ = nullptr;
  Millis deadline_ = 0;
  std::uint16_t place_ = 0;  // level * 64 + slot; kFiring while in the list being fired
};

class TimerWheel {
 public:
  explicit TimerWheel(Millis now) : current_(now) {}
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Arms `timer` for `deadline`, re-arming if it was armed. A deadline that has passed fires at the next
  // advance to a later millisecond. Eight levels reach 8,900 years, so no real deadline is cut short.
  void arm(Timer& timer, Millis deadline);
  // Fires all timers with deadline <= now, in order of deadline (ties: order of arming). `now` never goes
  // back.
  void advance(Millis now);
  // A time not later than the next firing, or -1 without timers: what to wait for.
  [[nodiscard]] Millis next_wake() const;
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] Millis now() const { return current_; }

 private:
  friend class Timer;
  static constexpr int kLevels = 8;
  static constexpr int kBits = 6;
  static constexpr int kSlots = 1 << kBits;
  static constexpr std::uint16_t kFiring = 0xFFFF;
  struct List {
    Timer* first = nullptr;
    Timer* last = nullptr;
  };
  struct Place {
    int level;
    int slot;
    Millis start;
  };

  void link(List& list, Timer& timer, std::uint16_t place) noexcept;
  void unlink(Timer& timer) noexcept;
  void insert(Timer& timer);
  [[nodiscard]] bool first_place(Place& out) const;

  Millis current_;
  std::size_t count_ = 0;
  std::array<std::uint64_t, kLevels> occupied_{};
  std::array<List, kLevels * kSlots> slots_{};
  List firing_;
};

}  // namespace hubbub
