// Workload: what the generator does with its links: what each says when it opens, what leaves when, and which
// answer belongs to what. The engine (engine.h) calls it; it never waits. Times are nanoseconds of one
// monotonic clock. An error ends the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/load/histogram.h"
#include "hubbub/load/message_template.h"
#include "hubbub/load/outcome.h"

namespace hubbub::load {

// One step of the conversation that opens a link: say something, or nothing, and wait for a message, or do
// not.
struct Step {
  bool speaks = false;
  MessageTemplate says{};
  bool waits = false;
  std::string until{};    // the message waited for holds this ("": any)
  std::string refused{};  // a message that holds this is a refusal ("": none is)
  bool counted = false;   // the answer counts as a message of the session
};
using Script = std::vector<Step>;

// Latencies of the messages that began inside the measured window, whenever their answers come: those that
// are slow at the window's end are not forgotten.
class LatencyWindow {
 public:
  void open(std::uint64_t at) {
    histogram_.clear();
    begin_ = at;
    end_ = UINT64_MAX;
  }
  void close(std::uint64_t at) { end_ = at; }
  void record(std::uint64_t since, std::uint64_t now) {
    if (since >= begin_ && since < end_) histogram_.record(now > since ? now - since : 0);
  }
  [[nodiscard]] const Histogram& histogram() const { return histogram_; }

 private:
  Histogram histogram_;
  std::uint64_t begin_ = UINT64_MAX;
  std::uint64_t end_ = UINT64_MAX;
};

class Workload {
 public:
  static constexpr std::uint64_t kNever = UINT64_MAX;

  virtual ~Workload() = default;

  // Opening a link: the conversation (the reference is good until the next call), whether it goes to the
  // publishers' URL, and the URL's path if not the given one.
  [[nodiscard]] virtual const Script& script(std::size_t link) = 0;
  [[nodiscard]] virtual bool publishes(std::size_t) const { return false; }
  [[nodiscard]] virtual std::string target(std::size_t) const { return {}; }
  [[nodiscard]] virtual bool reads_slowly(std::size_t) const { return false; }
  // The message that a step of the conversation waited for.
  [[nodiscard]] virtual Outcome<void> on_answer(std::size_t, std::size_t /*step*/,
                                                std::string_view /*text*/) {
    return {};
  }
  [[nodiscard]] virtual Outcome<void> on_ready(std::size_t, std::uint64_t /*now*/) { return {}; }
  // The link is gone, or could not be opened.
  [[nodiscard]] virtual Outcome<void> on_lost(std::size_t link, const std::string& reason, std::uint64_t now);

  // Under load: a message came; all messages of one read have been given; all that was ready has been read.
  [[nodiscard]] virtual Outcome<void> on_message(std::size_t link, std::string_view text,
                                                 std::uint64_t now) = 0;
  [[nodiscard]] virtual Outcome<void> after_read(std::size_t, std::uint64_t) { return {}; }
  [[nodiscard]] virtual Outcome<void> end_of_turn(std::uint64_t) { return {}; }
  // When end_of_turn has something to do at the latest.
  [[nodiscard]] virtual std::uint64_t next_due() const { return kNever; }
  // Answers and deliveries so far, and how many are still to come.
  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] virtual std::uint64_t outstanding() const { return 0; }
  // For the message that a run which came to a halt ends with.
  [[nodiscard]] std::string last_ignored() const { return last_ignored_; }

  // The first messages; from `stop` on nothing new is begun.
  [[nodiscard]] virtual Outcome<void> start(std::uint64_t) { return {}; }
  virtual void stop() { stopping_ = true; }
  [[nodiscard]] LatencyWindow& latency() { return latency_; }

 protected:
  void ignore(std::string_view text) { last_ignored_.assign(text.substr(0, 200)); }

  LatencyWindow latency_;
  std::uint64_t done_ = 0;
  bool stopping_ = false;
  std::string last_ignored_;
};

}  // namespace hubbub::load
