// ClientSession: a session as its client sees it, over all its connections: both counts, what it must send
// again, the calls it waits for, its topics. Each thing that comes is held against the protocol's promises;
// a broken one throws Violation. Knows nothing of sockets.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "hubbub/base/clock.h"
#include "tests/sim/json_read.h"
#include "tests/sim/ledger.h"
#include "tests/sim/tap.h"
#include "tests/sim/topic_view.h"

namespace hubbub {
class Hub;
}

namespace hubbub::sim {

class ShardedWorld;

enum class Method : std::uint8_t {
  add,   // counter.add: answers at once
  slow,  // slow.add: answers later
  subscribe,
  unsubscribe,
  publish,
  send,
  broadcast,
  history,
  presence,
  plain,      // any other that succeeds
  late_open,  // session.open where it is too late: -32600
  close,
};

// A request that was made.
struct Issued {
  Method method = Method::plain;
  std::uint64_t message = 0;  // number of the client's message it is in
  std::uint64_t seq = 0;      // add, slow: of the call; send: of the message
  std::string topic{};
  std::string data{};  // publish: what
  SubscribeWish wish{};
  bool compare = false;       // presence: nothing changes any more, so the answer is what the notices told
  std::uint64_t notices = 0;  // presence: that had come when it was asked
  bool excused = false;       // its answer may have been lost: the server said so
};

struct Credentials {
  std::string code;
  std::string epoch;
  std::string token;
};

// What a Gap says: messages from..to are gone.
struct Gap {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  bool replies = false;
};

// Facts about a run that decide how strict the oracles are.
struct Strictness {
  bool lossless = false;     // the bounds are so wide that nothing may ever be announced as missing
  bool may_refuse = false;   // limits.calls_in_flight or limits.rate_per_s are within reach
  bool shards = false;       // there are several: what is on another takes its time
  bool narrow_ways = false;  // limits.shard_queue_* are within reach
};

class ClientSession {
 public:
  ClientSession(Ledger& ledger, ShardedWorld& world, Strictness strictness, const Json& opened);

  // --- Sending. Text that goes out is counted and kept until the server has it.

  // A request's text with a fresh id; remembered as `issued` in the message that is posted next.
  [[nodiscard]] std::string request(Issued issued, std::string_view method, std::string_view params);
  [[nodiscard]] std::string notification(std::string_view method, std::string_view params);
  // Counts the text as the client's next message; it is to be written to the connection if there is one.
  const std::string& post(std::string text);
  void post_garbage() { ++garbage_; }
  [[nodiscard]] std::uint64_t next_seq() { return ++last_seq_; }
  [[nodiscard]] TopicView& topic(const std::string& name);

  // --- Receiving

  // Any text of the open connection. True if it was counted.
  bool on_text(std::string_view text);
  // The reply to session.resume: takes the new token, announces losses, forgets what the server has.
  void on_resumed(const Json& result);
  // What is to be written again, in order.
  [[nodiscard]] const std::deque<std::string>& unacknowledged() const { return unacked_; }
  // After each turn.
  void look();

  [[nodiscard]] const Credentials& credentials() const { return credentials_; }
  [[nodiscard]] const std::vector<std::string>& old_tokens() const { return old_tokens_; }
  [[nodiscard]] Serial serial() const { return serial_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t server_has() const { return server_has_; }
  [[nodiscard]] std::size_t outstanding() const;
  [[nodiscard]] std::string first_outstanding() const;
  // An id of a slow call that waits, 0 if none.
  [[nodiscard]] std::uint64_t cancellable() const;
  [[nodiscard]] bool close_code_seen() const { return closing_code_ != 0; }
  [[nodiscard]] std::uint64_t closing_code() const { return closing_code_; }
  void forget_closing() { closing_code_ = 0; }
  // When the server was last seen to have the session attached.
  [[nodiscard]] Millis attached_at() const { return attached_at_; }
  [[nodiscard]] unsigned resumes() const { return resumes_; }
  // The server got a message since the last resume: older tokens are replaced for good.
  [[nodiscard]] bool confirmed() const { return server_has_ > told_; }
  // topic.presence comes for that topic.
  [[nodiscard]] bool watches(const std::string& topic) const { return watched_.contains(topic); }
  // More is to come before the stream is where it was when the session was resumed.
  [[nodiscard]] bool replaying() const { return received_ < replay_to_; }

  // At the end of a session that was never lost: every call ran exactly once and everything was seen.
  void check_complete() const;

  bool close_requested = false;  // session.close is on its way
  // What the members of a topic are, told by topic.presence notifications.
  std::map<std::string, std::set<std::string>> members;

 private:
  void on_counted(std::string_view text, const Json& message);
  void check_tap(std::string_view text) const;
  void on_notification(std::string_view method, const Json& params);
  void on_session_message(const Json& params, bool missing);
  void on_presence(const Json& params);
  void on_reply(const Json& reply);
  void on_result(Issued& issued, const Json& result);
  void on_error(Issued& issued, const Json& error);
  void on_subscribed(const Issued& issued, const Json& result);
  void on_members(const Issued& issued, const Json& result);
  [[nodiscard]] bool refused_for_now(const Issued& issued, std::int64_t code, const std::string& told);
  // The topic's home is another shard than this session's.
  [[nodiscard]] bool elsewhere(const std::string& topic) const;
  void on_gap(const Gap& gap);
  void on_known_missing(const std::string& text, const Gap& gap);
  void lose_answer(const Json& reply);
  void excuse_answers();
  void lose(const Issued& issued, bool surely);
  void finish_replay() const;
  void on_server_ack(std::uint64_t received);
  [[nodiscard]] Json parse(std::string_view text);

  Ledger& ledger_;
  ShardedWorld& world_;
  Strictness strictness_;
  Serial serial_;
  Credentials credentials_;
  Hub& hub_;  // of the shard that owns it
  std::vector<std::string> old_tokens_;
  simdjson::dom::parser parser_;
  simdjson::dom::parser gap_parser_;
  Tap tap_;

  std::uint64_t received_ = 0;    // messages of the server counted
  std::uint64_t sent_ = 0;        // own messages
  std::uint64_t server_has_ = 0;  // of them, as the server said
  std::uint64_t told_ = 0;        // R of the last resume
  std::deque<std::string> unacked_;
  std::map<std::uint64_t, Issued> issued_;
  std::uint64_t last_id_ = 0;
  std::uint64_t last_seq_ = 0;
  std::uint64_t garbage_ = 0;         // texts that are answered with id null
  std::set<std::uint64_t> refused_;   // seq of calls that the server refused to run
  std::set<std::uint64_t> notified_;  // seq of calls without an id
  std::map<std::string, TopicView> topics_;
  std::set<std::string> watched_;
  std::map<std::string, std::uint64_t> notices_;  // topic.presence that came or were lost
  std::map<Serial, std::uint64_t> last_message_;
  std::map<Serial, std::uint64_t> last_broadcast_;
  std::uint64_t unknown_missing_ = 0;  // announced as missing, and nobody knows what they were
  bool lost_unknown_ = false;
  unsigned resumes_ = 0;
  Millis attached_at_ = 0;
  std::uint64_t closing_code_ = 0;
  // Of the last resume
  std::uint64_t replay_to_ = 0;
  std::uint64_t replay_due_ = 0;  // messages promised as replayed and not seen yet
  bool replay_lossless_ = true;
  bool told_recovered_ = true;
};

}  // namespace hubbub::sim
