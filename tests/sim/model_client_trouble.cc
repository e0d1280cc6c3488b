// What goes wrong for a model client, how it is robbed, and how it leaves.
#include <algorithm>
#include <string>
#include <utility>

#include "tests/sim/marks.h"
#include "tests/sim/model_client.h"
#include "tests/sim/violation.h"

namespace hubbub::sim {

// --- Trouble

void ModelClient::disturb() {
  const Swarm& swarm = town_.swarm;
  if (chance(swarm.reset)) return drop(Cut::reset);
  if (chance(swarm.fin)) return drop(Cut::fin);
  if (chance(swarm.silent)) return drop(Cut::silent);
  if (chance(swarm.stall))
    stalled_until_ = now() + static_cast<Millis>(rng_.below(rng_.below(4) == 0 ? 15'000 : 1500));
  if (phase_ != Phase::open || leaving_) return;
  if (chance(swarm.takeover)) {
    note("takes over");
    ghosts_.push_back(std::move(peer_));
    return connect();
  }
  if (chance(swarm.half_close) || chance(swarm.leave)) {
    leaving_ = true;
    give_up_at_ = now() + kGiveUpMs;
    if (rng_.below(2) == 0) return peer_->half_close();
    return peer_->frame(wire::Opcode::close, std::string_view("\x03\xE9", 2));
  }
  const auto& old = session_->old_tokens();
  if (chance(swarm.thief) && !thief_ && old.size() >= 2 && session_->confirmed()) {
    note("is robbed");
    const std::size_t back =
        1 + static_cast<std::size_t>(rng_.below(std::min<std::uint64_t>(old.size(), 15)));
    thief_holder_ = {std::make_unique<SimPeer>(town_.world, rng_), old[old.size() - back], false};
    thief_ = &thief_holder_;
    thief_->peer->upgrade(true);
  }
}

void ModelClient::step_thief() {
  SimPeer& peer = *thief_->peer;
  peer.pump_out(kUnlimited);
  peer.pump_in(kUnlimited);
  bool done = !session_ || town_.calm;
  while (!done) {
    const auto frame = peer.next();
    if (!frame) break;
    if (frame->opcode != wire::Opcode::text) continue;
    if (frame->payload.find("shard_queue_") != std::string::npos) {  // nobody could be asked
      done = true;
      break;
    }
    demand(frame->payload.find("-32021") != std::string::npos ||
               frame->payload.find("session.closing") != std::string::npos,
           "a thief gets nothing:", frame->payload);
    demand(town_.world.find(session_->credentials().code) == nullptr, "theft ends the session");
    if (frame->payload.find("-32021") != std::string::npos) marks().hit(Mark::theft_detected);
    done = true;
  }
  if (!done && peer.upgraded() && !thief_->asked) {
    thief_->asked = stolen_ = true;
    peer.text(R"({"jsonrpc":"2.0","id":"t","method":"session.resume","params":{"code":")" +
              session_->credentials().code + R"(","token":")" + thief_->token + R"(","epoch":")" +
              session_->credentials().epoch + R"(","received":0}})");
  }
  if (!done && !peer.ended()) return;
  peer.cut(Cut::reset);
  thief_ = nullptr;
}

// --- The end

bool ModelClient::settled() const {
  if (!session_ || phase_ != Phase::open || leaving_ || !peer_ || thief_ || !ghosts_.empty()) return false;
  return peer_->idle() && session_->outstanding() == 0 && session_->unacknowledged().empty() &&
         !session_->replaying() && acked_ == session_->received();
}

void ModelClient::check_complete() const {
  if (session_) session_->check_complete();
}

void ModelClient::leave(bool politely) {
  finished_ = true;
  for (auto& ghost : ghosts_) ghost->cut(Cut::reset);
  if (thief_) thief_->peer->cut(Cut::reset);
  thief_ = nullptr;
  if (!peer_) return;
  if (!politely || phase_ != Phase::open) return drop(Cut::reset);
  session_->close_requested = true;
  post(session_->request({.method = Method::close}, "session.close", "{}"));
  give_up_at_ = now() + kGiveUpMs;
}

std::string ModelClient::state() const {
  std::string text = "client " + std::to_string(index_) + (plain_ ? " plain" : " v1") + " phase " +
                     std::to_string(static_cast<int>(phase_));
  if (leaving_) text += " leaving";
  if (!ghosts_.empty()) text += " ghosts " + std::to_string(ghosts_.size());
  if (!session_) return text + " no session";
  return text + ' ' + session_->credentials().code + " received " + std::to_string(session_->received()) +
         " sent " + std::to_string(session_->sent()) + " unacknowledged " +
         std::to_string(session_->unacknowledged().size()) + " waits for " +
         std::to_string(session_->outstanding()) + ' ' + session_->first_outstanding();
}

}  // namespace hubbub::sim
