// ModelClient: a client that speaks the real protocol over SimPeers, keeps its session over every cut and
// resumes as docs/protocol.md says, and does all that a client may do. What its run of luck is, says the
// swarm. The oracles about its stream are ClientSession's; here are those about connections and tokens.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/client_session.h"
#include "tests/sim/sim_peer.h"
#include "tests/sim/swarm.h"

namespace hubbub::sim {

// What the clients of one run share.
struct Town {
  ShardedWorld& world;
  const Swarm& swarm;
  Ledger ledger;
  Strictness strictness;
  std::vector<Serial> sessions;  // that were opened and may be sent to
  bool calm = false;             // no faults any more: everybody comes back and finishes
  bool draining = false;
  std::function<void(std::string)> note;  // for --verbose
};

// An exchange or a farewell that takes longer is given up.
inline constexpr Millis kGiveUpMs = 8'000;

enum class AckStyle : std::uint8_t { eager, lazy, never };

class ModelClient {
 public:
  ModelClient(Town& town, unsigned index);

  // What the client does between two turns.
  void step();
  // After a turn: what was pushed to its session?
  void look();
  // The calm begins: back soon, wherever it is.
  void come_back() { come_back_at_ = std::min(come_back_at_, now() + 50); }
  // In the calm: open, everything answered and acknowledged, or without a session.
  [[nodiscard]] bool settled() const;
  // In the calm: asks for what tells whether something is missing.
  void probe();
  void check_complete() const;
  // Goes for good.
  void leave(bool politely);
  [[nodiscard]] unsigned resumes() const { return resumes_; }
  [[nodiscard]] bool gone() const { return !peer_ && ghosts_.empty() && !thief_; }
  [[nodiscard]] std::string state() const;
  [[nodiscard]] std::uint64_t last_close() const { return last_close_; }

 private:
  enum class Phase : std::uint8_t { away, connecting, opening, open };
  // What the next session.resume shows.
  enum class Attempt : std::uint8_t { right, previous, wrong_token, wrong_epoch, wrong_code, too_many };
  struct Thief {
    std::unique_ptr<SimPeer> peer;
    std::string token;
    bool asked = false;
  };

  [[nodiscard]] Millis now() const { return town_.world.clock.now; }
  [[nodiscard]] bool chance(std::uint32_t in_ten_thousand) { return rng_.below(10'000) < in_ten_thousand; }
  [[nodiscard]] std::size_t some_bytes();
  void note(std::string_view what);

  // Connection (model_client.cc)
  void pump();
  void pump_ghosts();
  void connect();
  void lost_connection();
  void drop(Cut kind);
  void go_away();
  void on_frame(const SimPeer::Frame& frame);
  void on_opening_text(const std::string& text);
  void on_fresh(const Json& opened);
  void ask();
  void ask_to_resume();
  void on_answer(const Json& answer);
  void on_resumed(const Json& result);
  void on_refused(const Json& error);
  void on_session_gone();
  void lose_session();
  void opened(std::unique_ptr<ClientSession> session);
  void step_thief();
  void acknowledge();
  void disturb();

  // Work (model_client_work.cc)
  void act();
  [[nodiscard]] std::string item(bool batched);
  [[nodiscard]] std::string call_item();
  [[nodiscard]] std::string topic_item(bool batched);
  [[nodiscard]] std::string subscribe_item(const std::string& topic, bool batched);
  [[nodiscard]] std::string other_item(bool batched);
  [[nodiscard]] std::string odd_item();
  [[nodiscard]] std::string any_topic();
  void post(std::string text);

  Town& town_;
  unsigned index_;
  SeededRng rng_;
  bool plain_;
  AckStyle ack_style_;
  Phase phase_ = Phase::away;
  std::unique_ptr<SimPeer> peer_;
  std::vector<std::unique_ptr<SimPeer>> ghosts_;  // connections left to themselves
  std::unique_ptr<ClientSession> session_;
  std::unique_ptr<ClientSession> fresh_;  // plain mode: the session to be dropped by the resume
  Thief thief_holder_;
  Thief* thief_ = nullptr;
  simdjson::dom::parser parser_;

  Attempt attempt_ = Attempt::right;
  bool asked_ = false;          // an exchange is on its way
  std::uint64_t exchange_ = 0;  // its id
  std::uint64_t asked_at_bytes_ = 0;
  Millis asked_at_ = 0;
  Millis spoke_after_ask_ = 0;  // since when the previous token may be no good; 0: it is
  Millis come_back_at_ = 0;
  Millis give_up_at_ = 0;
  Millis stalled_until_ = 0;
  Millis quiet_until_ = 0;
  std::uint64_t acked_ = 0;
  Millis ack_due_ = 0;
  std::uint64_t last_close_ = 0;
  bool said_something_ = false;  // since the last resume on this connection
  bool stolen_ = false;          // somebody showed a token that was replaced
  bool leaving_ = false;         // a Close frame was sent, or the client's side has ended
  bool finished_ = false;        // leave() was called
  unsigned resumes_ = 0;
  std::uint64_t publications_ = 0;
  std::uint64_t broadcasts_ = 0;
};

}  // namespace hubbub::sim
