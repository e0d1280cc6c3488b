// SimPeer: one connection of a model client, with the network between: what the client wrote travels in
// pieces, what the server wrote is read in pieces, and a cut loses what is on its way in either direction.
// Speaks HTTP/1.1's upgrade and WebSocket frames; knows nothing of sessions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hubbub/base/rng.h"
#include "hubbub/wire/ws_codec.h"
#include "tests/sim/sharded_world.h"

namespace hubbub::sim {

// How a connection ends without a Close frame.
enum class Cut : std::uint8_t {
  reset,   // the server is told at once
  fin,     // the server reads an end
  silent,  // nobody is told: the network is gone
};

class SimPeer {
 public:
  SimPeer(ShardedWorld& world, Rng& rng);

  // Queues the upgrade request; a session's code, if any, goes into its URL.
  void upgrade(bool subprotocol, std::string_view session = {});
  // Queues a text message, now and then in fragments.
  void text(std::string_view payload);
  void frame(wire::Opcode opcode, std::string_view payload);
  void raw(std::string_view bytes) { out_ += bytes; }

  // Lets up to `bytes` of what is queued arrive at the server.
  void pump_out(std::size_t bytes);
  // Reads up to `bytes` of what the server wrote. The frames are there for next() then.
  void pump_in(std::size_t bytes);

  struct Frame {
    wire::Opcode opcode;
    std::string payload;
  };
  // The next whole frame from the server. Throws Violation for bytes a server must not send.
  [[nodiscard]] std::optional<Frame> next();

  void cut(Cut kind);
  // The client's own end of sending; it reads on.
  void half_close();
  [[nodiscard]] bool is_cut() const { return cut_; }
  // Nothing more will come: the server ended the connection and all it wrote was read.
  [[nodiscard]] bool ended() const;
  [[nodiscard]] bool upgraded() const { return status_ == 101; }
  [[nodiscard]] int status() const { return status_; }  // of the HTTP response; 0: none yet
  [[nodiscard]] bool idle() const { return out_.empty(); }
  // The server has let go of the socket.
  [[nodiscard]] bool gone() const { return socket_->server_closed; }
  // Half a server's frame was read.
  [[nodiscard]] bool mid_frame() const { return !in_.empty(); }
  // Bytes that were given to the network since the connection began.
  [[nodiscard]] std::uint64_t written() const { return written_; }
  [[nodiscard]] SimSocket& socket() { return *socket_; }

 private:
  void read_head();

  ShardedWorld& world_;
  Rng& rng_;
  SimIo::SocketRef socket_;
  std::string out_;  // written by the client, not at the server
  std::string in_;   // read, not parsed
  int status_ = 0;
  bool cut_ = false;
  bool ended_ = false;  // half_close() was called; FIN follows what is queued
  bool fin_sent_ = false;
  bool closed_ = false;  // the server's Close frame came
  std::uint64_t written_ = 0;
};

}  // namespace hubbub::sim
