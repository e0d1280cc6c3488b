// Link: one WebSocket client connection of the generator, never blocking. It moves bytes and cuts them into
// messages; what they mean is the workload's. It answers pings. Whatever a server must not do to a
// well-behaved client (close, cut the stream, break framing) is an error in one sentence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/load/client_frame.h"
#include "hubbub/load/inflate_cache.h"
#include "hubbub/load/outcome.h"
#include "hubbub/load/url.h"

namespace hubbub::load {

// What all links of a thread share while one of them is read.
struct ReadContext {
  std::vector<char> buffer = std::vector<char>(256 * 1024);  // grows with the largest frame
  InflateCache inflate;
  std::string joined;  // a message that came in fragments
};

struct ConnectSettings {
  SocketAddress to;
  std::uint32_t source = 0;      // IPv4 address to connect from, host order; 0: any
  int receive_buffer_bytes = 0;  // 0: the system's
};

class Link {
 public:
  enum class Phase : std::uint8_t { none, upgrading, greeting, ready, stalled };

  Link() = default;
  Link(Link&& other) noexcept = default;
  Link& operator=(Link&&) = delete;
  ~Link() { close(); }

  Phase phase = Phase::none;
  std::uint32_t step = 0;       // of the greeting
  std::uint32_t uncounted = 0;  // messages since the last acknowledgement
  std::uint64_t counted = 0;    // messages of the session so far
  std::uint64_t since = 0;      // when opening it was begun, or due

  [[nodiscard]] int fd() const { return fd_.value; }
  [[nodiscard]] bool unsent() const { return !unsent_.empty(); }

  // Begins to connect; `request` leaves as soon as it can.
  [[nodiscard]] Outcome<void> connect(const ConnectSettings& settings, std::string_view request);
  // Sends whole frames; what the socket does not take goes later, from on_writable().
  [[nodiscard]] Outcome<void> send(std::string_view bytes);
  [[nodiscard]] Outcome<void> on_writable() { return send({}); }
  // Ends the connection without a word, as a process that dies does.
  void close();

  // Reads once. `on_head(head, body)` gets the response to the upgrade, `on_message(text)` each message; both
  // return Outcome<void> and may close this link.
  template <class OnHead, class OnMessage>
  [[nodiscard]] Outcome<void> on_readable(ReadContext& context, OnHead&& on_head, OnMessage&& on_message) {
    auto received = receive(context.buffer);
    if (!received) return Failure(std::move(received.error()));
    std::string_view in(context.buffer.data(), *received);
    if (phase == Phase::upgrading) {
      const std::size_t end = in.find("\r\n\r\n");
      if (end == std::string_view::npos) return hold(in, 0, context);
      phase = Phase::greeting;
      if (auto fine = on_head(in.substr(0, end), in.substr(end + 4)); !fine) return fine;
      in.remove_prefix(end + 4);
    }
    ServerFrame frame;
    while (fd() >= 0) {
      const FrameStatus status = parse_server_frame(in, frame);
      if (status == FrameStatus::need_more) break;
      if (status == FrameStatus::bad) return Failure("the server sent a frame that breaks RFC 6455");
      Outcome<void> result;
      if (frame.fin && !frame.rsv1 && (frame.opcode == 1 || frame.opcode == 2)) {
        result = on_message(frame.payload);
      } else {
        auto message = on_other(frame, context);
        if (!message) return Failure(std::move(message.error()));
        if (message->data() != nullptr) result = on_message(*message);
      }
      if (!result) return result;
      in.remove_prefix(frame.size);
    }
    if (fd() < 0) return {};
    return hold(in, frame.size, context);
  }

 private:
  // A descriptor that moves.
  struct Descriptor {
    int value = -1;
    Descriptor() = default;
    Descriptor(Descriptor&& other) noexcept : value(std::exchange(other.value, -1)) {}
  };
  struct Fragments {
    std::string payload;
    bool compressed = false;
  };

  // Bytes in `buffer` now: what was left over and what one recv gave.
  Outcome<std::size_t> receive(std::vector<char>& buffer);
  // Keeps what is left of `context.buffer`, and makes that large enough for the frame it begins (0: unknown).
  Outcome<void> hold(std::string_view rest, std::size_t frame_size, ReadContext& context);
  // A frame that is not a whole plain message: a message if it completes one (data() is null if not).
  Outcome<std::string_view> on_other(const ServerFrame& frame, ReadContext& context);
  Outcome<std::string_view> on_control(const ServerFrame& frame);

  Descriptor fd_;
  std::string rest_;    // received, not yet a whole frame
  std::string unsent_;  // what the socket did not take
  std::unique_ptr<Fragments> fragments_;
};

}  // namespace hubbub::load
