// TopicMirrors: a topic across the shards of a process. Its home (Node::home_of) gives publications their
// offsets; a shard with subscribers has a mirror. The mirror asks its home once for a copy of the history,
// and from then on gets every publication once, as the very frame, however many subscribers it has.
//
// It rests on Neighbours keeping order: all the home sends before its answer to a mirror's request is older
// than the answer, all it sends later follows it without a hole. So a mirror stands at some moment of the
// home's stream, and a subscription that begins there loses nothing and gets nothing twice.
//
// When the way to a shard is full the home stops sending it that topic's publications and, once there is
// room, sends what it still has of them in one piece. What history has let go of by then is lost to that
// shard's subscribers: they are told (session.gap) and their connections closed, to come back with a resume.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/base/error.h"
#include "hubbub/core/env.h"
#include "hubbub/core/topic.h"

namespace hubbub {

class Session;
class Topics;

// How a subscription begins. With `since` or `last` it is held: see Topics::release.
struct SubscribeHow {
  std::optional<Position> since = std::nullopt;      // with what came after it
  std::optional<std::uint64_t> last = std::nullopt;  // with that many of the latest publications
  std::optional<bool> presence = std::nullopt;       // topic.presence or none; not said: as before
};

struct Subscribed {
  Position position;              // of the topic now
  std::optional<bool> recovered;  // with `since`: everything after it will follow
};
using SubscribeDone = std::move_only_function<void(Result<Subscribed>)>;

struct TopicReach {
  // At home: a shard with a mirror.
  struct Remote {
    ShardId shard = 0;
    bool watching = false;     // somebody there wants topic.presence
    bool behind = false;       // there was no room: it is not sent to until it has caught up
    bool untold = false;       // there was no room for a topic.presence
    std::size_t members = 0;   // subscribers there, as last told
    std::uint64_t offset = 0;  // of the last publication it was sent
  };
  std::vector<Remote> remotes;

  // At a mirror: subscriptions that wait for the home.
  struct Waiting {
    Session* session = nullptr;  // null: it unsubscribed meanwhile
    SubscribeHow how;
    SubscribeDone done;
    bool fresh = false;  // it was not subscribed before
    bool again = false;  // the answer it waits for was asked for after it came
  };
  std::vector<Waiting> waiting;
  bool asked = false;          // the home's answer to `waiting` is on its way
  bool release_later = false;  // some hold is to be released once its session waits for nothing more
  bool reports = false;        // the home wants to know who joins and leaves
  bool untold = false;         // there was no room to tell the home of a change
};

class TopicMirrors {
 public:
  TopicMirrors(Topics& topics, const Env& env) : topics_(topics), env_(env) {}

  // --- At a mirror
  // The subscription begins when the home has answered; error overloaded if the way there is full.
  void wait(Topic& topic, TopicReach::Waiting waiting);
  [[nodiscard]] static bool waits(const Topic& topic, const Session& session);
  // As waits(), and the subscription is new: nobody has been told of it.
  [[nodiscard]] static bool waits_to_join(const Topic& topic, const Session& session);
  // Whether a mirror must hear from its home before such a subscription can begin.
  [[nodiscard]] static bool must_ask(const Topic& topic, const SubscribeHow& how);
  void unsubscribed(Topic& topic, const Session& session);
  // Nobody here uses it any more: the home need not send to it. The caller forgets it.
  void leave(Topic& topic);
  void tell_watching(Topic& topic);
  void tell_change(Topic& topic, SessionCode code, bool joined);
  // A publication came from the home. How many subscribers it was for.
  std::size_t on_publication(const FrameRef& frame, std::size_t data_size);

  // --- At home
  void forward(Topic& topic, const FrameRef& frame, std::size_t data_size);
  void forward_presence(Topic& topic, const FrameRef& frame);
  void ask_for_reports(Topic& topic, bool on);
  [[nodiscard]] static bool watched_elsewhere(const Topic& topic);
  [[nodiscard]] static std::size_t members_elsewhere(const Topic& topic);
  // Whether somebody beyond this shard's subscribers needs it.
  [[nodiscard]] static bool in_use(const Topic& topic) {
    return topic.reach_ &&
           (!topic.reach_->remotes.empty() || !topic.reach_->waiting.empty() || topic.reach_->asked);
  }
  [[nodiscard]] static bool has_remotes(const Topic& topic) {
    return topic.reach_ && !topic.reach_->remotes.empty();
  }
  // There is room again on the way to that shard: it gets what it missed.
  void catch_up(ShardId shard);

  void check_invariants(const Topic& topic) const;

 private:
  // The home's answer to a mirror: the topic as it is there now.
  struct Snapshot {
    std::string name;
    std::string epoch;
    std::uint32_t serial = 0;
    std::uint64_t offset = 0;
    bool reports = false;
    std::vector<TopicHistory::Kept> history;
  };
  // What a mirror missed, as far as the home still has it: it ends at `offset`.
  struct Missed {
    std::uint32_t serial = 0;
    std::uint64_t offset = 0;
    std::vector<TopicHistory::Kept> frames;
  };

  static TopicReach& reach(Topic& topic);
  static TopicReach::Remote* remote_of(Topic& topic, ShardId shard);
  [[nodiscard]] ShardId home_of(const Topic& topic) const { return env_.node.home_of(topic.name()); }
  [[nodiscard]] Topic* mirror_of(std::uint32_t serial) const;
  [[nodiscard]] bool ask_home(Topic& topic);
  void on_ask(const std::string& name, ShardId from);
  void on_leave(std::string_view name, ShardId from);
  // The home's answers to ask_home().
  void on_snapshot(const Snapshot& snapshot);
  void on_answer(std::string_view name);
  void on_refused(std::string_view name, const Error& error);
  // What is left in the list has no `done`.
  static TopicReach::Waiting take(TopicReach::Waiting& waiting);
  void begin_waiting(Topic& topic);
  void refuse_waiting(Topic& topic, const Error& error);
  // False if there was no room for all of it.
  [[nodiscard]] bool catch_up(Topic& topic, ShardId shard);
  [[nodiscard]] bool send_missed(Topic& topic, TopicReach::Remote& remote);
  [[nodiscard]] bool send_untold(Topic& topic);
  [[nodiscard]] bool send_presence(const TopicReach::Remote& remote, std::uint32_t serial,
                                   const FrameRef& frame);
  void on_missed(const Missed& missed);
  void lose(Topic& topic, std::uint64_t from, std::uint64_t to);
  void update_watched(Topic& topic);
  void on_watching(std::string_view name, ShardId from, bool on);
  void on_reports(std::uint32_t serial, bool on);
  void on_members(std::string_view name, ShardId from, std::size_t members);
  // Some changes there were told by none.
  void on_untold(std::string_view name, ShardId from, std::size_t members);
  void on_change(std::string_view name, ShardId from, SessionCode code, bool joined, std::size_t members);
  void on_presence(std::uint32_t serial, const FrameRef& frame);

  Topics& topics_;
  const Env& env_;
  boost::unordered_flat_map<std::uint32_t, Topic*> by_serial_;  // the mirrors here
  // Topics of which a shard has missed something, by name; they may be gone meanwhile.
  boost::unordered_flat_map<ShardId, std::vector<std::string>> behind_;
};

}  // namespace hubbub
