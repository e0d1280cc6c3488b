#include "hubbub/core/session.h"

#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/core/hub.h"
#include "hubbub/core/notices.h"
#include "hubbub/core/topic.h"

namespace hubbub {

Session::Session(Hub& hub, const Env& env, Identity identity)
    : hub_(hub),
      env_(env),
      identity_(std::move(identity)),
      rate_(env.limits.rate_burst, env.now()),
      timer_([](void* self, Millis) { static_cast<Session*>(self)->on_timer(); }, this) {}

std::size_t Session::backlog_bytes() const { return outbox_.unsent_bytes() - outbox_.unsent_reply_bytes(); }

bool Session::outbox_full() const {
  return backlog_bytes() >= env_.limits.outbox_hard_bytes ||
         outbox_.unsent() - outbox_.unsent_replies() >= env_.limits.outbox_messages;
}

PushStatus Session::push(const FrameRef& frame) {
  if (!link_ || link_closing_) return PushStatus::detached;
  // A burst inside one turn is not the reader's fault: try the socket before giving up on it.
  if (outbox_full()) {
    link_->flush_now();
    if (!link_ || link_closing_) return PushStatus::detached;
    if (outbox_full()) {
      const bool bytes = backlog_bytes() >= env_.limits.outbox_hard_bytes;
      env_.stats.hit(bytes ? LimitHit::hard_bytes : LimitHit::outbox_messages);
      close_link(error_info(Errc::slow_consumer).close_code,
                 bytes ? "slow consumer: outbox.hard_bytes unread" : "slow consumer: outbox.messages unread",
                 CloseMode::now);
      return PushStatus::slow;
    }
  }
  outbox_.push(frame);
  ++env_.stats.deliveries;
  if (backlog_bytes() > env_.limits.outbox_soft_bytes && !timer_.armed())
    env_.timers.arm(timer_, env_.now() + env_.limits.outbox_soft_ms);
  link_->wake();
  return PushStatus::queued;
}

void Session::push_reply(FrameRef frame) {
  if (!link_ || link_closing_) return;
  outbox_.push(std::move(frame), Lane::reply);
  link_->wake();
}

void Session::on_sent() {
  outbox_.mark_sent();
  // Nothing is kept for replay yet: what the socket took is let go.
  outbox_.trim(outbox_.sent());
  ++env_.stats.messages_out;
  if (state_ == SessionState::attached && timer_.armed() && backlog_bytes() <= env_.limits.outbox_soft_bytes)
    timer_.cancel();
}

void Session::on_stalled() {
  env_.stats.hit(LimitHit::write_stall);
  close_link(error_info(Errc::slow_consumer).close_code, "slow consumer: nothing read for outbox.write_stall",
             CloseMode::now);
}

void Session::on_timer() {
  if (state_ == SessionState::detached) return hub_.expire(*this);
  if (state_ != SessionState::attached || backlog_bytes() <= env_.limits.outbox_soft_bytes) return;
  env_.stats.hit(LimitHit::soft_bytes);
  close_link(error_info(Errc::slow_consumer).close_code,
             "slow consumer: more than outbox.soft_bytes unread for outbox.soft_time", CloseMode::now);
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
  timer_.cancel();
}

void Session::close_link(std::uint16_t code, std::string_view reason, CloseMode mode, Millis retry_after_ms) {
  if (!link_ || link_closing_) return;
  on_link_closing();
  link_->close(code, reason, mode, closing_notice(code, reason, retry_after_ms));
}

void Session::check_invariants() const {
  outbox_.check_invariants();
  HUBBUB_ASSERT((state_ == SessionState::attached) <= (link_ != nullptr));
  HUBBUB_ASSERT(state_ != SessionState::ended || subscriptions_.empty());
  for (std::uint32_t i = 0; i < subscriptions_.size(); ++i) {
    const auto& subscribers = subscriptions_[i].topic->subscribers();
    HUBBUB_ASSERT(subscriptions_[i].index < subscribers.size());
    HUBBUB_ASSERT(subscribers[subscriptions_[i].index].session == this &&
                  subscribers[subscriptions_[i].index].index == i);
  }
}

}  // namespace hubbub
