// Session: one client's identity, subscriptions and outbox. It outlives its connection: attached to a Link,
// detached for its grace time after a cut, ended after that or by session.close. While nobody is attached its
// outbox is a mailbox, bounded by replay.*. Policy about clients lives here, not in the connection.
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
#include "hubbub/base/held_memory.h"
#include "hubbub/base/slab.h"
#include "hubbub/base/timer_wheel.h"
#include "hubbub/base/token_bucket.h"
#include "hubbub/core/env.h"
#include "hubbub/core/link.h"
#include "hubbub/core/outbox.h"
#include "hubbub/core/session_code.h"
#include "hubbub/core/session_tokens.h"

namespace hubbub {

class Hub;
class Topic;
struct PendingCall;

enum class SessionState : std::uint8_t { attached, detached, ended };

// What became of a message pushed to a session.
enum class PushStatus : std::uint8_t {
  queued,  // in the outbox, will be written this turn if the socket takes it
  stored,  // in the mailbox, until the client comes back
  lost,    // there was no room: its place is announced as missing when the client comes back
  full,    // Lane::direct only: the mailbox has no room; nothing was counted
  ended,   // the session has ended
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
    std::string data;   // JSON text the client gave in session.open; "" if none
  };

  // A side acknowledges after this many messages, or this long after the first (docs/protocol.md).
  static constexpr std::uint64_t kAckMessages = 64;
  static constexpr Millis kAckDelayMs = 1000;
  // How long the token before a resume stays good when the client lives and says nothing.
  static constexpr Millis kPreviousTokenMs = 30'000;
  // Numbers a mailbox remembers beyond the messages it keeps, in replay.messages: what was let go of them may
  // be had back from topics' histories. As many times more while an answer or a direct message is the oldest.
  static constexpr std::uint64_t kPlacesFactor = 8;

  Session(Hub& hub, const Env& env, Identity identity, const Sha256& token_hash);

  [[nodiscard]] const Identity& identity() const { return identity_; }
  [[nodiscard]] SessionCode code() const { return identity_.code; }
  [[nodiscard]] SessionState state() const { return state_; }
  [[nodiscard]] Link* link() const { return link_; }
  [[nodiscard]] Handle<Session> handle() const { return handle_; }
  [[nodiscard]] Outbox& outbox() { return outbox_; }
  [[nodiscard]] const Outbox& outbox() const { return outbox_; }
  [[nodiscard]] const std::vector<Subscription>& subscriptions() const { return subscriptions_; }
  // Messages received from the client since the epoch began.
  [[nodiscard]] std::uint64_t received() const { return received_; }
  // A counted message came.
  void count_received();
  // session.ack {received}: the client has that many of our messages. False if it claims more than it was
  // sent; nothing happens then.
  [[nodiscard]] bool on_ack(std::uint64_t received);
  // From now on the client is told what was received (session.ack).
  void tell_acks();

  // Queues one counted message, for the connection or, while there is none, in the mailbox. Shares the frame.
  PushStatus push(FrameRef frame, Lane lane = Lane::message);
  // Queues the answer to the client's own call: never a reason to close; the client is not read from until it
  // has drained (see accepts_input).
  void push_reply(FrameRef frame);
  // `count` messages for it are lost, for a reason that is not its client's: they leave holes, and the
  // connection is closed, so that the client comes back and is told.
  void lose(std::uint64_t count, std::string_view reason);
  // The next `count` frames from outbox().sent() on are on the wire.
  void on_sent(std::size_t count);
  // Loads what push() will touch, for fan-out: first the session, some sessions later the place in its ring.
  void prefetch() const {
    constexpr std::size_t kLine = 64;
    const char* hot = reinterpret_cast<const char*>(&link_);
    __builtin_prefetch(hot, 1);
    __builtin_prefetch(hot + kLine, 1);
    __builtin_prefetch(hot + 2 * kLine - 1, 1);
  }
  void prefetch_place() const { outbox_.prefetch_tail(); }
  // The socket took nothing for limits.write_stall.
  void on_stalled();
  // The connection is closing, whoever began it: what is pushed from now on waits for the next one.
  void on_link_closing();
  // False while the client has more than outbox.soft_bytes of answers to read, or as many calls under way
  // between shards as it may have in flight.
  [[nodiscard]] bool accepts_input() const {
    return outbox_.unsent_reply_bytes() <= env_.limits.outbox_soft_bytes &&
           calls_within < env_.limits.calls_in_flight;
  }

  // Takes one message of the rate allowance; otherwise `retry_after_ms` says when the next is there.
  [[nodiscard]] bool take_rate(Millis& retry_after_ms);
  // Deferred calls that have no answer yet, and how many of them wait for the hub itself
  // (Call::defer_within).
  std::vector<Handle<PendingCall>> calls;
  std::uint32_t calls_within = 0;

  // Closes the connection (if any) with a message session.closing first, because a close frame's reason can
  // be lost.
  void close_link(std::uint16_t code, std::string_view reason, CloseMode mode, Millis retry_after_ms = -1);

  // Lets go of all that waits in the ring, to keep the memory budget; the client is told what is missing when
  // it comes back. A connection that is there is closed with 1013, without what it has not taken.
  void give_up_queue();

  void check_invariants() const;

 private:
  friend class Hub;     // attach, detach and end are the hub's decisions
  friend class Topics;  // keeps both ends of subscriptions_ in step

  void attach(Link& link);
  void detach();
  // Whether the token `presented` (its hash) opens this session now. A token that was good before, on a
  // `connection` older than the one the client came back on, opens nothing and accuses nobody: it was late.
  [[nodiscard]] TokenMatch match_token(const Sha256& presented, std::uint64_t connection) const;

  // What others sent it since it came back and it has not taken: its own replies do not count, nor does what
  // is replayed.
  [[nodiscard]] std::size_t backlog_bytes() const {
    return outbox_.unsent_bytes() - outbox_.unsent_reply_bytes() - replay_bytes_;
  }
  [[nodiscard]] std::uint64_t backlog_messages() const {
    return outbox_.unsent() - outbox_.unsent_replies() - replay_messages_;
  }
  [[nodiscard]] bool outbox_full() const {
    return backlog_bytes() >= env_.limits.outbox_hard_bytes ||
           backlog_messages() >= env_.limits.outbox_messages;
  }
  void queue(FrameRef frame, Lane lane);
  [[nodiscard]] PushStatus push_to_full(FrameRef frame, Lane lane);
  void note_replayed(std::size_t& count);
  PushStatus store(const FrameRef& frame, Lane lane);
  // Whether the mailbox takes one more of `bytes`; with 0: whether it is within its bounds.
  [[nodiscard]] bool mailbox_has_room(std::size_t bytes) const;
  // Lets go of the oldest that may go until `bytes` more fit; false if they do not.
  [[nodiscard]] bool make_room(std::size_t bytes);
  void fit_mailbox();
  void bound_places();
  void bound_kept();
  void let_go_older();
  [[nodiscard]] bool replays() const {
    return env_.limits.replay_messages > 0 && env_.limits.replay_bytes > 0 && env_.limits.replay_age_ms > 0;
  }
  void note_unacknowledged();
  void send_ack();
  void wake_at(Millis deadline);
  void wake_for_age();
  void on_timer();
  void on_attached_timer();

  // What every push and every write touches stands together.
  Link* link_ = nullptr;
  const Env& env_;
  std::uint64_t replay_end_ = 0;       // messages before this are replayed
  std::uint64_t replay_messages_ = 0;  // of those, not written yet
  std::size_t replay_bytes_ = 0;       // likewise; without replies, like backlog_bytes()
  Millis soft_at_ = 0;  // when being over outbox.soft_bytes has lasted too long; 0: it is not over
  SessionState state_ = SessionState::attached;
  bool link_closing_ = false;
  bool tells_acks_ = false;
  Outbox outbox_;

  Hub& hub_;
  Identity identity_;
  HeldBytes data_held_;  // identity_.data's
  SessionTokens tokens_;
  Handle<Session> handle_;
  std::vector<Subscription> subscriptions_;
  std::uint64_t connection_ = 0;  // id of the current or last one; they rise
  std::uint64_t received_ = 0;
  std::uint64_t received_told_ = 0;  // what the client knows of received_
  TokenBucket rate_;
  Millis attached_at_ = 0;    // the current or last connection
  Millis last_input_at_ = 0;  // of the last connection, once it is gone
  Millis ack_at_ = 0;         // when to tell what was received; 0: nothing to tell
  Millis ends_at_ = 0;        // detached: end of its grace time
  Timer timer_;               // the soonest of these, or of what is too old in the ring
};

}  // namespace hubbub
