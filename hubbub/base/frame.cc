#include "hubbub/base/frame.h"

#include <limits>
#include <new>

#include "hubbub/base/frame_pool.h"

namespace hubbub {

FrameRef Frame::make(std::string_view header, std::string_view payload, Origin origin) {
  FrameDraft draft(header, payload.size(), origin);
  draft.append(payload);
  return draft.finish();
}

FrameDraft::FrameDraft(std::string_view header, std::size_t payload_size, Origin origin)
    : left_(payload_size) {
  const std::size_t size = header.size() + payload_size;
  HUBBUB_ASSERT(header.size() <= 14 && size <= std::numeric_limits<std::uint32_t>::max());
  frame_ = new (frame_pool::take(sizeof(Frame) + size)) Frame(header.size(), size, origin);
  if (!header.empty()) std::memcpy(end() - size, header.data(), header.size());
}

FrameDraft::~FrameDraft() {
  if (frame_) frame_->destroy();
}

const Frame* Frame::set_deflated(FrameRef twin) const {
  const Frame* expected = nullptr;
  const Frame* mine = twin.get();
  if (deflated_.compare_exchange_strong(expected, mine, std::memory_order_acq_rel)) {
    // A frame that is its own twin holds no reference to itself, or it would never die.
    if (mine != this) twin.frame_ = nullptr;
    return mine;
  }
  return expected;
}

void Frame::destroy() const {
  const Frame* twin = deflated_.load(std::memory_order_acquire);
  if (twin && twin != this) twin->unref();
  const std::size_t bytes = sizeof(Frame) + size_;
  this->~Frame();
  frame_pool::give(const_cast<Frame*>(this), bytes);
}

std::int64_t Frame::alive() { return frame_pool::taken(); }

}  // namespace hubbub
