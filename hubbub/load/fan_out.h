// The fan-out workload: publishers publish, every subscriber gets every publication, each publisher's in
// order. Links 0 .. N-1 subscribe, the next ones publish, and the last ones subscribe and then stop reading.
#pragma once

#include <string>
#include <vector>

#include "hubbub/load/dialect.h"
#include "hubbub/load/engine.h"
#include "hubbub/load/schedule.h"

namespace hubbub::load {

class FanOut final : public Workload {
 public:
  FanOut(const Options& options, Engine& engine);

  const Script& script(std::size_t link) override {
    return publishes(link) ? publisher_script_ : subscriber_script_;
  }
  bool publishes(std::size_t link) const override { return link >= subscribers_ && link < first_stalled(); }
  bool reads_slowly(std::size_t link) const override { return link >= first_stalled(); }
  Outcome<void> on_ready(std::size_t link, std::uint64_t now) override;
  Outcome<void> start(std::uint64_t now) override;
  Outcome<void> on_message(std::size_t link, std::string_view text, std::uint64_t now) override;
  Outcome<void> end_of_turn(std::uint64_t now) override;
  std::uint64_t next_due() const override;
  std::uint64_t outstanding() const override;

  [[nodiscard]] std::size_t first_stalled() const { return subscribers_ + publishers_.size(); }
  // Publishes until every subscriber gets what is published: subscriptions need not be answered. What comes
  // meanwhile is not counted.
  [[nodiscard]] Outcome<void> settle();

 private:
  static constexpr std::uint64_t kOpenSpan = 1U << 16U;  // publications under way in an open loop, at most
  static constexpr std::uint64_t kLookBack = 64;  // so far back a publication that comes twice is known

  struct Publication {
    std::uint64_t since = 0;
    std::size_t left = 0;  // subscribers still to get it
  };
  struct Publisher {
    std::vector<Publication> ring;  // size a power of two
    std::uint64_t published = 0;
    std::uint64_t complete = 0;  // every subscriber gets them in order, so they complete in order
    [[nodiscard]] std::uint64_t under_way() const { return published - complete; }
  };

  Outcome<void> settle_blindly();
  Outcome<void> probe();
  [[nodiscard]] bool in_step() const;
  Outcome<void> on_publisher(std::string_view text);
  Outcome<void> on_piece(std::size_t link, std::string_view text, std::uint64_t now);
  Outcome<void> deliver(std::size_t link, std::uint64_t number, std::uint64_t now);
  void append(std::size_t publisher, std::uint64_t since);
  Outcome<void> flush(std::size_t publisher);

  const Options& options_;
  Engine& engine_;
  std::size_t subscribers_;
  Script subscriber_script_;
  Script publisher_script_;
  MessageTemplate message_;
  Recognizer recognizer_;
  bool answers_;                         // publications are answered
  std::vector<Publisher> publishers_;    // number n is publisher n % P's publication n / P
  std::vector<std::uint64_t> expected_;  // [subscriber * P + publisher]: the next one to come
  std::vector<std::string> carry_;       // as subscribers, with --stream
  bool settling_ = true;
  std::uint64_t probed_at_ = 0;  // when a probe last came to somebody
  Schedule schedule_;
  std::size_t next_publisher_ = 0;
  std::uint64_t deliveries_due_ = 0;
  std::uint64_t answers_due_ = 0;
  std::string out_;
};

}  // namespace hubbub::load
