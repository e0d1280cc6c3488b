// References to frames in bulk. Fan-out gives one frame to a thousand outboxes and lets a thousand go of
// another: with an atomic operation for each, those alone cost more than all else that a push does.
// FrameBundle takes the references of one publication at once; ReleaseScope gathers what is let go while it
// lives and gives it back at once.
//
// Invariants: what a bundle holds and nobody took goes back when it dies; a frame released within a scope
// lives at most until the scope ends. Each object stays on its thread; the frames may be shared with others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hubbub/base/frame.h"

namespace hubbub {

class FrameBundle {
 public:
  // `count` references to `frame`, which must not be null.
  FrameBundle(const FrameRef& frame, std::size_t count);
  ~FrameBundle();
  FrameBundle(const FrameBundle&) = delete;
  FrameBundle& operator=(const FrameBundle&) = delete;

  // One of them; as often as was asked for.
  [[nodiscard]] FrameRef take() {
    --left_;
    return FrameRef::adopt(frame_);
  }

 private:
  const Frame* frame_;
  std::uint32_t left_;
};

class ReleaseScope {
 public:
  // Scopes may be nested: the innermost gathers.
  ReleaseScope() : outer_(current_) { current_ = this; }
  ~ReleaseScope();
  ReleaseScope(const ReleaseScope&) = delete;
  ReleaseScope& operator=(const ReleaseScope&) = delete;

  // Gives one reference back: when the thread's scope ends, or at once if there is none.
  static void release(const Frame* frame) {
    if (current_)
      current_->gather(frame);
    else
      FrameRef::adopt(frame);
  }

 private:
  static constexpr std::size_t kPlaces = 64;
  struct Place {
    const Frame* frame = nullptr;
    std::uint32_t count = 0;
  };
  void gather(const Frame* frame) {
    Place& place = places_[(reinterpret_cast<std::uintptr_t>(frame) >> 6) % kPlaces];
    if (place.frame != frame) {
      settle(place);
      place = {frame, 0};
    }
    ++place.count;
  }
  static void settle(const Place& place);

  static constinit thread_local ReleaseScope* current_;
  ReleaseScope* outer_;
  std::array<Place, kPlaces> places_{};
};

}  // namespace hubbub
