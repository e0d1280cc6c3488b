#include "hubbub/core/session.h"

#include <algorithm>
#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/base/planted.h"
#include "hubbub/core/hub.h"
#include "hubbub/core/notices.h"
#include "hubbub/core/topic.h"

namespace hubbub {
namespace {
constexpr Millis kAfterShedMs = 5000;  // a reader that was given up may come back then
}  // namespace

Session::Session(Hub& hub, const Env& env, Identity identity, const Sha256& token_hash)
    : env_(env),
      hub_(hub),
      identity_(std::move(identity)),
      tokens_(token_hash),
      rate_(env.limits.rate_burst, env.now()),
      timer_([](void* self, Millis) { static_cast<Session*>(self)->on_timer(); }, this) {
  data_held_.set(identity_.data.size());
}

// --- Attached and detached

void Session::attach(Link& link) {
  state_ = SessionState::attached;
  link_ = &link;
  connection_ = link.connection_id();
  link_closing_ = false;
  attached_at_ = env_.now();
  received_told_ = received_;
  ends_at_ = ack_at_ = soft_at_ = 0;
  outbox_.unseal();
  replay_bytes_ = 0;
  replay_messages_ = 0;
  replay_bytes_ = backlog_bytes();
  replay_messages_ = backlog_messages();
  replay_end_ = outbox_.tail();
  timer_.cancel();
  wake_for_age();
  if (outbox_.writable()) link.wake();
}

void Session::detach() {
  last_input_at_ = link_->last_input_at();
  state_ = SessionState::detached;
  link_ = nullptr;
  link_closing_ = false;
  outbox_.unseal();
  fit_mailbox();
  ack_at_ = soft_at_ = 0;
  ends_at_ = env_.now() + env_.limits.grace_ms;
  timer_.cancel();
  wake_at(ends_at_);
  wake_for_age();
}

TokenMatch Session::match_token(const Sha256& presented, std::uint64_t connection) const {
  const Millis last_input = link_ ? link_->last_input_at() : last_input_at_;
  // Its network may have died with the answer to its resume in it: without a byte since, time does not count.
  const bool good = env_.now() - attached_at_ < kPreviousTokenMs || last_input <= attached_at_;
  const TokenMatch match = tokens_.match(presented, good);
  return match != TokenMatch::current && connection < connection_ ? TokenMatch::none : match;
}

void Session::count_received() {
  ++received_;
  tokens_.confirm();
  if (tells_acks_) note_unacknowledged();
}

void Session::tell_acks() {
  tells_acks_ = true;
  note_unacknowledged();
}

// What the client does not know to have arrived is told after so many messages, or a while after the first.
void Session::note_unacknowledged() {
  if (received_ == received_told_ || !link_ || link_closing_) return;
  if (received_ - received_told_ >= kAckMessages) return send_ack();
  if (ack_at_ != 0) return;
  ack_at_ = env_.now() + kAckDelayMs;
  wake_at(ack_at_);
}

void Session::send_ack() {
  ack_at_ = 0;
  received_told_ = received_;
  if (link_ && !link_closing_) link_->send_uncounted(ack_notice(received_));
}

bool Session::on_ack(std::uint64_t received) {
  if (received > outbox_.sent_max()) return false;
  tokens_.confirm();
  tell_acks();
  if (HUBBUB_PLANTED(lost_ack) && received % 7 == 3) return true;
  outbox_.trim(std::min(received, outbox_.sent()));
  return true;
}

// --- Messages to the client

PushStatus Session::push(FrameRef frame, Lane lane) {
  if (state_ == SessionState::ended) return PushStatus::ended;
  if (!link_ || link_closing_) return store(frame, lane);
  if (outbox_full()) [[unlikely]]
    return push_to_full(std::move(frame), lane);
  queue(std::move(frame), lane);
  ++env_.stats.deliveries;
  if (soft_at_ == 0 && backlog_bytes() > env_.limits.outbox_soft_bytes) {
    soft_at_ = env_.now() + env_.limits.outbox_soft_ms;
    wake_at(soft_at_);
  }
  return PushStatus::queued;
}

// A burst inside one turn is not the reader's fault: tries the socket before giving up on it.
PushStatus Session::push_to_full(FrameRef frame, Lane lane) {
  link_->flush_now();
  if (!link_ || link_closing_) return store(frame, lane);
  if (!outbox_full()) return push(std::move(frame), lane);
  const bool bytes = backlog_bytes() >= env_.limits.outbox_hard_bytes;
  env_.stats.hit(bytes ? LimitHit::hard_bytes : LimitHit::outbox_messages);
  close_link(error_info(Errc::slow_consumer).close_code,
             bytes ? "slow consumer: outbox.hard_bytes unread" : "slow consumer: outbox.messages unread",
             CloseMode::now);
  return store(frame, lane);
}

void Session::push_reply(FrameRef frame) {
  if (state_ == SessionState::ended) return;
  if (!link_ || link_closing_) {
    store(frame, Lane::reply);
    return;
  }
  queue(std::move(frame), Lane::reply);
}

// The connection has been woken for what was unsent before, and a ring with anything in it has its timer.
void Session::queue(FrameRef frame, Lane lane) {
  // Doubling the ring for a few messages would cost more than what is let go of: beyond replay.messages, sent
  // and unsent ones together, the mailbox would let go of them anyway.
  if (outbox_.ring_full() && outbox_.kept() > 0 && outbox_.frames() >= env_.limits.replay_messages)
      [[unlikely]] {
    outbox_.let_go(outbox_.acked() + 1);
    env_.stats.hit(LimitHit::replay);
  }
  const bool wakes = outbox_.unsent() == 0;
  const bool arms = outbox_.places() == 0;
  outbox_.push(std::move(frame), lane, env_.now());
  if (arms && !timer_.armed()) wake_at(env_.now() + env_.limits.replay_age_ms);
  if (wakes) link_->wake();
}

void Session::on_sent(std::size_t count) {
  env_.stats.messages_out += count;
  if (outbox_.sent() < replay_end_) [[unlikely]]
    note_replayed(count);
  outbox_.mark_sent(count);
  bound_kept();
  if (soft_at_ != 0 && backlog_bytes() <= env_.limits.outbox_soft_bytes) soft_at_ = 0;
}

// Of `count` frames on the wire, those that are replayed; leaves the others to be counted.
void Session::note_replayed(std::size_t& count) {
  for (; count > 0 && outbox_.sent() < replay_end_; --count) {
    const std::size_t bytes = backlog_bytes();
    const std::uint64_t messages = backlog_messages();
    outbox_.mark_sent();
    replay_bytes_ -= bytes - backlog_bytes();
    replay_messages_ -= messages - backlog_messages();
  }
}

// What is written and not acknowledged: the most recent is kept.
void Session::bound_kept() {
  if (!replays()) return outbox_.let_go(outbox_.sent());
  const Limits& limits = env_.limits;
  const std::uint64_t before = outbox_.frames();
  while (outbox_.kept() > limits.replay_messages || outbox_.kept_bytes() > limits.replay_bytes)
    outbox_.let_go(outbox_.acked() + 1);
  for (std::uint64_t gone = before - outbox_.frames(); gone > 0; --gone) env_.stats.hit(LimitHit::replay);
}

void Session::lose(std::uint64_t count, std::string_view reason) {
  if (state_ == SessionState::ended) return;
  close_link(error_info(Errc::overloaded).close_code, reason, CloseMode::after_outbox);
  for (; count > 0; --count) {
    outbox_.push_hole({}, Lane::message, env_.now());
    bound_places();
  }
}

// --- The mailbox

PushStatus Session::store(const FrameRef& frame, Lane lane) {
  if (replays() && (make_room(frame->size()) || lane == Lane::reply)) {
    outbox_.push(frame, lane, env_.now());
    ++env_.stats.deliveries;
    bound_places();
    if (!link_) wake_at(env_.now() + env_.limits.replay_age_ms);
    return PushStatus::stored;
  }
  env_.stats.hit(LimitHit::replay);
  if (lane == Lane::direct) return PushStatus::full;
  outbox_.push_hole(frame->origin(), lane, env_.now());
  bound_places();
  return PushStatus::lost;
}

bool Session::mailbox_has_room(std::size_t bytes) const {
  const Limits& limits = env_.limits;
  // What a connection that is closing still writes is bounded by outbox.*, and let go of when it is gone.
  const std::uint64_t more_messages = link_ ? limits.outbox_messages : 0;
  const std::size_t more_bytes = link_ ? limits.outbox_hard_bytes : 0;
  return outbox_.frames() + (bytes > 0) <= limits.replay_messages + more_messages &&
         outbox_.bytes() + bytes <= limits.replay_bytes + more_bytes;
}

// What was bounded by outbox.* for a reader that was there is bounded by replay.* now. Answers always stay.
void Session::fit_mailbox() {
  replay_bytes_ = 0;
  replay_messages_ = replay_end_ = 0;
  if (!replays()) return outbox_.let_go(outbox_.tail());
  let_go_older();
  outbox_.withdraw_gaps();
  const std::uint64_t before = outbox_.frames();
  for (const Lane lane : {Lane::message, Lane::direct})
    outbox_.shed(lane, env_.limits.replay_messages, env_.limits.replay_bytes);
  for (std::uint64_t gone = before - outbox_.frames(); gone > 0; --gone) env_.stats.hit(LimitHit::replay);
  bound_places();
}

bool Session::make_room(std::size_t bytes) {
  if (bytes > env_.limits.replay_bytes) return mailbox_has_room(bytes);  // nothing goes for what cannot stay
  while (!mailbox_has_room(bytes)) {
    if (!outbox_.drop_oldest()) return false;
    env_.stats.hit(LimitHit::replay);
  }
  return true;
}

void Session::bound_places() {
  if (link_) return;
  const std::uint64_t most = kPlacesFactor * std::max<std::uint64_t>(env_.limits.replay_messages, 1);
  while (outbox_.places() > (outbox_.owes_first() ? kPlacesFactor * most : most))
    outbox_.let_go(outbox_.acked() + 1);
}

void Session::let_go_older() {
  const std::uint64_t end = link_ ? outbox_.sent() : outbox_.tail();
  for (auto gone = outbox_.let_go_older(env_.limits.replay_age_ms, env_.now(), end); gone > 0; --gone)
    env_.stats.hit(LimitHit::replay);
}

// --- Time and the end of a connection

void Session::wake_at(Millis deadline) {
  if (!timer_.armed() || timer_.deadline() > deadline) env_.timers.arm(timer_, deadline);
}

void Session::on_timer() {
  if (state_ == SessionState::ended) return;
  if (state_ == SessionState::detached && env_.now() >= ends_at_) return hub_.expire(*this);
  let_go_older();
  if (state_ == SessionState::attached) on_attached_timer();
  if (ends_at_ != 0) wake_at(ends_at_);
  wake_for_age();
}

// When the oldest in the ring will be too old. What is too old and not written yet is looked at again later.
void Session::wake_for_age() {
  if (outbox_.places() == 0 || !replays()) return;
  const Millis age = env_.limits.replay_age_ms;
  const Millis oldest = outbox_.oldest_age(env_.now());
  wake_at(env_.now() + (oldest < age ? age - oldest : age) + Outbox::kStampMs);
}

void Session::on_attached_timer() {
  if (link_closing_) return;
  if (soft_at_ != 0 && env_.now() >= soft_at_) {
    soft_at_ = 0;
    env_.stats.hit(LimitHit::soft_bytes);
    return close_link(error_info(Errc::slow_consumer).close_code,
                      "slow consumer: more than outbox.soft_bytes unread for outbox.soft_time",
                      CloseMode::now);
  }
  if (ack_at_ != 0 && env_.now() >= ack_at_) send_ack();
  if (soft_at_ != 0) wake_at(soft_at_);
  if (ack_at_ != 0) wake_at(ack_at_);
}

void Session::on_stalled() {
  env_.stats.hit(LimitHit::write_stall);
  close_link(error_info(Errc::slow_consumer).close_code, "slow consumer: nothing read for outbox.write_stall",
             CloseMode::now);
}

bool Session::take_rate(Millis& retry_after_ms) {
  const Limits& limits = env_.limits;
  if (limits.rate_per_s <= 0 || rate_.take(limits.rate_per_s, limits.rate_burst, env_.now())) return true;
  retry_after_ms = rate_.wait_ms(limits.rate_per_s);
  env_.stats.hit(LimitHit::rate_per_s);
  return false;
}

void Session::on_link_closing() {
  link_closing_ = true;
  soft_at_ = ack_at_ = 0;
  outbox_.seal();
}

void Session::close_link(std::uint16_t code, std::string_view reason, CloseMode mode, Millis retry_after_ms) {
  if (!link_ || link_closing_) return;
  on_link_closing();
  link_->close(code, reason, mode, closing_notice(code, reason, retry_after_ms));
}

void Session::give_up_queue() {
  if (link_) {
    close_link(error_info(Errc::overloaded).close_code,
               "this server needs the memory (memory.budget) of what you have not read", CloseMode::now,
               kAfterShedMs);
    link_->release_outbox();
    outbox_.unseal();
  }
  env_.stats.shed_messages += outbox_.frames();
  outbox_.let_go(outbox_.tail());
  if (link_) outbox_.seal();
  replay_bytes_ = 0;
  replay_messages_ = replay_end_ = 0;
}

void Session::check_invariants() const {
  outbox_.check_invariants();
  HUBBUB_ASSERT((state_ == SessionState::attached) <= (link_ != nullptr));
  HUBBUB_ASSERT(state_ != SessionState::detached || link_ == nullptr);
  HUBBUB_ASSERT(state_ != SessionState::ended || subscriptions_.empty());
  HUBBUB_ASSERT(received_told_ <= received_);
  for (std::uint32_t i = 0; i < subscriptions_.size(); ++i) {
    const auto& subscribers = subscriptions_[i].topic->subscribers();
    HUBBUB_ASSERT(subscriptions_[i].index < subscribers.size());
    HUBBUB_ASSERT(subscribers[subscriptions_[i].index].session == this &&
                  subscribers[subscriptions_[i].index].index == i);
  }
}

}  // namespace hubbub
