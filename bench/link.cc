#include "bench/link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace hubbub::bench {
namespace {

constexpr int kOpenSeconds = 5;  // for each read and write while opening
constexpr std::size_t kHeadMax = 16 * 1024;

// The example of RFC 6455 section 1.3: a known key with its known answer.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

std::unexpected<std::string> os_error(std::string_view what) {
  return std::unexpected(fmt::format("{}: {}", what, std::strerror(errno)));
}

void append_frame(std::string& out, std::uint8_t opcode, std::string_view payload) {
  constexpr std::array<unsigned char, 4> kMask{0x37, 0xFA, 0x21, 0x3D};
  const std::size_t size = payload.size();
  out.push_back(static_cast<char>(0x80 | opcode));
  if (size < 126) {
    out.push_back(static_cast<char>(0x80 | size));
  } else {
    const int bytes = size < 65536 ? 2 : 8;
    out.push_back(static_cast<char>(0x80 | (bytes == 2 ? 126 : 127)));
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>((size >> (8 * i)) & 0xFF));
  }
  for (const unsigned char byte : kMask) out.push_back(static_cast<char>(byte));
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(payload[i] ^ kMask[i % 4]));
}

}  // namespace

void append_text_frame(std::string& out, std::string_view payload) { append_frame(out, 0x1, payload); }

Outcome<Link> Link::open(std::uint16_t port) {
  Link link(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (link.fd_ < 0) return os_error("socket");
  const timeval patience{.tv_sec = kOpenSeconds, .tv_usec = 0};
  const int on = 1;
  ::setsockopt(link.fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(link.fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(link.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(link.fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return os_error(fmt::format("connect to 127.0.0.1:{}", port));
  }
  if (auto upgraded = link.upgrade(); !upgraded) return std::unexpected(std::move(upgraded.error()));
  return link;
}

Link::~Link() {
  if (fd_ >= 0) ::close(fd_);
}

Outcome<void> Link::upgrade() {
  const std::string request = fmt::format(
      "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\n\r\n",
      kKey);
  if (auto sent = send(request); !sent) return sent;
  for (;;) {
    const auto end = rest_.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::string_view head = std::string_view(rest_).substr(0, end);
      if (!head.starts_with("HTTP/1.1 101 ") || head.find(kAccept) == std::string_view::npos) {
        return std::unexpected(fmt::format("upgrade refused: {}", head.substr(0, head.find("\r\n"))));
      }
      rest_.erase(0, end + 4);
      return {};
    }
    std::array<char, 4096> piece;
    const ssize_t got = ::recv(fd_, piece.data(), piece.size(), 0);
    if (got < 0) return os_error("waiting for the upgrade");
    if (got == 0 || rest_.size() > kHeadMax) return std::unexpected("connection lost in the upgrade");
    rest_.append(piece.data(), static_cast<std::size_t>(got));
  }
}

Outcome<void> Link::say(std::string_view text) {
  std::string frame;
  append_text_frame(frame, text);
  return send(frame);
}

Outcome<std::string> Link::hear() {
  for (;;) {
    if (const auto frame = parse_server_frame(rest_)) {
      std::string text(frame->payload);
      const bool is_text = frame->opcode == kText && frame->fin;
      if (!is_text) {
        if (auto result = on_other(*frame); !result) return std::unexpected(std::move(result.error()));
      }
      rest_.erase(0, frame->size);
      if (is_text) return text;
      continue;
    }
    std::array<char, 4096> piece;
    const ssize_t got = ::recv(fd_, piece.data(), piece.size(), 0);
    if (got < 0) return os_error("waiting for a message");
    if (got == 0) return std::unexpected("connection lost while waiting for a message");
    rest_.append(piece.data(), static_cast<std::size_t>(got));
  }
}

Outcome<void> Link::send(std::string_view frames) {
  if (!unsent_.empty()) frames = unsent_.append(frames);
  const ssize_t got = ::send(fd_, frames.data(), frames.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (got < 0 && errno != EAGAIN && errno != EINTR) return os_error("send");
  const std::size_t sent = got > 0 ? static_cast<std::size_t>(got) : 0;
  if (!unsent_.empty()) {
    unsent_.erase(0, sent);
  } else if (sent < frames.size()) {
    unsent_.assign(frames.substr(sent));
  }
  return {};
}

Outcome<std::size_t> Link::receive(std::vector<char>& buffer) {
  const std::size_t held = rest_.size();
  if (held >= buffer.size()) return std::unexpected("a frame is larger than the read buffer");
  std::memcpy(buffer.data(), rest_.data(), held);
  const ssize_t got = ::recv(fd_, buffer.data() + held, buffer.size() - held, MSG_DONTWAIT);
  if (got == 0) return std::unexpected("the server closed the connection");
  if (got < 0 && errno != EAGAIN && errno != EINTR) return os_error("recv");
  return held + (got > 0 ? static_cast<std::size_t>(got) : 0);
}

Outcome<void> Link::on_other(const ServerFrame& frame) {
  constexpr std::uint8_t kClose = 0x8;
  constexpr std::uint8_t kPing = 0x9;
  constexpr std::uint8_t kPong = 0xA;
  if (frame.opcode == kPing) {
    std::string pong;
    append_frame(pong, kPong, frame.payload);
    return send(pong);
  }
  if (frame.opcode == kPong) return {};
  if (frame.opcode == kClose && frame.payload.size() >= 2) {
    const auto high = static_cast<unsigned char>(frame.payload[0]);
    const auto low = static_cast<unsigned char>(frame.payload[1]);
    return std::unexpected(
        fmt::format("the server closed with {} {}", high * 256 + low, frame.payload.substr(2)));
  }
  return std::unexpected(fmt::format("unexpected frame: opcode {}, fin {}", frame.opcode, frame.fin));
}

}  // namespace hubbub::bench
