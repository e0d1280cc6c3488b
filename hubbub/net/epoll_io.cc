#include "hubbub/net/epoll_io.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>

#include "hubbub/base/assert.h"

namespace hubbub {
namespace {

constexpr std::size_t kEventsPerWait = 1024;
constexpr std::uint64_t kWakeTag = std::numeric_limits<std::uint64_t>::max();
constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

int open_reserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

IoStatus status_of(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK) return IoStatus::would_block;
  if (error == EMFILE || error == ENFILE) return IoStatus::out_of_fds;
  return IoStatus::failed;
}

// That connection gave up while it waited, or its network failed (accept(2), "Error handling"): the next may
// be fine.
bool passing_accept_error(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

std::unexpected<Error> listen_error(const std::string& host, std::uint16_t port, const std::string& what) {
  return fail(Errc::internal_error, "cannot listen on " + host + ":" + std::to_string(port) + ": " + what);
}

std::string listen_failure(int error) {
  std::string what = std::strerror(error);
  if (error == EADDRINUSE) what += "; another program has it: stop that one, or choose another port";
  if (error == EADDRNOTAVAIL) what += "; no interface of this machine has that address";
  if (error == EACCES) what += "; ports below 1024 want CAP_NET_BIND_SERVICE";
  return what;
}

struct AddrInfoFree {
  void operator()(addrinfo* info) const { ::freeaddrinfo(info); }
};

std::string bound_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return Address::from(storage).text();
}

}  // namespace

EpollIo::EpollIo()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      reserve_(open_reserve()),
      raw_(kEventsPerWait) {
  HUBBUB_ASSERT(epoll_ >= 0 && wake_ >= 0);
  events_.reserve(kEventsPerWait);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kWakeTag;
  HUBBUB_ASSERT(::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0);
}

EpollIo::~EpollIo() {
  for (const int fd : {epoll_, wake_, reserve_})
    if (fd >= 0) ::close(fd);
}

std::span<const IoEvent> EpollIo::wait(Millis timeout) {
  const int limit =
      timeout < 0 ? -1 : static_cast<int>(std::min<Millis>(timeout, std::numeric_limits<int>::max()));
  const int count = ::epoll_wait(epoll_, raw_.data(), static_cast<int>(raw_.size()), limit);
  events_.clear();
  for (int i = 0; i < count; ++i) {
    const epoll_event& raw = raw_[static_cast<std::size_t>(i)];
    // The counter of an edge-triggered eventfd need not be read: each write is an edge.
    if (raw.data.u64 == kWakeTag) continue;
    const bool ended = (raw.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    events_.push_back(
        {raw.data.u64, ended || (raw.events & EPOLLIN) != 0, (raw.events & EPOLLOUT) != 0, ended});
  }
  return events_;
}

void EpollIo::wake() {
  const std::uint64_t one = 1;
  // Fails only when the counter is about to overflow, and then the edge has long been seen.
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

Result<Listening> EpollIo::listen(const std::string& host, std::uint16_t port, bool shared) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0)
    return listen_error(host, port, ::gai_strerror(error));
  const std::unique_ptr<addrinfo, AddrInfoFree> info(found);
  const int fd = ::socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return listen_error(host, port, std::strerror(errno));
  const int one = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  // Writes are whole turns already: waiting for more would only add delay. Accepted sockets inherit it
  // (tcp(7)).
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (shared) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
  if (::bind(fd, info->ai_addr, info->ai_addrlen) != 0 || ::listen(fd, kBacklog) != 0) {
    const int error = errno;
    ::close(fd);
    return listen_error(host, port, listen_failure(error));
  }
  return Listening{fd, bound_address(fd)};
}

AcceptResult EpollIo::accept(Socket listener) {
  for (;;) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    const int fd =
        ::accept4(listener, reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      return {IoStatus::ok, fd, Address::from(storage)};
    }
    if (passing_accept_error(errno)) continue;
    const IoStatus status = status_of(errno);
    return {status == IoStatus::out_of_fds ? shed_one(listener) : status, kNoSocket, {}};
  }
}

// The kernel says EMFILE before it looks whether anybody waits; with the reserve given up, one more accept
// tells.
IoStatus EpollIo::shed_one(Socket listener) {
  if (reserve_ < 0) reserve_ = open_reserve();
  if (reserve_ < 0) return IoStatus::fds_taken;
  ::close(reserve_);
  const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  const bool taken = fd < 0 && status_of(errno) == IoStatus::out_of_fds;
  if (fd >= 0) ::close(fd);
  reserve_ = open_reserve();
  if (taken) return IoStatus::fds_taken;
  return fd >= 0 ? IoStatus::out_of_fds : IoStatus::would_block;
}

bool EpollIo::watch(Socket socket, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = tag;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0;
}

ReadResult EpollIo::read(Socket socket, std::span<char> buffer) {
  for (;;) {
    const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got > 0) return {IoStatus::ok, static_cast<std::size_t>(got)};
    if (got == 0) return {IoStatus::eof};
    if (errno != EINTR) return {status_of(errno)};
  }
}

void EpollIo::write(std::span<WriteOp> ops) {
  for (WriteOp& op : ops) {
    ssize_t sent;
    do {
      if (op.parts.size() == 1) {
        sent = ::send(op.socket, op.parts[0].iov_base, op.parts[0].iov_len, MSG_NOSIGNAL);
      } else {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(op.parts.data());
        message.msg_iovlen = op.parts.size();
        sent = ::sendmsg(op.socket, &message, MSG_NOSIGNAL);
      }
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
      op.status = status_of(errno);
      continue;
    }
    op.written = static_cast<std::size_t>(sent);
    std::size_t wanted = 0;
    for (const iovec& part : op.parts) wanted += part.iov_len;
    op.status = op.written == wanted ? IoStatus::ok : IoStatus::would_block;
  }
}

void EpollIo::unwatch(Socket socket) { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr); }

void EpollIo::shutdown_write(Socket socket) { ::shutdown(socket, SHUT_WR); }

void EpollIo::close(Socket socket) { ::close(socket); }

}  // namespace hubbub
