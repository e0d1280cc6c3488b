// Session: one client's identity, subscriptions and outbox. It outlives its connection: attached to a Link,
// detached for its grace time after a cut, ended after that or by session.close. Policy about clients lives
// here, not in the connection.
//
// Invariants: attached <=> link() is set; an ended session is in no index and in no topic; outbox bounds hold
// after every push. One thread (its shard's). Owned by the Hub's slab; freed when it has ended and its
// connection is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hubbub/base/hash.h"
#include "hubbub/base/slab.h"
#include "hubbub/base/timer_wheel.h"
#include "hubbub/base/token_bucket.h"
#include "hubbub/core/env.h"
#include "hubbub/core/link.h"
#include "hubbub/core/outbox.h"
#include "hubbub/core/session_code.h"

namespace hubbub {

class Hub;
class Topic;
struct PendingCall;

enum class SessionState : std::uint8_t { attached, detached, ended };

// What became of a message pushed to a session.
enum class PushStatus : std::uint8_t {
  queued,    // in the outbox, will be written this turn if the socket takes it
  detached,  // nobody is attached (or the connection is closing)
  slow,      // the outbox is full: the connection is being closed with 4008
};

class Session {
 public:
  struct Subscription {
    Topic* topic;
    std::uint32_t index;  // of this session in topic->subscribers()
  };
  struct Identity {
    SessionCode code;
    std::string epoch;  // base64url of 64 random bits
    Sha256 token_hash;  // of the token's base64url text; the token itself is never kept
    std::string data;   // JSON text the client gave in session.open; "" if none
  };

  Session(Hub& hub, const Env& env, Identity identity);

  [[nodiscard]] const Identity& identity() const { return identity_; }
  [[nodiscard]] SessionCode code() const { return identity_.code; }
  [[nodiscard]] SessionState state() const { return state_; }
  [[nodiscard]] Link* link() const { return link_; }
  [[nodiscard]] Handle<Session> handle() const { return handle_; }
  [[nodiscard]] Outbox& outbox() { return outbox_; }
  [[nodiscard]] const std::vector<Subscription>& subscriptions() const { return subscriptions_; }
  // Messages received from the client since the epoch began.
  [[nodiscard]] std::uint64_t received() const { return received_; }
  void count_received() { ++received_; }

  // Queues one counted message. Shares the frame.
  PushStatus push(const FrameRef& frame);
  // Queues the answer to the client's own call: never dropped, never a reason to close; the client is not
  // read from until it has drained (see accepts_input). Nothing happens if nobody is attached.
  void push_reply(FrameRef frame);
  // The frame at outbox().sent() is on the wire.
  void on_sent();
  // The socket took nothing for limits.write_stall.
  void on_stalled();
  // The connection is closing, whoever began it: nothing more can be delivered.
  void on_link_closing();
  // False while the client has more than outbox.soft_bytes of answers to read.
  [[nodiscard]] bool accepts_input() const {
    return outbox_.unsent_reply_bytes() <= env_.limits.outbox_soft_bytes;
  }

  // Takes one message of the rate allowance; otherwise `retry_after_ms` says when the next is there.
  [[nodiscard]] bool take_rate(Millis& retry_after_ms);
  // Deferred calls that have no answer yet.
  std::vector<Handle<PendingCall>> calls;

  // Closes the connection (if any) with a message session.closing first, because a close frame's reason can
  // be lost.
  void close_link(std::uint16_t code, std::string_view reason, CloseMode mode, Millis retry_after_ms = -1);

  void check_invariants() const;

 private:
  friend class Hub;  // attach, detach and end are the hub's decisions
  // Unsent bytes that others sent it; its own replies do not count.
  [[nodiscard]] std::size_t backlog_bytes() const;
  [[nodiscard]] bool outbox_full() const;
  void on_timer();

  Hub& hub_;
  const Env& env_;
  Identity identity_;
  Handle<Session> handle_;
  SessionState state_ = SessionState::attached;
  bool link_closing_ = false;
  Link* link_ = nullptr;
  Outbox outbox_;
  std::vector<Subscription> subscriptions_;
  std::uint64_t received_ = 0;
  TokenBucket rate_;
  // Attached: the outbox is over its soft bound. Detached: grace time.
  Timer timer_;
};

}  // namespace hubbub
