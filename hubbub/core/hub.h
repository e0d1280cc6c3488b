// Hub: a shard's sessions and its topics (core/topics.h), and everything that happens between them. Sockets,
// clock and randomness come in through Link and Env, so the production hub runs unmodified in simulation.
//
// Invariants (check_invariants): every attached or detached session is in the index under its code and no
// ended one is; deliver() is the only entrance of fan-out, for local and remote publications alike.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/base/error.h"
#include "hubbub/base/slab.h"
#include "hubbub/core/broker.h"
#include "hubbub/core/env.h"
#include "hubbub/core/json_write.h"
#include "hubbub/core/session.h"
#include "hubbub/core/session_code.h"
#include "hubbub/core/topics.h"

namespace hubbub {

// Messages in a session's ring that its connection has not written, or all of them.
enum class QueueKind : std::uint8_t { not_taken, not_acknowledged };

// Of this shard.
struct HubCounts {
  std::size_t attached = 0;
  std::size_t detached = 0;
  std::size_t topics = 0;
  std::size_t subscriptions = 0;
};

class Hub {
 public:
  explicit Hub(const Env& env);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  [[nodiscard]] const Env& env() const { return env_; }
  [[nodiscard]] Broker& broker() { return *broker_; }
  [[nodiscard]] Topics& topics() { return topics_; }

  struct Opened {
    Session* session;
    std::string token;  // to be shown to the client once
  };
  // A new session, attached to `link`. `data` is JSON text or empty. Errors: draining, overloaded
  // (limits.sessions).
  [[nodiscard]] Result<Opened> open_session(Link& link, std::string_view data);

  // What a client shows to have its session back.
  struct Claim {
    std::string_view code;
    std::string_view token;
    std::string_view epoch;
    std::uint64_t received = 0;  // messages it has of ours
  };
  struct Resumed {
    Session* session;
    std::string token;  // the new one, to be shown to the client once
    Outbox::Replay replay;
  };
  // Attaches `link` to the session that `claim` names; another connection of it is closed with 4512. Errors:
  // draining; session_unknown, the same for whatever is wrong with code, epoch or token (a token that was
  // replaced before ends the session: somebody copied it); invalid_params if the claim is good and `received`
  // is more than was ever sent.
  [[nodiscard]] Result<Resumed> resume_session(Link& link, const Claim& claim);
  // Whether resume_session() would take that claim now, from that connection on another shard: then it is
  // worth moving the connection here. Errors, and what they lead to, as there.
  [[nodiscard]] Result<void> check(const Claim& claim, std::uint64_t connection, std::string_view remote);
  // Ends a session that its connection leaves for another one, which that connection resumed. The connection
  // goes on.
  void discard(Session& session);
  // The session's connection is gone: grace time starts; an ended session is freed.
  void detach(Session& session);
  // Ends the session now: forgets its code and subscriptions; its client gets what is queued, then a Close
  // frame.
  void end(Session& session, std::uint16_t close_code, std::string_view reason);
  // As end(), once the message being handled has been answered: for a client that closes its own session.
  void end_after_turn(Session& session) { ending_.push_back(session.handle()); }
  // End of the shard's turn: carries out what was put off.
  void finish_turn();
  // Grace is over. Called by the session's timer.
  void expire(Session& session);
  [[nodiscard]] Session* find(std::string_view code);
  [[nodiscard]] Session* get(Handle<Session> handle) { return sessions_.get(handle); }

  // As Topics::subscribe from now on, and Topics::unsubscribe. No epoch in the position: the topic's home is
  // another shard and has still to answer; should it refuse (limits.topics), that is logged as a warning.
  [[nodiscard]] Result<Position> subscribe(Session& session, std::string_view topic);
  bool unsubscribe(Session& session, std::string_view topic) { return topics_.unsubscribe(session, topic); }

  // For applications: `value` (a type of core/json_types.h) as JSON to whoever is subscribed to `topic`, as
  // topic.message {topic, offset, data}. What fails (the name, limits.topics) is logged as a warning; use
  // broker().publish() for the position or the error.
  template <class T>
  void publish(std::string_view topic, const T& value) {
    std::string json;
    write_json(json, value);
    publish_json(topic, json);
  }
  // As publish(), for JSON that is text already.
  void publish_json(std::string_view topic, std::string_view data);

  // For applications: `hook` is called once for each session that ends: by session.close, by end(), or when
  // its grace time is over; not at a mere cut, and not for sessions that are there when the server stops. The
  // session can still be read, but is in no topic and gets nothing any more. One hook; it must not throw.
  using SessionHook = std::function<void(Hub&, Session&)>;
  void on_session_end(SessionHook hook) { session_end_hook_ = std::move(hook); }

  // Entrances of fan-out, for the broker. `data` is raw JSON.
  [[nodiscard]] Result<Position> deliver(std::string_view topic, std::string_view data) {
    return topics_.publish(topic, data);
  }
  [[nodiscard]] Result<SendStatus> deliver_to(SessionCode to, const FrameRef& frame);
  // To how many sessions of this shard.
  [[nodiscard]] std::size_t deliver_to_all(const FrameRef& frame);

  [[nodiscard]] HubCounts counts() const;
  // No more sessions, on any shard; every client of this one is told session.draining {retry_after_ms}. The
  // shard closes their connections, paced.
  void begin_drain(Millis retry_after_ms);
  [[nodiscard]] bool draining() const { return env_.node.draining.load(std::memory_order_relaxed); }
  [[nodiscard]] bool full() const {
    return env_.node.sessions.load(std::memory_order_relaxed) >= env_.limits.sessions;
  }

  // For MemoryBudget: lets go of kept messages of detached sessions; gives up the largest queues of attached
  // ones. Both until `wanted` bytes are free, and return how many are.
  [[nodiscard]] std::size_t shed_detached(std::size_t wanted);
  [[nodiscard]] std::size_t shed_queues(QueueKind kind, std::size_t wanted);

  void check_invariants();

 private:
  [[nodiscard]] Result<Session*> check_claim(const Claim& claim, std::uint64_t connection,
                                             std::string_view remote, TokenMatch& match);
  [[nodiscard]] Result<Session*> session_of(const Claim& claim, std::uint64_t connection,
                                            std::string_view remote, TokenMatch& match);
  void unindex(Session& session);
  void free(Session& session);
  [[nodiscard]] Session* find(SessionCode code);
  [[nodiscard]] std::string random_text(std::size_t bytes);

  const Env& env_;
  Slab<Session> sessions_;
  boost::unordered_flat_map<std::uint64_t, Handle<Session>> by_code_;
  SessionCodes codes_;
  Topics topics_;
  std::vector<Handle<Session>> ending_;
  SessionHook session_end_hook_;
  std::unique_ptr<Broker> broker_;
};

}  // namespace hubbub
