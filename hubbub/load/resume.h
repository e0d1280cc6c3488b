// The resume storm: many sessions subscribe to a topic, lose their connections at once, miss some
// publications, and come back all together. Every session must get what it missed, in order, nothing twice,
// and what comes later.
#pragma once

#include <string>
#include <vector>

#include "hubbub/load/dialect.h"
#include "hubbub/load/engine.h"

namespace hubbub::load {

class Resume final : public Workload {
 public:
  Resume(const Options& options, Engine& engine);

  const Script& script(std::size_t link) override;
  std::string target(std::size_t link) const override;
  Outcome<void> on_answer(std::size_t link, std::size_t step, std::string_view text) override;
  Outcome<void> on_ready(std::size_t link, std::uint64_t now) override;
  Outcome<void> on_lost(std::size_t link, const std::string& reason, std::uint64_t now) override;
  Outcome<void> on_message(std::size_t link, std::string_view text, std::uint64_t now) override;
  std::uint64_t outstanding() const override { return to_come_ + answers_due_; }

  // The storm's steps; between them the engine turns until outstanding() is 0.
  void drop_all();
  // `count` publications, which every session is to get.
  [[nodiscard]] Outcome<void> publish(std::uint64_t count);
  // From now on links resume; latency counts from `now`.
  void begin_resuming(std::uint64_t now);

  [[nodiscard]] std::size_t publisher() const { return sessions_.size(); }
  [[nodiscard]] bool answers_pending() const { return answers_due_ > 0; }
  [[nodiscard]] std::uint64_t all_back_at() const { return all_back_at_; }
  [[nodiscard]] std::uint64_t missed() const { return missed_ + to_come_; }
  [[nodiscard]] std::uint64_t twice() const { return twice_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  struct Session {
    std::string code;
    std::string token;
    std::string epoch;
    std::uint64_t received = 0;  // counted messages when it was dropped
    std::uint64_t expected = 0;  // the next publication to come
    bool gone = false;           // refused, or lost for good
  };

  void note(std::string text);
  [[nodiscard]] bool resuming() const { return began_at_ != 0; }

  Engine& engine_;
  std::string target_;
  Script opening_;    // session and subscription
  Script publisher_;  // session alone
  Script resuming_;   // of the link asked for last
  MessageTemplate message_;
  Recognizer recognizer_;
  std::vector<Session> sessions_;
  std::uint64_t published_ = 0;
  std::uint64_t to_come_ = 0;  // deliveries
  std::uint64_t answers_due_ = 0;
  std::uint64_t began_at_ = 0;
  std::uint64_t all_back_at_ = 0;
  std::uint64_t missed_ = 0;
  std::uint64_t twice_ = 0;
  std::uint64_t refused_ = 0;
  std::string error_;
};

}  // namespace hubbub::load
