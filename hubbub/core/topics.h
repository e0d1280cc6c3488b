// Topics: the topics of a shard by name, who subscribes to which, fan-out, catching up and presence. Knows
// sessions only as somewhere to push frames; who may subscribe and how messages get here is the hub's and the
// broker's business; what goes between shards is TopicMirrors'.
//
// Invariants (check_invariants): every subscription has both ends, each knowing the other's index; a
// publication reaches each subscriber's outbox once, in order of offset, or waits in that subscriber's hold;
// a topic that nobody uses, or with history, has its timer armed.
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
#include "hubbub/core/topic_mirrors.h"

namespace hubbub {

class Session;

// Part of a topic's stream, as its frames: they hold what `data` points at.
struct HistorySlice {
  Position position;  // of the topic; no epoch: nobody uses it
  struct Message {
    FrameRef frame;
    std::string_view data;
  };
  std::vector<Message> messages;  // oldest first; offsets are in the frames' Origin
};

struct Members {
  std::size_t count = 0;
  std::vector<std::string> codes;  // not of more than was asked for
};

class Topics {
 public:
  explicit Topics(const Env& env);
  ~Topics();
  Topics(const Topics&) = delete;
  Topics& operator=(const Topics&) = delete;

  // Subscribing again changes nothing but what `how` says. `done` is called once: now, or when the topic's
  // home has answered; not if the hub ends before. Errors: topic_invalid (name, limits.topics),
  // too_many_subscriptions (limits.topics_per_session), session_unknown (it has ended), overloaded.
  void subscribe(Session& session, std::string_view name, const SubscribeHow& how, SubscribeDone done);
  // With `since` or `last` nothing is pushed until this is called, so that the caller can answer first: then
  // the publications missed and those made meanwhile go out in order. Should more than an outbox takes gather
  // meanwhile (outbox.messages, outbox.hard_bytes), they go out unasked. Nothing happens if nothing is held.
  void release(Session& session, std::string_view name);
  // False if the session was not subscribed.
  bool unsubscribe(Session& session, std::string_view name);
  // For a session that ends.
  void unsubscribe_all(Session& session);
  // Appends `data` (raw JSON) to the stream of a topic whose home is here and gives topic.message to its
  // subscribers. Errors: topic_invalid (name, limits.topics).
  [[nodiscard]] Result<Position> publish(std::string_view name, std::string_view data);

  // Publications after `since`, or the latest, at most `limit`; to be asked of the topic's home. Errors:
  // topic_invalid, not_in_history.
  [[nodiscard]] Result<HistorySlice> history(std::string_view name, const std::optional<Position>& since,
                                             std::uint32_t limit);
  // This shard's sessions subscribed to that topic; of a topic nobody uses none. Errors: topic_invalid.
  [[nodiscard]] Result<Members> members(std::string_view name, std::size_t codes_max);
  // At home, when members came that somebody will be told.
  void note_shown(std::string_view name);
  // The publication `origin` names, if the session is subscribed to its topic and the history still has it;
  // else null. For what the session's outbox let go of.
  [[nodiscard]] FrameRef frame_of(const Session& session, Origin origin) const;

  // Gives the turn's gathered publications to their subscribers (see Run). Before anything else is pushed to
  // sessions, and at the end of the turn.
  void push_run() {
    if (run_.topic) [[unlikely]]
      push_gathered();
  }

  [[nodiscard]] TopicMirrors& mirrors() { return mirrors_; }
  // The topic's timer: a topic nobody uses is forgotten, history that is too old let go.
  void on_timer(Topic& topic);
  // For MemoryBudget: lets go of histories until `wanted` bytes are free; returns how many are.
  [[nodiscard]] std::size_t shed_histories(std::size_t wanted);

  void check_invariants() const;

 private:
  friend class TopicMirrors;  // the part that works with other shards
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
    bool release_later = false;  // as soon as it waits for nothing more
  };
  // What one turn publishes to a topic with many subscribers is gathered and pushed in one pass over them:
  // each session's memory is fetched once for all of it. Publications to another topic and all else that goes
  // to sessions push it first, so that order is kept; only replies do not wait for it.
  struct Run {
    Topic* topic = nullptr;
    std::vector<FrameRef> frames;
  };
  static constexpr std::size_t kRunSubscribers = 64;
  static constexpr std::size_t kRunFrames = 32;

  using HoldKey = std::pair<const Session*, const Topic*>;

  [[nodiscard]] Topic* find(std::string_view name) const;
  // Finds or makes it.
  [[nodiscard]] Result<Topic*> topic_for(std::string_view name);
  // A topic of which nothing is left.
  void forget(Topic& topic);
  // The session's subscription, or nullptr.
  [[nodiscard]] Topic::Subscriber* subscriber_of(const Session& session, std::string_view name,
                                                 Topic*& topic) const;
  // A new subscription.
  [[nodiscard]] Result<Topic::Subscriber*> join(Session& session, std::string_view name, Topic*& topic);
  // The subscription begins: the topic's position is known here.
  [[nodiscard]] Subscribed begin(Topic& topic, Topic::Subscriber& subscriber, const SubscribeHow& how,
                                 bool fresh);
  // Gives a publication to this shard's subscribers and keeps it.
  void spread(Topic& topic, const FrameRef& frame, std::size_t data_size);
  void push_gathered();
  void push_to_subscribers(Topic& topic, const std::vector<FrameRef>& frames);
  void unsubscribe_at(Session& session, std::uint32_t index);
  // Lets go of what release() could not yet.
  void release_put_off(Topic& topic);
  // What it holds is no longer wanted.
  void unhold(Topic& topic, Topic::Subscriber& subscriber);
  void watch(Topic& topic, Topic::Subscriber& subscriber, bool on);
  // Presence begins or ends at home, with the first or last who watches on any shard.
  void set_watched(Topic& topic, bool watched);
  // Somebody joined or left: here; on any shard (at home).
  void tell_change(Topic& topic, SessionCode code, bool joined);
  void note_change(Topic& topic, SessionCode code, bool joined);
  void tell_presence(Topic& topic);
  void push_to_watchers(Topic& topic, const FrameRef& frame);
  // Begins or widens the subscriber's hold; true if it has everything `how` asks for.
  bool hold_missed(Topic& topic, Topic::Subscriber& subscriber, const SubscribeHow& how);
  void hold_live(Topic& topic, Topic::Subscriber& subscriber, const FrameRef& frame);
  void let_go(Topic& topic, Topic::Subscriber& subscriber);
  [[nodiscard]] static bool used(const Topic& topic);
  void set_timer(Topic& topic);
  [[nodiscard]] std::string draw_epoch();

  const Env& env_;
  TopicMap topics_;
  boost::unordered_flat_map<HoldKey, Hold> holds_;  // of the subscribers that are held
  Run run_;
  std::uint32_t last_serial_ = 0;
  TopicMirrors mirrors_;
};

}  // namespace hubbub
