// Parcel: a connection on its way from the shard that accepted it to the one that owns its session. It holds
// all of the connection that the wire knows of: unread input, half-written output, codec state. Whoever drops
// a parcel that was not unpacked closes its socket.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "hubbub/core/link.h"
#include "hubbub/net/io.h"
#include "hubbub/net/message_coder.h"
#include "hubbub/net/write_queue.h"
#include "hubbub/wire/ws_decoder.h"

namespace hubbub {

// A socket that has an owner; closed with it.
class OwnedSocket {
 public:
  OwnedSocket(Io& io, Socket socket) : io_(&io), socket_(socket) {}
  OwnedSocket(OwnedSocket&& other) noexcept
      : io_(other.io_), socket_(std::exchange(other.socket_, kNoSocket)) {}
  OwnedSocket& operator=(OwnedSocket&&) = delete;
  ~OwnedSocket() {
    if (socket_ != kNoSocket) io_->close(socket_);
  }
  [[nodiscard]] Socket get() const { return socket_; }
  [[nodiscard]] Socket release() { return std::exchange(socket_, kNoSocket); }

 private:
  Io* io_;
  Socket socket_;
};

struct Parcel {
  OwnedSocket socket;
  Address peer;
  std::unique_ptr<Address> proxy;  // see Connection::tcp_peer()
  std::string input;               // read and not used yet; a connection in its head: all of the request
  // An open WebSocket.
  struct Open {
    std::uint64_t id;
    wire::Decoder decoder;
    std::unique_ptr<MessageCoder> coder;
    WriteQueue queue;
    EndpointMaker make_endpoint;
    Millis opened_at;
    std::uint64_t bytes_in, bytes_out, messages_in, messages_out;
  };
  std::optional<Open> open = std::nullopt;
};

}  // namespace hubbub
