#include "tests/sim/model_client.h"

#include <algorithm>
#include <utility>

#include "hubbub/base/hash.h"
#include "tests/sim/marks.h"
#include "tests/sim/violation.h"

namespace hubbub::sim {
namespace {

constexpr Millis kPreviousTokenMs = 30'000;  // docs/protocol.md
constexpr std::uint64_t kAckMessages = 64;
constexpr Millis kAckDelayMs = 1000;

std::string_view method_of(const Json& message) {
  std::string_view method;
  if (!message.is_object() || message["method"].get(method) != simdjson::SUCCESS) return {};
  return method;
}

}  // namespace

ModelClient::ModelClient(Town& town, unsigned index)
    : town_(town), index_(index), rng_(fork_seed(town.swarm.seed, "client", index)) {
  plain_ = rng_.below(100) < town.swarm.plain_percent;
  const std::uint64_t style = rng_.below(10);
  ack_style_ = style < 4 ? AckStyle::eager : style < 8 || !plain_ ? AckStyle::lazy : AckStyle::never;
  come_back_at_ = now() + static_cast<Millis>(rng_.below(300));
}

void ModelClient::note(std::string_view what) {
  if (!town_.note) return;
  std::string line = "client " + std::to_string(index_);
  if (session_) line += ' ' + session_->credentials().code;
  town_.note(line + ": " + std::string(what));
}

std::size_t ModelClient::some_bytes() {
  if (town_.calm) return kUnlimited;
  switch (rng_.below(4)) {
    case 0:
      return static_cast<std::size_t>(rng_.below(40));
    case 1:
      return static_cast<std::size_t>(rng_.below(2000));
    default:
      return kUnlimited;
  }
}

void ModelClient::step() {
  pump_ghosts();
  if (thief_) step_thief();
  if (!peer_ && !finished_ && now() >= come_back_at_) connect();
  if (peer_) pump();
  if (finished_) {
    if (peer_ && now() >= give_up_at_) drop(Cut::reset);
    return;
  }
  if (peer_ && (phase_ != Phase::open || leaving_) && now() >= give_up_at_)
    drop(rng_.below(2) == 0 ? Cut::reset : Cut::silent);
  if (peer_ && phase_ == Phase::open && !leaving_) acknowledge();
  if (town_.calm) return;
  if (peer_) disturb();
  if (session_ && !leaving_ && (phase_ == Phase::open || chance(500))) act();
}

void ModelClient::look() {
  if (session_) session_->look();
  if (fresh_) fresh_->look();
}

// --- The connection

void ModelClient::pump() {
  peer_->pump_out(some_bytes());
  if (town_.calm || now() >= stalled_until_) peer_->pump_in(some_bytes());
  while (peer_) {
    const auto frame = peer_->next();
    if (!frame) break;
    on_frame(*frame);
  }
  if (!peer_) return;
  if (phase_ == Phase::connecting && peer_->upgraded()) {
    phase_ = Phase::opening;
    if (!plain_) ask();
  }
  const bool refused = peer_->status() != 0 && !peer_->upgraded();
  if (peer_->ended() || refused) lost_connection();
}

void ModelClient::pump_ghosts() {
  for (auto& ghost : ghosts_) {
    ghost->pump_out(some_bytes());
    ghost->pump_in(some_bytes());
    while (const auto frame = ghost->next())
      if (frame->opcode == wire::Opcode::close) ghost->frame(wire::Opcode::close, frame->payload);
    if (chance(town_.calm ? 0 : 200)) ghost->cut(Cut::reset);
  }
  std::erase_if(ghosts_, [](const auto& ghost) { return ghost->ended(); });
}

void ModelClient::connect() {
  peer_ = std::make_unique<SimPeer>(town_.world, rng_);
  peer_->socket().to_client_capacity = town_.swarm.client_window;
  const bool named = session_ && rng_.below(100) < town_.swarm.url_percent;
  peer_->upgrade(!plain_, named ? session_->credentials().code : std::string());
  phase_ = Phase::connecting;
  asked_ = leaving_ = said_something_ = false;
  stalled_until_ = 0;
  fresh_.reset();
  give_up_at_ = now() + kGiveUpMs;
  if (session_) session_->forget_closing();
  const bool wrong =
      session_ && !town_.calm && attempt_ == Attempt::right && rng_.below(100) < town_.swarm.wrong_resume;
  if (wrong) attempt_ = static_cast<Attempt>(2 + rng_.below(4));
}

void ModelClient::drop(Cut kind) {
  peer_->cut(kind);
  go_away();
}

void ModelClient::lost_connection() {
  const bool ended = session_ && ((session_->close_requested && last_close_ == 1000) || last_close_ == 4510);
  note("lost connection, close code " + std::to_string(last_close_));
  if (ended) {
    demand(last_close_ != 4510 || stolen_, "4510 comes after theft only");
    lose_session();
  }
  go_away();
}

void ModelClient::go_away() {
  phase_ = Phase::away;
  peer_.reset();
  fresh_.reset();
  leaving_ = false;
  last_close_ = 0;
  const auto up_to = [this](Millis most) {
    return static_cast<Millis>(rng_.below(static_cast<std::uint64_t>(most)));
  };
  come_back_at_ = now() + up_to(town_.calm ? 50 : 1500);
  if (!town_.calm && rng_.below(100) < town_.swarm.long_absence)
    come_back_at_ += town_.swarm.settings.limits.grace_ms + up_to(1000);
}

void ModelClient::on_frame(const SimPeer::Frame& frame) {
  switch (frame.opcode) {
    case wire::Opcode::ping:
      if (leaving_) return;
      peer_->frame(wire::Opcode::pong, frame.payload);
      if (asked_ && spoke_after_ask_ == 0) spoke_after_ask_ = asked_at_;
      return;
    case wire::Opcode::text:
      if (phase_ != Phase::open) return on_opening_text(frame.payload);
      note("gets " + frame.payload);
      session_->on_text(frame.payload);
      return;
    case wire::Opcode::close: {
      const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(frame.payload[i]); };
      last_close_ = frame.payload.size() < 2 ? 1005U : static_cast<unsigned>(byte(0) << 8 | byte(1));
      if (leaving_) return;
      if (last_close_ == 4008) marks().hit(Mark::slow_consumer_4008);
      if (last_close_ == 4012) marks().hit(Mark::no_pong_4012);
      const bool fine = last_close_ == 4008 || last_close_ == 4012 || (last_close_ == 4510 && stolen_) ||
                        (last_close_ == 1000 && session_ && session_->close_requested) ||
                        (last_close_ == 1012 && town_.draining) ||
                        (last_close_ == 4501 && phase_ != Phase::open) ||
                        // The session ended while this connection moved to it.
                        (last_close_ == 4500 && phase_ != Phase::open && town_.strictness.shards) ||
                        (last_close_ == 1013 && town_.strictness.narrow_ways);
      demand(fine, "an honest client is closed for a reason:", last_close_, frame.payload.substr(2));
      demand(phase_ != Phase::open || session_->closing_code() == last_close_,
             "session.closing comes before the Close frame:", session_ ? session_->closing_code() : 0,
             last_close_);
      peer_->frame(wire::Opcode::close, frame.payload.substr(0, 2));
      leaving_ = true;
      give_up_at_ = now() + kGiveUpMs;
      return;
    }
    default:
      demand(false, "the server sends text, ping and close only");
  }
}

// --- Opening and resuming

void ModelClient::on_opening_text(const std::string& text) {
  Json message;
  demand(parser_.parse(text).get(message) == simdjson::SUCCESS, "what the server sends is JSON:", text);
  const std::string_view method = method_of(message);
  if (!fresh_ && (method == "session.closing" || method == "session.draining")) return;
  std::string_view id;
  if (method.empty() && message.is_object() && message["id"].get(id) == simdjson::SUCCESS) {
    demand(asked_ && id == 'x' + std::to_string(exchange_), "an answer to the exchange:", text);
    asked_ = false;
    return on_answer(message);
  }
  if (fresh_) {
    fresh_->on_text(text);
    return;
  }
  demand(plain_ && method == "session.opened", "the exchange comes first:", text);
  on_fresh(message["params"].value());
}

void ModelClient::on_fresh(const Json& opened_params) {
  auto fresh = std::make_unique<ClientSession>(town_.ledger, town_.world, town_.strictness, opened_params);
  if (!session_) return opened(std::move(fresh));
  fresh_ = std::move(fresh);
  fresh_->look();
  ask();
}

void ModelClient::ask() {
  ++exchange_;
  asked_ = true;
  asked_at_ = now();
  if (session_) return ask_to_resume();
  peer_->text(R"({"jsonrpc":"2.0","id":"x)" + std::to_string(exchange_) +
              R"(","method":"session.open","params":{"client":{"name":"sim"},"data":{"index":)" +
              std::to_string(index_) + "}}}");
}

void ModelClient::ask_to_resume() {
  Credentials shown = session_->credentials();
  std::uint64_t received = session_->received();
  const Session* there = town_.world.find(shown.code);
  switch (attempt_) {
    case Attempt::right:
      break;
    case Attempt::previous:
      shown.token = session_->old_tokens().back();
      break;
    case Attempt::wrong_token:
      shown.token[3] = shown.token[3] == 'A' ? 'B' : 'A';
      break;
    case Attempt::wrong_epoch:
      shown.epoch = "AAAAAAAAAAA";
      break;
    case Attempt::wrong_code:
      shown.code = "no-such-1";
      break;
    case Attempt::too_many:
      received = (there ? there->outbox().tail() : received) + 100'000;
      break;
  }
  note("asks to resume, attempt " + std::to_string(static_cast<int>(attempt_)) + " received " +
       std::to_string(received));
  peer_->text(R"({"jsonrpc":"2.0","id":"x)" + std::to_string(exchange_) +
              R"(","method":"session.resume","params":{"code":")" + shown.code + R"(","token":")" +
              shown.token + R"(","epoch":")" + shown.epoch + R"(","received":)" + std::to_string(received) +
              "}}");
}

void ModelClient::on_answer(const Json& answer) {
  Json part;
  const bool good = answer["result"].get(part) == simdjson::SUCCESS;
  if (!good) demand(answer["error"].get(part) == simdjson::SUCCESS, "an answer has a result or an error");
  if (session_) return good ? on_resumed(part) : on_refused(part);
  if (!good) {
    note("open refused: " + simdjson::minify(part));
    demand(town_.draining, "a session is opened:", simdjson::minify(part));
    return;
  }
  opened(std::make_unique<ClientSession>(town_.ledger, town_.world, town_.strictness, part));
}

void ModelClient::opened(std::unique_ptr<ClientSession> session) {
  session_ = std::move(session);
  session_->look();
  town_.sessions.push_back(session_->serial());
  phase_ = Phase::open;
  acked_ = 0;
  ack_due_ = 0;
  stolen_ = false;
  spoke_after_ask_ = 0;
  attempt_ = Attempt::right;
  quiet_until_ = now() + static_cast<Millis>(rng_.below(3) == 0 ? rng_.below(500) : 0);
  note("opened");
}

void ModelClient::on_resumed(const Json& result) {
  const bool again = attempt_ == Attempt::previous;
  demand(again || attempt_ == Attempt::right, "nobody resumes with wrong credentials");
  ++resumes_;
  if (again) marks().hit(Mark::previous_token_used);
  if (fresh_) marks().hit(Mark::plain_resume);
  attempt_ = Attempt::right;
  spoke_after_ask_ = 0;
  fresh_.reset();
  for (auto& ghost : ghosts_) {
    marks().hit(Mark::takeover);
    ghost->pump_in(kUnlimited);
    while (ghost->next()) {
    }
    if (ghost->mid_frame()) marks().hit(Mark::takeover_mid_frame);
  }
  acked_ = session_->received();
  session_->on_resumed(result);
  note("resumed");
  phase_ = Phase::open;
  ack_due_ = 0;
  if (!again && !town_.calm && rng_.below(100) < town_.swarm.previous_token) {
    // As if the answer had been lost: once more, with the token before.
    attempt_ = Attempt::previous;
    ghosts_.push_back(std::move(peer_));
    return connect();
  }
  const bool first = rng_.below(2) == 0;
  const auto ack = [this] {
    peer_->text(session_->notification("session.ack",
                                       R"({"received":)" + std::to_string(session_->received()) + '}'));
    acked_ = session_->received();
  };
  if (first) ack();
  for (const std::string& text : session_->unacknowledged()) peer_->text(text);
  if (!first && rng_.below(2) == 0) ack();
}

void ModelClient::on_refused(const Json& error) {
  std::int64_t code = 0;
  demand(error["code"].get(code) == simdjson::SUCCESS, "an error has a code");
  const Attempt shown = std::exchange(attempt_, Attempt::right);
  const Millis grace = town_.swarm.settings.limits.grace_ms;
  const bool expired = now() - session_->attached_at() >= grace;
  const bool there = town_.world.find(session_->credentials().code) != nullptr;
  const bool may_be_gone = session_->close_requested || stolen_ || expired;
  note("refused: " + simdjson::minify(error));
  demand(there || may_be_gone, "a session ends for a reason:", session_->credentials().code);
  if (shown == Attempt::too_many && code == -32602) {
    std::string_view field;
    demand(error["data"]["field"].get(field) == simdjson::SUCCESS && field == "received",
           "a count too high names its field");
    marks().hit(Mark::count_too_high);
    return ask();
  }
  if (code == -32029 && town_.draining) return;
  if (code == -32009 && town_.strictness.narrow_ways) {
    // The way to the session's shard was full: later again, with what it shows now.
    marks().hit(Mark::way_full);
    attempt_ = shown;
    return drop(Cut::fin);
  }
  demand(code == -32021, "a resume is refused with -32021:", simdjson::minify(error));
  if (shown != Attempt::right && shown != Attempt::previous) {
    if (there) marks().hit(Mark::wrong_credentials);
    demand(there || shown != Attempt::too_many || may_be_gone, "a count too high is told apart");
    return ask();
  }
  const bool token_too_old = spoke_after_ask_ != 0 && now() - spoke_after_ask_ >= kPreviousTokenMs;
  demand(!there || token_too_old, "the right credentials resume:", session_->credentials().code);
  if (expired && !session_->close_requested && !stolen_) marks().hit(Mark::expired);
  lose_session();
  on_session_gone();
}

void ModelClient::on_session_gone() {
  if (!plain_) return ask();
  if (!town_.world.find(fresh_->credentials().code)) {
    // The connection had moved to the lost session's shard and left the fresh one: the server ends it.
    demand(town_.strictness.shards, "the fresh session stays:", fresh_->credentials().code);
    fresh_.reset();
    return;
  }
  marks().hit(Mark::plain_resume_refused);
  opened(std::move(fresh_));
}

void ModelClient::lose_session() {
  note("session is over");
  demand(!town_.swarm.lossless || finished_, "no session is lost here:", session_->credentials().code);
  std::erase(town_.sessions, session_->serial());
  session_.reset();
}

void ModelClient::acknowledge() {
  const std::uint64_t received = session_->received();
  // A plain client is told what the server has only once it has acknowledged something itself.
  const bool curious = town_.calm && plain_ && !session_->unacknowledged().empty();
  if (received == acked_ && !curious) return;
  const AckStyle style = town_.calm && ack_style_ == AckStyle::never ? AckStyle::lazy : ack_style_;
  if (style == AckStyle::never) return;
  if (ack_due_ == 0) ack_due_ = now() + static_cast<Millis>(rng_.below(kAckDelayMs));
  if (style == AckStyle::lazy && received - acked_ < kAckMessages && now() < ack_due_) return;
  peer_->text(session_->notification("session.ack", R"({"received":)" + std::to_string(received) + '}'));
  acked_ = received;
  ack_due_ = 0;
  said_something_ = true;
}

}  // namespace hubbub::sim
