// Workload: what the load generator does with its links: how many messages are under way, which answer
// belongs to which question, and whether an answer is right. Closed loop: the next message leaves when an
// earlier one is done, so a server is never flooded and its cost per message is what is measured. The loop
// around it is runner.h's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "bench/histogram.h"
#include "bench/link.h"
#include "bench/messages.h"

namespace hubbub::bench {

struct WorkloadOptions {
  Target target = Target::hubbub;
  std::uint16_t port = 0;
  std::size_t connections = 100;  // echo: callers; fanout: subscribers
  std::size_t inflight = 1;       // echo: calls of each connection; fanout: publications
  std::size_t data_bytes = 100;   // fanout: of a publication's data, at least kDigits
};

class Workload {
 public:
  virtual ~Workload() = default;
  // Opens all links, blocking.
  [[nodiscard]] virtual Outcome<void> open() = 0;
  // The first messages. Times are nanoseconds of one monotonic clock.
  [[nodiscard]] virtual Outcome<void> start(std::uint64_t now) = 0;
  // A text message came in on links()[link].
  [[nodiscard]] virtual Outcome<void> on_text(std::size_t link, std::string_view text, std::uint64_t now) = 0;
  // All text messages of one read of links()[link] have been given.
  [[nodiscard]] virtual Outcome<void> after_read(std::size_t link, std::uint64_t now) = 0;
  // All that was ready has been read.
  [[nodiscard]] virtual Outcome<void> end_of_turn(std::uint64_t now) = 0;
  // Answers and deliveries still to come.
  [[nodiscard]] virtual std::uint64_t outstanding() const = 0;

  // From here on nothing new is begun.
  void stop() { stopping_ = true; }
  [[nodiscard]] std::vector<Link>& links() { return links_; }
  // Echoes or deliveries so far, and how long each took.
  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] Histogram& latency() { return latency_; }

 protected:
  std::vector<Link> links_;
  Histogram latency_;
  std::uint64_t done_ = 0;
  bool stopping_ = false;
};

// Every connection keeps `inflight` calls of echo under way; every reply must equal the first one byte for
// byte.
[[nodiscard]] std::unique_ptr<Workload> make_echo(const WorkloadOptions& options);
// One more connection publishes to a topic that all others subscribe to, `inflight` publications under way.
// One is done when every subscriber has got it; every delivery must carry the number that is due.
[[nodiscard]] std::unique_ptr<Workload> make_fanout(const WorkloadOptions& options);

}  // namespace hubbub::bench
