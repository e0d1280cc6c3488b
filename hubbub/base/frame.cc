#include "hubbub/base/frame.h"

#include <cstring>
#include <limits>
#include <new>

#include "hubbub/base/assert.h"

namespace hubbub {
namespace {
std::atomic<std::int64_t> frames_alive{0};
}

FrameRef Frame::make(std::string_view header, std::string_view payload, Origin origin) {
  const std::size_t size = header.size() + payload.size();
  HUBBUB_ASSERT(header.size() <= 14 && size <= std::numeric_limits<std::uint32_t>::max());
  void* memory = ::operator new(sizeof(Frame) + size);
  auto* frame = new (memory) Frame(header.size(), size, origin);
  char* out = reinterpret_cast<char*>(frame + 1);
  if (!header.empty()) std::memcpy(out, header.data(), header.size());
  if (!payload.empty()) std::memcpy(out + header.size(), payload.data(), payload.size());
  frames_alive.fetch_add(1, std::memory_order_relaxed);
  return FrameRef(frame);
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
  frames_alive.fetch_sub(1, std::memory_order_relaxed);
  this->~Frame();
  ::operator delete(const_cast<Frame*>(this));
}

std::int64_t Frame::alive() { return frames_alive.load(std::memory_order_relaxed); }

}  // namespace hubbub
