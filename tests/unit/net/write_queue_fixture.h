// A WriteQueue with outboxes to write from, and what it takes to read its bytes again.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "hubbub/core/outbox.h"
#include "hubbub/net/write_queue.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub::test {

inline constexpr std::size_t kNoBound = 1 << 30;

// The part of an endpoint that a queue knows.
class OutboxEndpoint final : public Endpoint {
 public:
  void on_open(Link&) override {}
  void on_text(std::string_view) override {}
  void on_binary(std::string_view) override {}
  void on_stalled() override {}
  void on_closing() override {}
  void on_superseded() override {}
  void on_gone() override {}
  FrameRef farewell(std::uint16_t, std::string_view, std::int64_t) override { return {}; }
  Outbox* outbox() override { return &box; }
  void on_sent(std::size_t count) override {
    box.mark_sent(count);
    box.trim(box.sent());
    sent += static_cast<int>(count);
  }
  [[nodiscard]] bool accepts_input() const override { return true; }
  Outbox box;
  int sent = 0;
};

inline FrameRef frame(std::string_view text) { return wire::make_frame(wire::Opcode::text, text); }

struct Queue : testing::Test {
  WriteQueue queue;
  OutboxEndpoint endpoint;
  OutboxEndpoint next;                  // what the connection may go on with
  OutboxEndpoint* serving = &endpoint;  // null: no outbox any more
  std::vector<iovec> parts;

  // What would be written, joined.
  std::string gather(bool outbox_open = true, std::size_t bytes_max = kNoBound,
                     MessageCoder* coder = nullptr) {
    parts.clear();
    queue.gather(serving ? &serving->box : nullptr, outbox_open, coder, bytes_max, parts);
    std::string out;
    for (const iovec& part : parts) out.append(static_cast<const char*>(part.iov_base), part.iov_len);
    return out;
  }
  // Writes at most `bytes` of what gather() gives; returns what went out.
  std::string write(std::size_t bytes, bool outbox_open = true, std::size_t bytes_max = kNoBound,
                    MessageCoder* coder = nullptr) {
    std::string out = gather(outbox_open, bytes_max, coder);
    out.resize(std::min(out.size(), bytes));
    queue.written(out.size(), parts, serving);
    return out;
  }
};

inline std::string wire_of(std::string_view text) { return std::string(frame(text)->wire()); }

// The message in a frame, compressed or not.
inline std::string inflated(wire::Inflater& inflater, std::string_view wire) {
  const auto first = static_cast<unsigned char>(wire[0]);
  const std::size_t short_size = static_cast<unsigned char>(wire[1]);
  const std::size_t header = short_size < 126 ? 2 : short_size == 126 ? 4 : 10;
  if ((first & 0x40) == 0) return std::string(wire.substr(header));
  std::string out;
  EXPECT_EQ(inflater.feed(wire.substr(header), out, kNoBound), wire::InflateStatus::ok);
  EXPECT_EQ(inflater.finish(out, kNoBound), wire::InflateStatus::ok);
  return out;
}

inline std::size_t frame_size(std::string_view wire) {
  const std::size_t size = static_cast<unsigned char>(wire[1]);
  if (size < 126) return size + 2;
  return 4 + (std::size_t{static_cast<unsigned char>(wire[2])} << 8 | static_cast<unsigned char>(wire[3]));
}

}  // namespace hubbub::test
