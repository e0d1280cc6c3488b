// Io: the only way to a socket. Production is EpollIo; the simulator brings another. A shard's turn is: wait,
// read, think, one batch of writes, reap.
//
// Readiness is told once (edge): after `readable`, read until less than asked for came back, would_block or
// eof; after would_block from write, `writable` follows. All but wake() are for the shard's thread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "hubbub/base/clock.h"
#include "hubbub/base/error.h"
#include "hubbub/net/address.h"

namespace hubbub {

// Names an open socket or listener; a file descriptor in production. kNoSocket is none.
using Socket = int;
inline constexpr Socket kNoSocket = -1;

enum class IoStatus : std::uint8_t {
  ok,
  would_block,
  eof,         // the peer will send nothing more
  failed,      // reset or another error: the socket is of no use
  out_of_fds,  // accept: EMFILE or ENFILE; the waiting connection was dropped, so that the backlog moves
  fds_taken,   // accept: as before, and nothing could be dropped; no event will tell: ask again later
};

struct IoEvent {
  std::uint64_t tag = 0;  // what watch() was given
  bool readable = false;
  bool writable = false;
  bool ended = false;  // the peer closed or reset: read on to see which
};

struct ReadResult {
  IoStatus status;
  std::size_t bytes = 0;
};

// One connection's part of a turn's writes: `parts` in, `written` and `status` out.
struct WriteOp {
  Socket socket;
  std::span<const iovec> parts;
  std::size_t written = 0;
  IoStatus status = IoStatus::ok;  // ok: all written; would_block: the rest must wait
};

struct AcceptResult {
  IoStatus status;
  Socket socket = kNoSocket;
  Address peer;
};

struct Listening {
  Socket socket;
  std::string address;  // as bound: "127.0.0.1:43210"
};

class Io {
 public:
  virtual ~Io() = default;

  // Sleeps until something happens, at most `timeout` ms (-1: for ever). The events die with the next call.
  virtual std::span<const IoEvent> wait(Millis timeout) = 0;
  // Makes the current or next wait() return. Any thread.
  virtual void wake() = 0;

  // "127.0.0.1", "::1", "0.0.0.0" or a name; port 0: any free one. `shared`: others may listen at the same
  // address, and connections are spread over all who do. The error's detail is for people.
  [[nodiscard]] virtual Result<Listening> listen(const std::string& host, std::uint16_t port,
                                                 bool shared) = 0;
  [[nodiscard]] virtual AcceptResult accept(Socket listener) = 0;
  // From now on events of this socket carry `tag`; once a socket.
  virtual bool watch(Socket socket, std::uint64_t tag) = 0;
  [[nodiscard]] virtual ReadResult read(Socket socket, std::span<char> buffer) = 0;
  // A whole turn's writes, one op a connection.
  virtual void write(std::span<WriteOp> ops) = 0;
  // No events of this socket any more: another Io may watch it.
  virtual void unwatch(Socket socket) = 0;
  // Sends FIN; reading goes on.
  virtual void shutdown_write(Socket socket) = 0;
  virtual void close(Socket socket) = 0;
};

}  // namespace hubbub
