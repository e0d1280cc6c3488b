// Frame: one encoded WebSocket message (header and payload, ready for the socket), immutable and shared by
// reference. A publish is encoded once; every subscriber's outbox holds a FrameRef. The reference count is
// atomic, because shards may share frames; nothing else of a frame changes after creation but its compressed
// twin, which is set once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "hubbub/base/assert.h"

namespace hubbub {

class FrameDraft;
class FrameRef;

// Which publication a frame holds, so that an outbox that let go of it can have it back from the topic's
// history.
struct Origin {
  std::uint32_t topic = 0;  // Topic::serial(); 0: no publication
  std::uint64_t offset = 0;
};

class Frame {
 public:
  // Copies header and payload into one allocation. `header` is what RFC 6455 section 5.2 puts before the
  // payload.
  [[nodiscard]] static FrameRef make(std::string_view header, std::string_view payload, Origin origin = {});

  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  // Header and payload: what goes to the socket.
  [[nodiscard]] std::string_view wire() const { return {data(), size_}; }
  [[nodiscard]] std::string_view payload() const { return {data() + header_size_, size_ - header_size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Origin origin() const { return {topic_, offset_}; }

  // The same message with permessage-deflate (RFC 7692), made at most once: whoever needs it first makes it
  // and calls set_deflated. Returns nullptr until then; returns the frame itself where compression does not
  // pay.
  [[nodiscard]] const Frame* deflated() const { return deflated_.load(std::memory_order_acquire); }
  // Publishes the twin; if another thread was first, that one's twin stays. Returns the one that stays.
  const Frame* set_deflated(FrameRef twin) const;
  // Frames alive in this process: 0 when everything has been let go (tests and metrics).
  [[nodiscard]] static std::int64_t alive();

 private:
  friend class FrameDraft;
  friend class FrameRef;
  friend class FrameBundle;
  friend class ReleaseScope;
  Frame(std::size_t header_size, std::size_t size, Origin origin)
      : size_(static_cast<std::uint32_t>(size)),
        topic_(origin.topic),
        header_size_(static_cast<std::uint8_t>(header_size)),
        offset_(origin.offset) {}
  ~Frame() = default;
  [[nodiscard]] const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  void ref(std::uint32_t count = 1) const { refs_.fetch_add(count, std::memory_order_relaxed); }
  void unref() const {
    // Who holds the only reference is alone with the frame: nobody can get another one from anywhere.
    if (refs_.load(std::memory_order_acquire) == 1 || refs_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      destroy();
  }
  void unref(std::uint32_t count) const {
    if (refs_.fetch_sub(count, std::memory_order_acq_rel) == count) destroy();
  }
  void destroy() const;

  mutable std::atomic<std::uint32_t> refs_{1};
  std::uint32_t size_;
  std::uint32_t topic_;
  std::uint8_t header_size_;
  std::uint64_t offset_;
  mutable std::atomic<const Frame*> deflated_{nullptr};
};

// Shared ownership of a Frame; 8 bytes. Null when default-constructed.
class FrameRef {
 public:
  FrameRef() = default;
  FrameRef(const FrameRef& other) : frame_(other.frame_) {
    if (frame_) frame_->ref();
  }
  FrameRef(FrameRef&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  FrameRef& operator=(FrameRef other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~FrameRef() {
    if (frame_) frame_->unref();
  }
  [[nodiscard]] static FrameRef share(const Frame* frame) {
    if (frame) frame->ref();
    return FrameRef(frame);
  }
  // Takes over a reference that release() gave.
  static FrameRef adopt(const Frame* frame) { return FrameRef(frame); }
  // Gives the reference away: the caller owes it to adopt().
  [[nodiscard]] const Frame* release() { return std::exchange(frame_, nullptr); }
  [[nodiscard]] const Frame* get() const { return frame_; }
  const Frame* operator->() const { return frame_; }
  const Frame& operator*() const { return *frame_; }
  [[nodiscard]] explicit operator bool() const { return frame_ != nullptr; }

 private:
  friend class Frame;
  explicit FrameRef(const Frame* frame) : frame_(frame) {}
  const Frame* frame_ = nullptr;
};

// A frame whose payload is still being written, piece by piece, where it will be sent from.
class FrameDraft {
 public:
  FrameDraft(std::string_view header, std::size_t payload_size, Origin origin = {});
  ~FrameDraft();
  FrameDraft(const FrameDraft&) = delete;
  FrameDraft& operator=(const FrameDraft&) = delete;

  // All pieces together must have `payload_size` bytes.
  void append(std::string_view piece) {
    HUBBUB_ASSERT(piece.size() <= left_);
    if (!piece.empty()) std::memcpy(end() - left_, piece.data(), piece.size());
    left_ -= piece.size();
  }
  // The frame, once all is written; the draft is spent.
  [[nodiscard]] FrameRef finish() {
    HUBBUB_ASSERT(left_ == 0);
    return FrameRef::adopt(std::exchange(frame_, nullptr));
  }

 private:
  [[nodiscard]] char* end() { return reinterpret_cast<char*>(frame_ + 1) + frame_->size_; }

  Frame* frame_;
  std::size_t left_;
};

}  // namespace hubbub
