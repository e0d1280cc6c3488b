#include "hubbub/load/link.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace hubbub::load {
namespace {

constexpr std::size_t kFrameMax = 64 * 1024 * 1024;

Failure os_error(std::string_view what) { return Failure(fmt::format("{}: {}", what, std::strerror(errno))); }

// IP_BIND_ADDRESS_NO_PORT: the port is chosen at connect, so that one per destination is enough.
bool bind_source(int fd, std::uint32_t source) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(source);
  return ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Outcome<void> Link::connect(const ConnectSettings& settings, std::string_view request) {
  close();
  fd_.value = ::socket(settings.to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd() < 0) return os_error("cannot make a socket");
  const int on = 1;
  ::setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (settings.receive_buffer_bytes > 0) {
    ::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &settings.receive_buffer_bytes, sizeof(int));
  }
  if (settings.source != 0 && !bind_source(fd(), settings.source))
    return os_error("cannot bind a source address");
  if (::connect(fd(), settings.to.get(), settings.to.size) != 0 && errno != EINPROGRESS) {
    return os_error("cannot connect");
  }
  phase = Phase::upgrading;
  return send(request);
}

void Link::close() {
  if (fd() >= 0) ::close(fd());
  fd_.value = -1;
  phase = Phase::none;
  step = 0;
  uncounted = 0;
  counted = 0;
  rest_.clear();
  unsent_.clear();
  fragments_.reset();
}

Outcome<void> Link::send(std::string_view bytes) {
  const bool waited = !unsent_.empty();
  if (waited) bytes = unsent_.append(bytes);
  if (bytes.empty()) return {};
  const ssize_t got = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  // A reset shows here or when reading; reading also tells what the server said before it.
  if (got < 0 && errno != EAGAIN && errno != EINTR && errno != EPIPE && errno != ECONNRESET) {
    return os_error(phase == Phase::upgrading ? "cannot connect" : "cannot send");
  }
  const std::size_t sent = got > 0 ? static_cast<std::size_t>(got) : 0;
  if (waited) {
    unsent_.erase(0, sent);
  } else if (sent < bytes.size()) {
    unsent_.assign(bytes.substr(sent));
  }
  return {};
}

Outcome<std::size_t> Link::receive(std::vector<char>& buffer) {
  const std::size_t held = rest_.size();
  if (held >= buffer.size()) buffer.resize(held * 2);
  if (held > 0) std::memcpy(buffer.data(), rest_.data(), held);
  const ssize_t got = ::recv(fd(), buffer.data() + held, buffer.size() - held, 0);
  if (got == 0) {
    return Failure(phase == Phase::upgrading ? "the server closed the connection before the upgrade"
                                             : "the server closed the connection");
  }
  if (got < 0 && errno != EAGAIN && errno != EINTR) {
    return os_error(phase == Phase::upgrading ? "cannot connect" : "the connection broke");
  }
  return held + (got > 0 ? static_cast<std::size_t>(got) : 0);
}

Outcome<void> Link::hold(std::string_view rest, std::size_t frame_size, ReadContext& context) {
  if (std::max(rest.size(), frame_size) > kFrameMax) return Failure("the server sent a frame above 64 MiB");
  if (!rest.empty() || !rest_.empty()) rest_.assign(rest);
  // From here on `rest` may be gone.
  if (frame_size > context.buffer.size()) context.buffer.resize(frame_size);
  return {};
}

Outcome<std::string_view> Link::on_other(const ServerFrame& frame, ReadContext& context) {
  if (frame.opcode >= 8) return on_control(frame);
  if (frame.opcode > 2 || (frame.opcode == 0) != (fragments_ != nullptr)) {
    return Failure(fmt::format("the server sent an unexpected frame: opcode {}", frame.opcode));
  }
  if (frame.fin && fragments_ == nullptr) return context.inflate.inflate(frame.payload);
  if (fragments_ == nullptr) {
    fragments_ = std::make_unique<Fragments>();
    fragments_->compressed = frame.rsv1;
  }
  fragments_->payload.append(frame.payload);
  if (fragments_->payload.size() > kFrameMax) return Failure("the server sent a message above 64 MiB");
  if (!frame.fin) return std::string_view{};
  context.joined = std::move(fragments_->payload);
  const bool compressed = fragments_->compressed;
  fragments_.reset();
  if (compressed) return context.inflate.inflate(context.joined);
  return context.joined;
}

Outcome<std::string_view> Link::on_control(const ServerFrame& frame) {
  constexpr std::uint8_t kClose = 0x8;
  constexpr std::uint8_t kPing = 0x9;
  if (frame.opcode == kPing) {
    std::string pong;
    append_client_frame(pong, Opcode::pong, frame.payload);
    if (auto sent = send(pong); !sent) return Failure(std::move(sent.error()));
  }
  if (frame.opcode != kClose) return std::string_view{};
  if (frame.payload.size() < 2) return Failure("the server closed the connection");
  const auto high = static_cast<unsigned char>(frame.payload[0]);
  const auto low = static_cast<unsigned char>(frame.payload[1]);
  return Failure(fmt::format("the server closed with {} {}", high * 256 + low, frame.payload.substr(2)));
}

}  // namespace hubbub::load
