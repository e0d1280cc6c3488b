// Link: one WebSocket client connection of the load generator. Opening is blocking (connect, upgrade, the
// first messages of a session); under load it is driven by epoll. It answers pings, and treats as an error
// all that a server must not do to a well-behaved client: closing, fragmenting, cutting the stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hubbub::bench {

// What went wrong, for people; the run is void.
template <class T>
using Outcome = std::expected<T, std::string>;

// The front of what a server sent (RFC 6455 section 5.2; server frames carry no mask).
struct ServerFrame {
  bool fin = false;
  std::uint8_t opcode = 0;
  std::string_view payload;
  std::size_t size = 0;  // header and payload
};

// nullopt: not all there yet.
[[nodiscard]] inline std::optional<ServerFrame> parse_server_frame(std::string_view in) {
  if (in.size() < 2) return std::nullopt;
  const auto byte = [in](std::size_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(in[i]));
  };
  std::uint64_t length = byte(1);
  std::size_t header = 2;
  if (length == 126) header = 4;
  if (length == 127) header = 10;
  if (in.size() < header) return std::nullopt;
  if (header > 2) length = 0;
  for (std::size_t i = 2; i < header; ++i) length = (length << 8) | byte(i);
  if (in.size() - header < length) return std::nullopt;
  return ServerFrame{(byte(0) & 0x80) != 0, static_cast<std::uint8_t>(byte(0) & 0x0F),
                     in.substr(header, length), header + static_cast<std::size_t>(length)};
}

class Link {
 public:
  // Connects to 127.0.0.1:`port` and upgrades at /ws.
  [[nodiscard]] static Outcome<Link> open(std::uint16_t port);

  Link(Link&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), rest_(std::move(other.rest_)), unsent_(std::move(other.unsent_)) {}
  Link& operator=(Link&&) = delete;
  ~Link();

  [[nodiscard]] int fd() const { return fd_; }

  // Before load: sends a text message, and waits some seconds at most for the next one.
  [[nodiscard]] Outcome<void> say(std::string_view text);
  [[nodiscard]] Outcome<std::string> hear();

  // Under load: sends whole frames without blocking; what the socket does not take waits for on_writable().
  [[nodiscard]] Outcome<void> send(std::string_view frames);
  [[nodiscard]] Outcome<void> on_writable() { return send({}); }
  [[nodiscard]] bool unsent() const { return !unsent_.empty(); }

  // Reads once into `buffer` (shared by all links; bounds the size of a frame) and gives each text message to
  // `on_text(payload) -> Outcome<void>`.
  template <class OnText>
  [[nodiscard]] Outcome<void> on_readable(std::vector<char>& buffer, OnText&& on_text) {
    auto received = receive(buffer);
    if (!received) return std::unexpected(std::move(received.error()));
    std::string_view in(buffer.data(), *received);
    while (const auto frame = parse_server_frame(in)) {
      Outcome<void> result;
      if (frame->opcode == kText && frame->fin) {
        result = on_text(frame->payload);
      } else {
        result = on_other(*frame);
      }
      if (!result) return result;
      in.remove_prefix(frame->size);
    }
    rest_.assign(in);
    return {};
  }

 private:
  static constexpr std::uint8_t kText = 0x1;

  explicit Link(int fd) : fd_(fd) {}
  Outcome<void> upgrade();
  // Bytes in `buffer` now: what was left over and what one recv gave.
  Outcome<std::size_t> receive(std::vector<char>& buffer);
  Outcome<void> on_other(const ServerFrame& frame);

  int fd_;
  std::string rest_;    // received, not yet a whole frame
  std::string unsent_;  // frames the socket did not take
};

// Appends a masked text frame (RFC 6455 section 5.3). All frames of the generator carry the same mask: a
// server must unmask any, and cannot know.
void append_text_frame(std::string& out, std::string_view payload);

}  // namespace hubbub::bench
