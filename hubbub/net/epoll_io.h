// EpollIo: Io on Linux: edge-triggered epoll, recv, send/sendmsg. io_uring was measured against it
// (docs/adr/0002): the TCP stack is the cost, not the system call.
#pragma once

#include <vector>

#include "hubbub/net/io.h"

struct epoll_event;

namespace hubbub {

class EpollIo final : public Io {
 public:
  // Aborts if the kernel gives no epoll instance: nothing works without one.
  EpollIo();
  ~EpollIo() override;
  EpollIo(const EpollIo&) = delete;
  EpollIo& operator=(const EpollIo&) = delete;

  std::span<const IoEvent> wait(Millis timeout) override;
  void wake() override;
  Result<Listening> listen(const std::string& host, std::uint16_t port, bool shared) override;
  AcceptResult accept(Socket listener) override;
  bool watch(Socket socket, std::uint64_t tag) override;
  ReadResult read(Socket socket, std::span<char> buffer) override;
  void write(std::span<WriteOp> ops) override;
  void unwatch(Socket socket) override;
  void shutdown_write(Socket socket) override;
  void close(Socket socket) override;

 private:
  // Drops the connection that waits longest: out_of_fds; nobody waits: would_block; somebody else
  // took the reserve: fds_taken.
  IoStatus shed_one(Socket listener);

  int epoll_ = -1;
  int wake_ = -1;     // eventfd
  int reserve_ = -1;  // given up for a moment when descriptors run out
  std::vector<epoll_event> raw_;
  std::vector<IoEvent> events_;
};

}  // namespace hubbub
