// Topic: a name with subscribers, a position and the latest publications. A publication's position is (epoch,
// offset): offsets grow by one from 1; a topic that was forgotten while nobody used it comes back under
// another epoch, so equal offsets of different epochs are never mistaken for each other. One shard is a
// topic's home; others with subscribers have a mirror, which follows it (core/topic_mirrors.h).
//
// Invariants: session S is in subscribers() exactly if S.subscriptions() has this topic, and each end knows
// the other's index (Topics keeps both ends in step); history() is empty or ends at offset().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/base/timer_wheel.h"
#include "hubbub/core/topic_history.h"

namespace hubbub {

class Presence;
class Session;
class Topics;

// Where a topic's stream stands.
struct Position {
  std::string epoch;
  std::uint64_t offset = 0;
};

enum class TopicRole : std::uint8_t {
  home,     // publications get their offsets here
  joining,  // a mirror that waits for its home's answer: nothing is known yet but its subscribers
  mirror,   // follows its home
};

// What a topic has to do with other shards; see core/topic_mirrors.h.
struct TopicReach;

class Topic {
 public:
  struct Subscriber {
    Session* session;
    std::uint32_t index;  // of this topic in session->subscriptions()
    bool held = false;  // publications wait in Topics until its missed ones, or its answer, are on their way
    bool watching = false;  // wants topic.presence
  };

  Topic(Topics& topics, TopicRole role, std::string name);
  ~Topic();
  Topic(const Topic&) = delete;
  Topic& operator=(const Topic&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] TopicRole role() const { return role_; }
  // What Origin::topic names it by, on all shards: no other topic of this process has had it lately. 0 while
  // it is joining.
  [[nodiscard]] std::uint32_t serial() const { return serial_; }
  [[nodiscard]] Position position() const { return {epoch_, offset_}; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] const std::vector<Subscriber>& subscribers() const { return subscribers_; }
  [[nodiscard]] const TopicHistory& history() const { return history_; }
  // Whether history() has every publication after `offset`, which must have been reached.
  [[nodiscard]] bool covers(std::uint64_t offset) const {
    return offset <= offset_ && offset_ - offset <= history_.size();
  }

 private:
  friend class Topics;
  friend class TopicMirrors;
  Topics& topics_;
  TopicRole role_;
  std::uint32_t serial_ = 0;
  std::uint32_t watchers_ = 0;  // subscribers that are watching
  std::string name_;
  std::string epoch_;
  std::uint64_t offset_ = 0;
  std::vector<Subscriber> subscribers_;
  TopicHistory history_;
  std::unique_ptr<Presence> presence_;  // at home only; null: nobody watches
  std::unique_ptr<TopicReach> reach_;   // null: nothing to do with other shards
  // While nobody uses it: to forget the topic. Else: to let go of history that is too old.
  Timer timer_;
};

// 1-255 bytes of printable ASCII without spaces; names beginning with '$' are the hub's.
[[nodiscard]] bool topic_name_valid(std::string_view name) noexcept;

}  // namespace hubbub
