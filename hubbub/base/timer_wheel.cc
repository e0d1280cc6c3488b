#include "hubbub/base/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "hubbub/base/assert.h"

namespace hubbub {

void Timer::cancel() noexcept {
  if (wheel_) wheel_->unlink(*this);
}

TimerWheel::~TimerWheel() {
  for (List& list : slots_)
    while (list.first) unlink(*list.first);
}

void TimerWheel::link(List& list, Timer& timer, std::uint16_t place) noexcept {
  timer.prev_ = list.last;
  timer.next_ = nullptr;
  (list.last ? list.last->next_ : list.first) = &timer;
  list.last = &timer;
  timer.place_ = place;
  timer.wheel_ = this;
  ++count_;
}

void TimerWheel::unlink(Timer& timer) noexcept {
  List& list = timer.place_ == kFiring ? firing_ : slots_[timer.place_];
  (timer.prev_ ? timer.prev_->next_ : list.first) = timer.next_;
  (timer.next_ ? timer.next_->prev_ : list.last) = timer.prev_;
  if (timer.place_ != kFiring && !list.first)
    occupied_[timer.place_ / kSlots] &= ~(1ULL << (timer.place_ % kSlots));
  timer.wheel_ = nullptr;
  --count_;
}

void TimerWheel::insert(Timer& timer) {
  const auto differ = static_cast<std::uint64_t>(timer.deadline_ ^ current_);
  const int level = (63 - std::countl_zero(differ | 1)) / kBits;
  HUBBUB_ASSERT(level < kLevels);
  const int slot = static_cast<int>(timer.deadline_ >> (level * kBits)) & (kSlots - 1);
  const int place = level * kSlots + slot;
  link(slots_[static_cast<std::size_t>(place)], timer, static_cast<std::uint16_t>(place));
  occupied_[static_cast<std::size_t>(level)] |= 1ULL << slot;
}

void TimerWheel::arm(Timer& timer, Millis deadline) {
  timer.cancel();
  // The top level must not wrap; 2^48 ms is beyond any real deadline.
  constexpr Millis kRound = Millis{1} << (kLevels * kBits);
  const Millis last = (current_ / kRound) * kRound + kRound - 1;
  timer.deadline_ = std::min(std::max(deadline, current_ + 1), std::max(last, current_ + 1));
  if ((timer.deadline_ ^ current_) >= kRound) timer.deadline_ = last;
  insert(timer);
}

bool TimerWheel::first_place(Place& out) const {
  for (int level = 0; level < kLevels; ++level) {
    const std::uint64_t bits = occupied_[static_cast<std::size_t>(level)];
    if (!bits) continue;
    const int slot = std::countr_zero(bits);
    const Millis round = Millis{1} << ((level + 1) * kBits);
    out = {level, slot, current_ / round * round + (Millis{slot} << (level * kBits))};
    return true;
  }
  return false;
}

void TimerWheel::advance(Millis now) {
  Place place;
  while (first_place(place) && place.start <= now) {
    current_ = place.start;
    const std::size_t index = static_cast<std::size_t>(place.level * kSlots + place.slot);
    while (Timer* timer = slots_[index].first) {
      unlink(*timer);
      if (timer->deadline_ <= current_)
        link(firing_, *timer, kFiring);
      else
        insert(*timer);
    }
    while (Timer* timer = firing_.first) {
      unlink(*timer);
      timer->fire_(timer->context_, now);
    }
  }
  current_ = std::max(current_, now);
}

Millis TimerWheel::next_wake() const {
  Place place;
  return first_place(place) ? place.start : -1;
}

}  // namespace hubbub
