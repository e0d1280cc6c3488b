// Link and Endpoint: the two faces between a connection (net/, dies with its socket) and what it serves
// (core/: a session's channel, or the echo tool). Link is what core sees of a connection; Endpoint is what a
// connection sees of core. Both live on one shard's thread. Neither is ever destroyed inside a call of the
// other: a connection that ends is reaped at the end of the turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "hubbub/base/clock.h"
#include "hubbub/base/frame.h"
#include "hubbub/core/node.h"

namespace hubbub {

class Dispatcher;
class Endpoint;
class Outbox;

// Makes what serves a connection on the shard it was moved to, out of that shard's parts.
using EndpointMaker = std::move_only_function<std::unique_ptr<Endpoint>(Dispatcher* there)>;

// What to do with messages still unsent when a connection is closed.
enum class CloseMode : std::uint8_t {
  after_outbox,  // the client gets them first (bounded by limits.close_deadline)
  now,           // finish the frame that is half on the wire, then the Close frame
};

class Link {
 public:
  virtual ~Link() = default;
  // The outbox has unsent messages: write them at the end of this turn.
  virtual void wake() = 0;
  // Writes now what the socket takes; true if anything was taken. For an outbox that is about to burst.
  virtual bool flush_now() = 0;
  // Sends a frame that is not counted, ahead of the outbox at the next frame boundary.
  virtual void send_uncounted(FrameRef frame) = 0;
  // Starts the closing handshake (RFC 6455 section 7.1.2); later calls do nothing. `reason` is cut to what
  // fits. `farewell`, if set, is an uncounted message sent right before the Close frame, whose reason can get
  // lost.
  virtual void close(std::uint16_t code, std::string_view reason, CloseMode mode, FrameRef farewell) = 0;
  // The endpoint is about to change or lose its outbox: what of it is half on the wire stays with the
  // connection.
  virtual void release_outbox() = 0;
  // Its session goes on at another connection: tells the endpoint (on_superseded) and closes with 4512.
  virtual void supersede() = 0;
  // Goes on at another shard, with the endpoint made there; this one's is told that the connection is gone at
  // the end of the turn. Not to be called while the endpoint is given input.
  virtual void move_to(ShardId shard, EndpointMaker make_endpoint) = 0;
  // When the last byte came from the client.
  [[nodiscard]] virtual Millis last_input_at() const = 0;
  // "127.0.0.1:5555", for logs.
  [[nodiscard]] virtual std::string remote() const = 0;
  // Rises from one opened WebSocket to the next.
  [[nodiscard]] virtual std::uint64_t connection_id() const = 0;
};

class Endpoint {
 public:
  virtual ~Endpoint() = default;
  // The handshake's answer is queued: the endpoint may send.
  virtual void on_open(Link& link) = 0;
  // A whole message; for text: valid UTF-8 with wire::kReadPadding readable bytes behind it. The view dies on
  // return.
  virtual void on_text(std::string_view text) = 0;
  virtual void on_binary(std::string_view bytes) = 0;
  // The socket took no byte for limits.write_stall although there was something to write.
  virtual void on_stalled() = 0;
  // The connection began to close, whichever side wanted it: what is sent from now on does not arrive.
  virtual void on_closing() = 0;
  // The session was resumed at another connection: it is not this endpoint's any more.
  virtual void on_superseded() = 0;
  // The connection is gone; `link` must not be used any more. Called once.
  virtual void on_gone() = 0;
  // The message that tells the client why the connection itself closes it (a Close frame's reason can get
  // lost); null: none. `retry_after_ms` < 0: not said.
  [[nodiscard]] virtual FrameRef farewell(std::uint16_t code, std::string_view reason,
                                          std::int64_t retry_after_ms) = 0;
  // Whom it serves, for the log: a session's code, or "".
  [[nodiscard]] virtual std::string label() const { return {}; }
  // Messages to write, or nullptr while there is no session. Asked again at each flush.
  [[nodiscard]] virtual Outbox* outbox() = 0;
  // The next `count` frames of the outbox were written whole (the endpoint marks them sent).
  virtual void on_sent(std::size_t count) = 0;
  // False while the client must first read what it was answered: the connection stops reading it.
  [[nodiscard]] virtual bool accepts_input() const = 0;
};

}  // namespace hubbub
