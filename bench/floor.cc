// bench_floor: the least a WebSocket server can do, as the yardstick for hubbub. One thread, epoll, recv,
// send; no checks of any kind, no limits, no sessions, no queue accounting. What it costs per message on a
// machine is what the kernel's TCP costs there; what a real server costs beyond that is its own. Never expose
// it to a network.
//
// echo:   each frame's payload goes back; all replies of one read leave in one send.
// fanout: "sub" makes a connection a subscriber (answered "ok"); a message beginning with 'p' goes to every
//         subscriber. Publications of one turn are encoded once into one buffer: one send per subscriber and
//         turn.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

enum class Mode : std::uint8_t { echo, fanout };

struct Peer {
  int fd = -1;
  bool upgraded = false;
  bool subscribed = false;
  std::string rest;    // received, not yet a whole frame
  std::string unsent;  // what the socket did not take
};

// Sec-WebSocket-Accept (RFC 6455 section 4.2.2) of the key in `head`.
std::string accept_value(std::string_view head) {
  constexpr std::string_view kName = "Sec-WebSocket-Key: ";
  const auto at = head.find(kName);
  if (at == std::string_view::npos) return {};
  std::string text(head.substr(at + kName.size(), 24));
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::array<unsigned char, 32> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(length)};
}

void append_frame(std::string& out, std::string_view payload) {
  const std::size_t size = payload.size();
  out.push_back('\x81');
  if (size < 126) {
    out.push_back(static_cast<char>(size));
  } else if (size < 65536) {
    out.push_back(126);
    out.push_back(static_cast<char>(size >> 8));
    out.push_back(static_cast<char>(size & 0xFF));
  } else {
    out.push_back(127);
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>((size >> shift) & 0xFF));
  }
  out.append(payload);
}

void unmask(char* data, std::size_t size, const char* mask) {
  std::uint32_t word = 0;
  std::memcpy(&word, mask, sizeof word);
  const std::uint64_t wide = (static_cast<std::uint64_t>(word) << 32) | word;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t block = 0;
    std::memcpy(&block, data + i, 8);
    block ^= wide;
    std::memcpy(data + i, &block, 8);
  }
  for (; i < size; ++i) data[i] = static_cast<char>(data[i] ^ mask[i & 3]);
}

struct ClientFrame {
  std::size_t size = 0;  // whole frame; 0: incomplete
  bool close = false;
  std::string_view payload;
};

ClientFrame take_frame(char* data, std::size_t size) {
  if (size < 6) return {};
  const auto byte = [data](std::size_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(data[i]));
  };
  std::uint64_t length = byte(1) & 0x7F;
  std::size_t header = 6;
  if (length == 126) {
    length = (byte(2) << 8) | byte(3);
    header = 8;
  } else if (length == 127) {
    if (size < 14) return {};
    length = 0;
    for (std::size_t i = 2; i < 10; ++i) length = (length << 8) | byte(i);
    header = 14;
  }
  if (size < header || size - header < length) return {};
  unmask(data + header, length, data + header - 4);
  return {header + length, (data[0] & 0x0F) == 0x8, {data + header, length}};
}

class Floor {
 public:
  explicit Floor(Mode mode) : mode_(mode), in_(kReadBytes) {}

  // Listens on 127.0.0.1; returns the port, 0 on failure.
  std::uint16_t listen(std::uint16_t port) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, sizeof address) != 0 || ::listen(listener_, SOMAXCONN) != 0) return 0;
    socklen_t size = sizeof address;
    ::getsockname(listener_, any, &size);
    watch(EPOLL_CTL_ADD, listener_, nullptr, EPOLLIN);
    return ntohs(address.sin_port);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 1024> events{};
    for (;;) {
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) on_event(events[static_cast<std::size_t>(i)]);
      end_of_turn();
    }
  }

 private:
  static constexpr std::size_t kReadBytes = 256 * 1024;

  void on_event(const epoll_event& event) {
    auto* peer = static_cast<Peer*>(event.data.ptr);
    if (peer == nullptr) return on_acceptable();
    if ((event.events & EPOLLOUT) != 0) send_to(*peer, {});
    if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) on_readable(*peer);
  }

  void on_acceptable() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const auto slot = static_cast<std::size_t>(fd);
      if (peers_.size() <= slot) peers_.resize(slot + 1);
      peers_[slot] = std::make_unique<Peer>();
      peers_[slot]->fd = fd;
      watch(EPOLL_CTL_ADD, fd, peers_[slot].get(), EPOLLIN);
    }
  }

  void on_readable(Peer& peer) {
    const std::size_t held = peer.rest.size();
    if (held >= in_.size()) return close(peer);
    std::memcpy(in_.data(), peer.rest.data(), held);
    const ssize_t got = ::recv(peer.fd, in_.data() + held, in_.size() - held, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return close(peer);
    const std::size_t size = held + static_cast<std::size_t>(got);
    std::size_t used = peer.upgraded ? 0 : upgrade(peer, {in_.data(), size});
    if (peer.upgraded) {
      out_.clear();
      for (;;) {
        const ClientFrame frame = take_frame(in_.data() + used, size - used);
        if (frame.size == 0) break;
        if (frame.close) return close(peer);
        on_message(peer, frame.payload);
        used += frame.size;
      }
      if (!out_.empty()) send_to(peer, out_);
    }
    peer.rest.assign(in_.data() + used, size - used);
  }

  // Answers a complete head and returns its length; 0: incomplete.
  std::size_t upgrade(Peer& peer, std::string_view text) {
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    send_to(peer,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: " +
                accept_value(text) + "\r\n\r\n");
    peer.upgraded = true;
    return end + 4;
  }

  void on_message(Peer& peer, std::string_view payload) {
    if (mode_ == Mode::echo) {
      append_frame(out_, payload);
    } else if (payload == "sub") {
      if (!peer.subscribed) subscribers_.push_back(&peer);
      peer.subscribed = true;
      append_frame(out_, "ok");
    } else if (payload.starts_with('p')) {
      append_frame(published_, payload);
    }
  }

  void end_of_turn() {
    if (published_.empty()) return;
    for (Peer* subscriber : subscribers_) send_to(*subscriber, published_);
    published_.clear();
  }

  // Sends what waited and then `bytes`; keeps what the socket does not take. A dead peer shows when it is
  // read.
  void send_to(Peer& peer, std::string_view bytes) {
    const bool waited = !peer.unsent.empty();
    if (waited) bytes = peer.unsent.append(bytes);
    const ssize_t got = ::send(peer.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    const std::size_t sent = got > 0 ? static_cast<std::size_t>(got) : 0;
    if (waited) {
      peer.unsent.erase(0, sent);
    } else if (sent < bytes.size()) {
      peer.unsent.assign(bytes.substr(sent));
    }
    const bool waits = !peer.unsent.empty();
    if (waits != waited) watch(EPOLL_CTL_MOD, peer.fd, &peer, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void close(Peer& peer) {
    if (peer.subscribed) std::erase(subscribers_, &peer);
    const int fd = peer.fd;
    ::close(fd);
    peers_[static_cast<std::size_t>(fd)].reset();
  }

  void watch(int operation, int fd, Peer* peer, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.ptr = peer;
    ::epoll_ctl(epoll_, operation, fd, &event);
  }

  Mode mode_;
  int epoll_ = -1;
  int listener_ = -1;
  std::vector<char> in_;
  std::string out_;                           // replies of the read being handled
  std::string published_;                     // publications of this turn
  std::vector<std::unique_ptr<Peer>> peers_;  // by descriptor
  std::vector<Peer*> subscribers_;
};

int usage() {
  std::fputs(
      "usage: bench_floor [--port N] [--mode echo|fanout]\n"
      "Listens on 127.0.0.1 (port 0: any free one) and prints \"listening PORT\".\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  Mode mode = Mode::echo;
  std::uint16_t port = 0;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view flag = argv[i];
    const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
    if (flag == "--port" && !value.empty()) {
      port = static_cast<std::uint16_t>(std::strtoul(argv[i + 1], nullptr, 10));
    } else if (flag == "--mode" && (value == "echo" || value == "fanout")) {
      mode = value == "echo" ? Mode::echo : Mode::fanout;
    } else {
      return usage();
    }
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  Floor floor(mode);
  const std::uint16_t bound = floor.listen(port);
  if (bound == 0) {
    std::fprintf(stderr, "bench_floor: cannot listen on 127.0.0.1:%u: %s\n", port, std::strerror(errno));
    return 1;
  }
  std::printf("listening %u\n", bound);
  std::fflush(stdout);
  floor.run();
}
