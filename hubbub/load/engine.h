// Engine: the generator's loop. It opens links (so many at a time, or at a rate), reads all that is ready,
// tells the workload, and notices when nothing moves any more. One thread, epoll, one read a link and turn.
#pragma once

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/load/histogram.h"
#include "hubbub/load/link.h"
#include "hubbub/load/options.h"
#include "hubbub/load/progress_line.h"
#include "hubbub/load/schedule.h"
#include "hubbub/load/workload.h"

namespace hubbub::load {

class Engine {
 public:
  explicit Engine(const Options& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Before anything else: `links` at most are there at a time. The workload outlives the engine's use of it.
  [[nodiscard]] Outcome<void> prepare(Workload& workload, std::size_t links);

  // Begins to open links first .. first+count-1, `parallel` at a time; with a rate each at its time. Links
  // that fail are the workload's affair (on_lost).
  void begin_opening(std::size_t first, std::size_t count, std::size_t parallel, double rate = 0);
  [[nodiscard]] bool opening() const { return under_way_ > 0 || next_ < end_; }
  // The same, and turns until all are open.
  [[nodiscard]] Outcome<void> open(std::size_t first, std::size_t count);

  // Turns until the time has come, or `enough` says so.
  [[nodiscard]] Outcome<void> run(std::uint64_t until, const std::function<bool()>& enough = {});
  [[nodiscard]] Outcome<void> turn(std::uint64_t until);

  // After the run: ends hubbub's sessions, so that they do not linger and get what the next run publishes,
  // and waits a moment for the server to say so.
  void say_goodbye();

  // For workloads.
  [[nodiscard]] std::uint64_t since(std::size_t link) const { return links_[link].since; }
  [[nodiscard]] Outcome<void> send(std::size_t link, std::string_view frames);
  // Sends a Close frame and forgets the link.
  void hang_up(std::size_t link);
  // Forgets it without a word.
  void drop(std::size_t link);
  // The link is not read any more.
  void stop_reading(std::size_t link);
  // After the run: how many of such links the server has ended. What it had sent before is read first; that
  // takes a moment.
  [[nodiscard]] std::size_t count_ended(std::size_t first, std::size_t count);
  // hubbub's count of the messages a session has got: kept with --ack-every and in resume mode.
  [[nodiscard]] std::uint64_t counted(std::size_t link) const { return links_[link].counted; }
  void set_counted(std::size_t link, std::uint64_t count) { links_[link].counted = count; }
  // Sends session.ack with that count.
  [[nodiscard]] Outcome<void> acknowledge(std::size_t link);
  // Something came that is no answer, but shows that the server is at work.
  void note_movement(std::uint64_t now) { moved_at_ = now; }
  // How late messages of an open loop left.
  void note_lateness(std::uint64_t ns) { lateness_.record(ns); }
  // 99 % were not later; in a closed loop: how long turns took, for so long a message can have waited unseen.
  [[nodiscard]] double lag_us() const;
  void clear_lag();
  [[nodiscard]] ProgressLine& progress() { return progress_; }

 private:
  struct Target {
    SocketAddress address;
    std::string authority;
    std::string path;
    std::string request;  // for `path`
  };

  Outcome<void> resolve_targets();
  int wait(std::uint64_t until);
  Outcome<void> on_event(const epoll_event& event);
  Outcome<void> read(std::size_t index);
  Outcome<void> start_links(std::uint64_t now);
  Outcome<void> start_link(std::size_t index, std::uint64_t since);
  Outcome<void> on_text(std::size_t index, std::string_view text, std::uint64_t now);
  Outcome<void> greet(std::size_t index, std::uint64_t now);
  Outcome<void> on_greeting(std::size_t index, std::string_view text, std::uint64_t now);
  Outcome<void> lost(std::size_t index, const std::string& reason, std::uint64_t now);
  void count(Link& link, std::string_view text);
  Outcome<void> check_stall(std::uint64_t now);
  void follow_unsent(std::size_t index);
  void watch(int operation, std::size_t index, std::uint32_t events);

  const Options& options_;
  bool counting_;
  Workload* workload_ = nullptr;
  Target main_;
  Target publishing_;
  int epoll_ = -1;
  bool has_pwait2_ = true;
  std::vector<Link> links_;
  std::vector<std::uint32_t> lives_;   // as links_: which connection of that place an event belongs to
  std::vector<std::uint8_t> writing_;  // as links_: EPOLLOUT asked for
  std::vector<epoll_event> events_;
  ReadContext context_;
  std::string out_;

  std::size_t next_ = 0;  // links next_ .. end_-1 are still to be opened
  std::size_t end_ = 0;
  std::size_t parallel_ = 0;
  std::size_t under_way_ = 0;
  Schedule opening_schedule_;
  bool scheduled_ = false;
  std::uint64_t attempts_ = 0;
  std::uint64_t settled_ = 0;  // links opened or lost, ever
  bool leaving_ = false;       // whatever happens to links now is fine

  std::uint64_t moved_at_ = 0;  // when something last moved
  std::uint64_t moved_count_ = 0;
  Histogram lateness_;
  Histogram turns_;
  ProgressLine progress_;
};

}  // namespace hubbub::load
