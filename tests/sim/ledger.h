// Ledger: what really happened on the server, written by test methods and by whoever saw it first, so that
// every client's story can be held against it. Sessions are known by serials that the simulator gives; codes
// are the server's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hubbub::sim {

using Serial = std::uint32_t;  // of a session, never used twice

// One session.send.
struct SendRecord {
  enum class Status : std::uint8_t { open, taken, refused, unknown };
  Serial to = 0;
  Status status = Status::open;  // what its sender was told
  bool seen = false;             // by the receiver
  bool announced = false;        // the receiver was told that it is missing
};

class Ledger {
 public:
  // --- From inside the server's methods, which must not throw: the first violation is remembered.

  // Call number `seq` of session `serial` was run by the session with that code.
  void executed(Serial serial, std::uint64_t seq, std::string_view code);
  [[nodiscard]] const std::string& violation() const { return violation_; }
  void break_promise(std::string what) {
    if (violation_.empty()) violation_ = std::move(what);
  }

  // --- From clients

  [[nodiscard]] Serial new_session(std::string code);
  [[nodiscard]] const std::string& code_of(Serial serial) const { return sessions_.at(serial).code; }
  [[nodiscard]] std::uint64_t executions(Serial serial, std::uint64_t seq) const;
  // Everybody who sees that position sees the same data.
  void saw_publication(const std::string& topic, const std::string& epoch, std::uint64_t offset,
                       std::string_view data);
  // The position of a topic that somebody saw last; offset 0 if nobody has seen any.
  struct Seen {
    std::string epoch;
    std::uint64_t offset = 0;
  };
  [[nodiscard]] Seen last_seen(const std::string& topic) const;
  [[nodiscard]] std::uint64_t new_send(Serial from, Serial to);
  [[nodiscard]] SendRecord& send(Serial from, std::uint64_t number);
  [[nodiscard]] const std::map<std::pair<Serial, std::uint64_t>, SendRecord>& sends() const { return sends_; }
  [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }

 private:
  struct SessionRecord {
    std::string code;
    std::map<std::uint64_t, std::uint32_t> executions;
    std::uint64_t last_executed = 0;
    std::uint64_t last_send = 0;
  };
  std::string violation_;
  std::map<Serial, SessionRecord> sessions_;
  std::map<std::pair<std::string, std::uint64_t>, std::string> publications_;  // topic/epoch, offset
  std::map<std::string, Seen> last_seen_;                                      // by topic
  std::map<std::pair<Serial, std::uint64_t>, SendRecord> sends_;
};

}  // namespace hubbub::sim
