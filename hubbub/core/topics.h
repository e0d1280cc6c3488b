// Topics: all topics of a hub by name, who subscribes to which, fan-out, catching up and presence. Knows
// sessions only as somewhere to push frames; who may subscribe and how messages get here is the hub's and the
// broker's business.
//
// Invariants (check_invariants): every subscription has both ends, each knowing the other's index; a
// publication reaches each subscriber's outbox once, in order of offset, or waits in that subscriber's hold;
// a topic without subscribers, or with history, has its timer armed.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/base/error.h"
#include "hubbub/base/hash.h"
#include "hubbub/core/env.h"
#include "hubbub/core/topic.h"

namespace hubbub {

class Session;

// How a subscription begins. With `since` or `last` it is held: see Topics::release.
struct SubscribeHow {
  std::optional<Position> since = std::nullopt;      // with what came after it
  std::optional<std::uint64_t> last = std::nullopt;  // with that many of the latest publications
  std::optional<bool> presence = std::nullopt;       // topic.presence or none; not said: as before
};

struct Subscribed {
  Position position;              // of the topic now
  std::optional<bool> recovered;  // with `since`: everything after it will follow
  std::uint32_t serial = 0;       // of the topic
};

struct Members {
  std::size_t count = 0;
  std::vector<std::string> codes;  // not of more than was asked for
};

class Topics {
 public:
  explicit Topics(const Env& env);
  Topics(const Topics&) = delete;
  Topics& operator=(const Topics&) = delete;

  // Subscribing again changes nothing but what `how` says. Errors: topic_invalid (name, limits.topics),
  // too_many_subscriptions (limits.topics_per_session), session_unknown (it has ended).
  [[nodiscard]] Result<Subscribed> subscribe(Session& session, std::string_view name,
                                             const SubscribeHow& how);
  // With `since` or `last` nothing is pushed until this is called, so that the caller can answer first: then
  // the publications missed and those made meanwhile go out in order. Should more than an outbox takes gather
  // meanwhile (outbox.messages, outbox.hard_bytes), they go out unasked. Nothing happens if nothing is held.
  void release(Session& session, std::uint32_t serial);
  // False if the session was not subscribed.
  bool unsubscribe(Session& session, std::string_view name);
  // For a session that ends.
  void unsubscribe_all(Session& session);
  // Appends `data` (raw JSON) to the topic's stream and pushes topic.message to its subscribers. Errors:
  // topic_invalid (name, limits.topics).
  [[nodiscard]] Result<Position> publish(std::string_view name, std::string_view data);

  // The topic of that name with its history as of now, or nullptr if nobody uses it. Errors: topic_invalid.
  [[nodiscard]] Result<const Topic*> look_up(std::string_view name);
  // The sessions subscribed to that topic; of a topic nobody uses none. Errors: topic_invalid.
  [[nodiscard]] Result<Members> members(std::string_view name, std::size_t codes_max);
  // The publication `origin` names, if the session is subscribed to its topic and the history still has it;
  // else null. For what the session's outbox let go of.
  [[nodiscard]] FrameRef frame_of(const Session& session, Origin origin) const;

  [[nodiscard]] std::size_t size() const { return topics_.size(); }
  [[nodiscard]] std::size_t subscriptions() const { return subscriptions_; }
  // The topic's timer: a topic nobody subscribes to is forgotten, history that is too old let go.
  void on_timer(Topic& topic);
  void check_invariants() const;

 private:
  struct StringHash {
    using is_transparent = void;
    std::uint64_t key;
    std::size_t operator()(std::string_view text) const {
      return static_cast<std::size_t>(keyed_hash(text, key));
    }
  };
  using TopicMap =
      boost::unordered_flat_map<std::string, std::unique_ptr<Topic>, StringHash, std::equal_to<>>;
  // What one subscriber is to be sent: the publications up to the topic's offset without a hole.
  struct Hold {
    std::vector<FrameRef> frames;
    std::size_t live = 0;  // those at its end that were published since it began
    std::size_t live_bytes = 0;
  };
  using HoldKey = std::pair<const Session*, std::uint32_t>;  // and the topic's serial

  // Finds or makes it.
  [[nodiscard]] Result<Topic*> topic_for(std::string_view name);
  // The session's subscription, or nullptr.
  [[nodiscard]] Topic::Subscriber* subscriber_of(const Session& session, std::string_view name,
                                                 Topic*& topic) const;
  // A new subscription.
  [[nodiscard]] Result<Topic::Subscriber*> join(Session& session, std::string_view name, Topic*& topic);
  void unsubscribe_at(Session& session, std::uint32_t index);
  void watch(Topic& topic, Topic::Subscriber& subscriber, bool on);
  void tell_presence(Topic& topic);
  // Begins or widens the subscriber's hold; true if it has everything `how` asks for.
  bool hold_missed(Topic& topic, Topic::Subscriber& subscriber, const SubscribeHow& how);
  void hold_live(Topic& topic, Topic::Subscriber& subscriber, const FrameRef& frame);
  void let_go(Topic& topic, Topic::Subscriber& subscriber);
  void set_timer(Topic& topic);
  [[nodiscard]] std::string draw_epoch();

  const Env& env_;
  TopicMap topics_;
  boost::unordered_flat_map<HoldKey, Hold> holds_;  // of the subscribers that are held
  std::size_t subscriptions_ = 0;
  std::uint32_t last_serial_ = 0;
};

}  // namespace hubbub
