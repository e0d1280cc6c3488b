// TopicView: one session's view of one topic, as a careful client keeps it: offsets grow by one from where
// the subscription began; whatever is skipped was announced as missing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/ledger.h"

namespace hubbub::sim {

struct TopicPosition {
  std::string epoch;
  std::uint64_t offset = 0;
};

// What was asked with a topic.subscribe.
struct SubscribeWish {
  std::optional<TopicPosition> since{};
  std::uint64_t last = 0;  // 0: not asked
  bool batched = false;
  bool presence = false;
};

class TopicView {
 public:
  TopicView(Ledger& ledger, std::string topic) : ledger_(ledger), topic_(std::move(topic)) {}

  // Answers to the session's own requests, in the order of the stream.
  void on_subscribed(const SubscribeWish& wish, const TopicPosition& position, std::optional<bool> recovered,
                     std::uint64_t& unknown);
  void on_unsubscribed(bool was_subscribed);
  // A topic.message came (`data`: raw JSON), or was announced as missing. `unknown` counts announced messages
  // of which nobody knows what they were: skipped ones are taken from it.
  void on_message(std::uint64_t offset, std::string_view data, std::uint64_t& unknown);
  void on_missing(std::uint64_t offset, std::uint64_t& unknown);
  // The answer to a subscribe or unsubscribe is lost, or may be (`surely` false): what comes next tells.
  void lose_track(bool surely);
  // A subscribe or unsubscribe is on its way. The answer to one in a batch comes after live messages. With
  // `shards` two of them may be answered in either order: then nothing is sure until a later one.
  void expect(bool batched, bool shards) {
    overlap_ = overlap_ || (shards && pending_ > 0);
    unsure_ = unsure_ || overlap_;
    ++pending_;
    early_ = early_ || batched;
  }
  // What answers will say is known, so that more may be asked (in a batch: only when nothing is pending).
  [[nodiscard]] bool may_ask(bool batched) const {
    return batched ? pending_ == 0 && !active_ && !unsure_ : !early_;
  }

  // No subscription, and nothing asked about one.
  [[nodiscard]] bool quiet() const { return !active_ && pending_ == 0; }

  // Messages came although the answer to the subscribe is still to come.
  [[nodiscard]] bool early() const { return !active_ && early_first_ != 0; }
  [[nodiscard]] bool active() const { return active_; }
  [[nodiscard]] bool sure() const { return !unsure_; }
  // The last position seen.
  [[nodiscard]] TopicPosition position() const { return {epoch_, next_ == 0 ? 0 : next_ - 1}; }

 private:
  // One of the pending ones. True if it says nothing for sure.
  bool answered();
  void step(std::uint64_t offset, std::uint64_t& unknown);

  Ledger& ledger_;
  std::string topic_;
  std::string epoch_;
  std::uint64_t next_ = 0;  // offset of the next message; 0: never subscribed
  // The first replayed message may be any of [jump_low_, jump_high_]; behind them come live ones.
  bool jump_ = false;
  std::uint64_t jump_low_ = 0;
  std::uint64_t jump_high_ = 0;
  bool active_ = false;
  bool unsure_ = false;
  unsigned pending_ = 0;           // requests without an answer
  bool overlap_ = false;           // there were two or more at a time
  bool early_ = false;             // the pending one is in a batch
  std::uint64_t early_first_ = 0;  // first message before the answer; 0: none
};

}  // namespace hubbub::sim
