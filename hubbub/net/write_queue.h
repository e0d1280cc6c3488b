// WriteQueue: the order in which one connection's bytes go out: first the frame that is half on the wire,
// then uncounted frames (HTTP responses, pongs, notices, Close), then the outbox. Gathers references for one
// scattered write; copies nothing.
//
// Invariant: between gather() and written() nothing else touches the queue or the outbox.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "hubbub/base/frame.h"
#include "hubbub/core/link.h"
#include "hubbub/net/message_coder.h"

namespace hubbub {

class WriteQueue {
 public:
  // Most parts of one write: enough for a turn's burst, far below IOV_MAX.
  static constexpr std::size_t kPartsMax = 128;

  void push(FrameRef frame);
  [[nodiscard]] std::size_t uncounted_bytes() const { return waiting_ ? waiting_->uncounted_bytes : 0; }
  // True if a frame is half written: the next byte must be its.
  [[nodiscard]] bool mid_frame() const { return half_ != Half::none; }
  [[nodiscard]] bool empty() const {
    return half_ == Half::none && (!waiting_ || waiting_->uncounted.empty());
  }

  // Appends what to write next: at most kPartsMax parts, and no further part once `bytes_max` is reached.
  // `outbox` may be null; with `outbox_open` false only its half-written frame goes out. `coder` null: frames
  // as they are. Places of the outbox without a frame are stepped over.
  void gather(Outbox* outbox, bool outbox_open, MessageCoder* coder, std::size_t bytes_max,
              std::vector<iovec>& parts);
  // The connection will not write from `outbox` any more: what of it is half on the wire becomes this queue's
  // own; so does, if it `goes_on` with another outbox, what was encoded for this connection alone.
  void release(const Outbox& outbox, MessageCoder* coder, bool goes_on);
  // The socket took `bytes` of the `parts` that the last gather() gave. Tells `endpoint` of each outbox frame
  // that is out and returns how many.
  std::size_t written(std::size_t bytes, std::span<const iovec> parts, Endpoint* endpoint);

 private:
  enum class Half : std::uint8_t { none, uncounted, outbox };
  // What the queue holds itself; none of it, most of the time.
  struct Waiting {
    std::vector<FrameRef> uncounted;
    std::vector<FrameRef> encodings;  // private ones, of the outbox's unsent frames in order
    std::size_t uncounted_bytes = 0;
  };

  // What to write for `frame`, the outbox's n-th unsent one.
  [[nodiscard]] const Frame& encoded(const Frame& frame, std::size_t n, MessageCoder* coder);
  [[nodiscard]] Waiting& waiting();
  void forget_done(std::size_t uncounted_done, std::size_t outbox_done);

  std::unique_ptr<Waiting> waiting_;
  std::uint32_t skip_ = 0;  // bytes of the half-written frame that are out
  // The last gather(): [half an outbox frame] [uncounted frames] [outbox frames].
  std::uint16_t uncounted_given_ = 0;
  bool half_first_ = false;
  Half half_ = Half::none;
};

}  // namespace hubbub
