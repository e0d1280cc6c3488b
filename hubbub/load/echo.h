// The echo workload: every connection sends messages and gets each one answered, so many under way at a time,
// or all together at a rate.
#pragma once

#include <string>
#include <vector>

#include "hubbub/load/dialect.h"
#include "hubbub/load/engine.h"
#include "hubbub/load/flight.h"
#include "hubbub/load/schedule.h"

namespace hubbub::load {

class Echo final : public Workload {
 public:
  Echo(const Options& options, Engine& engine);

  const Script& script(std::size_t) override { return script_; }
  Outcome<void> start(std::uint64_t now) override;
  Outcome<void> on_message(std::size_t link, std::string_view text, std::uint64_t now) override;
  Outcome<void> after_read(std::size_t link, std::uint64_t now) override;
  Outcome<void> end_of_turn(std::uint64_t now) override;
  std::uint64_t next_due() const override;
  std::uint64_t outstanding() const override { return outstanding_; }

 private:
  // More unanswered messages an open loop does not send; they keep their scheduled times.
  static constexpr std::uint64_t kOutstandingMax = 1'000'000;

  Outcome<void> answered(std::size_t link, std::uint64_t number, std::uint64_t now);
  void append(std::size_t link, std::uint64_t since);
  [[nodiscard]] bool may_send() const { return !stopping_ && outstanding_ < kOutstandingMax; }

  const Options& options_;
  Engine& engine_;
  Script script_;
  MessageTemplate message_;
  Recognizer recognizer_;
  std::vector<Flight> flights_;     // as links
  std::vector<std::uint32_t> due_;  // as links: answers since the last sending
  std::vector<std::string> carry_;  // as links, with --stream
  Schedule schedule_;
  std::size_t next_link_ = 0;
  std::uint64_t outstanding_ = 0;
  std::string out_;
};

}  // namespace hubbub::load
