#include "hubbub/base/frame_bulk.h"

#include <limits>

#include "hubbub/base/assert.h"

namespace hubbub {

constinit thread_local ReleaseScope* ReleaseScope::current_ = nullptr;

FrameBundle::FrameBundle(const FrameRef& frame, std::size_t count)
    : frame_(frame.get()), left_(static_cast<std::uint32_t>(count)) {
  HUBBUB_ASSERT(count <= std::numeric_limits<std::uint32_t>::max() / 2);
  frame_->ref(left_);
}

FrameBundle::~FrameBundle() {
  if (left_ > 0) frame_->unref(left_);
}

ReleaseScope::~ReleaseScope() {
  current_ = outer_;
  for (const Place& place : places_) settle(place);
}

void ReleaseScope::settle(const Place& place) {
  if (place.count > 0) place.frame->unref(place.count);
}

}  // namespace hubbub
