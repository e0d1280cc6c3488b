#include "hubbub/net/write_queue.h"

#include <algorithm>
#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/core/outbox.h"

namespace hubbub {
namespace {

iovec part_of(const Frame& frame, std::size_t skip) {
  const std::string_view wire = frame.wire();
  return {const_cast<char*>(wire.data() + skip), wire.size() - skip};
}

}  // namespace

WriteQueue::Waiting& WriteQueue::waiting() {
  if (!waiting_) waiting_ = std::make_unique<Waiting>();
  return *waiting_;
}

void WriteQueue::push(FrameRef frame) {
  waiting().uncounted_bytes += frame->size();
  waiting_->uncounted.push_back(std::move(frame));
}

const Frame& WriteQueue::encoded(const Frame& frame, std::size_t n, MessageCoder* coder) {
  if (!coder) return frame;
  if (waiting_ && n < waiting_->encodings.size() && waiting_->encodings[n]) return *waiting_->encodings[n];
  if (const Frame* shared = coder->shared(frame)) return *shared;
  auto& encodings = waiting().encodings;
  if (encodings.size() <= n) encodings.resize(n + 1);
  encodings[n] = coder->encode(frame);
  return *encodings[n];
}

void WriteQueue::gather(Outbox* outbox, bool outbox_open, MessageCoder* coder, std::size_t bytes_max,
                        std::vector<iovec>& parts) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  const auto add = [&](const Frame& frame, std::size_t skip) {
    parts.push_back(part_of(frame, skip));
    bytes += parts.back().iov_len;
    ++count;
  };
  half_first_ = half_ == Half::outbox;
  uncounted_given_ = 0;
  std::size_t n = 0;
  std::uint64_t next = outbox ? outbox->sent() : 0;
  if (half_first_) add(encoded(*outbox->at(next++), n++, coder), skip_);
  if (waiting_) {
    for (const FrameRef& frame : waiting_->uncounted) {
      if (count == kPartsMax || bytes >= bytes_max) return;
      add(*frame, half_ == Half::uncounted && uncounted_given_ == 0 ? skip_ : 0);
      ++uncounted_given_;
    }
  }
  if (!outbox || !outbox_open) return;
  for (const std::uint64_t end = outbox->write_end(); next < end; ++next) {
    if (count == kPartsMax || bytes >= bytes_max) return;
    if (const Frame* frame = outbox->at(next)) add(encoded(*frame, n++, coder), 0);
  }
}

void WriteQueue::release(const Outbox& outbox, MessageCoder* coder, bool goes_on) {
  if (!waiting_ && half_ != Half::outbox) return;
  auto& [uncounted, encodings, uncounted_bytes] = waiting();
  std::vector<FrameRef> own;
  // Nothing compressed follows: nobody misses what its context would need.
  if (!goes_on) encodings.resize(std::min<std::size_t>(encodings.size(), half_ == Half::outbox));
  if (half_ == Half::outbox) {
    if (encodings.empty()) encodings.resize(1);
    if (!encodings.front())
      encodings.front() = FrameRef::share(&encoded(*outbox.at(outbox.sent()), 0, coder));
    half_ = Half::uncounted;
  } else if (half_ == Half::uncounted && !encodings.empty()) {
    // The frame that is half on the wire stays first.
    own.push_back(std::move(uncounted.front()));
    uncounted.erase(uncounted.begin());
  }
  // A private encoding has advanced the connection's compression context: what comes later depends on it.
  // Shared ones between them do not, but their order stands.
  std::uint64_t next = outbox.sent();
  for (FrameRef& encoding : encodings) {
    while (!outbox.at(next)) ++next;
    own.push_back(encoding ? std::move(encoding) : FrameRef::share(outbox.at(next)));
    uncounted_bytes += own.back()->size();
    ++next;
  }
  encodings.clear();
  uncounted.insert(uncounted.begin(), std::make_move_iterator(own.begin()),
                   std::make_move_iterator(own.end()));
}

std::size_t WriteQueue::written(std::size_t bytes, std::span<const iovec> parts, Endpoint* endpoint) {
  std::size_t uncounted_done = 0;
  std::size_t outbox_done = 0;
  for (std::size_t i = 0; i < parts.size() && bytes > 0; ++i) {
    const bool uncounted = i >= std::size_t{half_first_} && i < std::size_t{half_first_} + uncounted_given_;
    if (bytes < parts[i].iov_len) {
      // 0 before, but for the frame that was half written already.
      skip_ += static_cast<std::uint32_t>(bytes);
      half_ = uncounted ? Half::uncounted : Half::outbox;
      break;
    }
    bytes -= parts[i].iov_len;
    half_ = Half::none;
    skip_ = 0;
    ++(uncounted ? uncounted_done : outbox_done);
  }
  if (waiting_) forget_done(uncounted_done, outbox_done);
  if (outbox_done > 0) endpoint->on_sent(outbox_done);
  return outbox_done;
}

void WriteQueue::forget_done(std::size_t uncounted_done, std::size_t outbox_done) {
  auto& [uncounted, encodings, uncounted_bytes] = *waiting_;
  for (std::size_t i = 0; i < uncounted_done; ++i) uncounted_bytes -= uncounted[i]->size();
  uncounted.erase(uncounted.begin(), uncounted.begin() + static_cast<std::ptrdiff_t>(uncounted_done));
  const std::size_t private_done = std::min(outbox_done, encodings.size());
  encodings.erase(encodings.begin(), encodings.begin() + static_cast<std::ptrdiff_t>(private_done));
  if (uncounted.empty() && encodings.empty()) waiting_.reset();
}

}  // namespace hubbub
