#include "hubbub/core/hub.h"

#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/core/notices.h"

namespace hubbub {
namespace {
constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kEpochBytes = 8;
}  // namespace

Hub::Hub(const Env& env)
    : env_(env), topics_(0, StringHash{env.rng.next()}), broker_(std::make_unique<LocalBroker>(*this)) {}

Hub::~Hub() {
  // Topics point at sessions: let subscriptions go first.
  sessions_.for_each([&](Handle<Session>, Session& session) {
    while (!session.subscriptions_.empty()) unsubscribe_at(session, 0);
  });
}

std::string Hub::random_text(std::size_t bytes) {
  unsigned char buffer[kTokenBytes];
  HUBBUB_ASSERT(bytes <= sizeof buffer);
  env_.rng.fill({buffer, bytes});
  return base64url({buffer, bytes});
}

Result<Hub::Opened> Hub::open_session(Link& link, std::string_view data) {
  if (draining_) return fail(Errc::draining);
  if (full()) {
    env_.stats.hit(LimitHit::sessions);
    Error error = limit_error(Errc::overloaded, "limits.sessions",
                              "this server has all the sessions it takes (limits.sessions)");
    error.retry_after_ms = 1000;
    return std::unexpected(std::move(error));
  }
  const SessionCode code =
      codes_.draw(env_.rng, env_.now(), [&](SessionCode drawn) { return by_code_.contains(drawn.key()); });
  std::string token = random_text(kTokenBytes);
  Session::Identity identity{code, random_text(kEpochBytes), sha256(token), std::string(data)};
  const Handle<Session> handle = sessions_.emplace(*this, env_, std::move(identity));
  Session& session = *sessions_.get(handle);
  session.handle_ = handle;
  session.link_ = &link;
  by_code_.emplace(code.key(), handle);
  ++attached_;
  ++env_.stats.sessions_opened;
  return Opened{&session, std::move(token)};
}

void Hub::detach(Session& session) {
  HUBBUB_ASSERT(session.link_ != nullptr);
  session.link_ = nullptr;
  session.link_closing_ = false;
  session.timer_.cancel();
  if (session.state_ == SessionState::ended) return sessions_.erase(session.handle_);
  // Nobody can come back for what was not written yet, as long as sessions cannot be resumed.
  session.outbox_.clear();
  session.state_ = SessionState::detached;
  --attached_;
  ++detached_;
  if (env_.limits.grace_ms <= 0) return expire(session);
  env_.timers.arm(session.timer_, env_.now() + env_.limits.grace_ms);
}

void Hub::unindex(Session& session) {
  while (!session.subscriptions_.empty())
    unsubscribe_at(session, static_cast<std::uint32_t>(session.subscriptions_.size() - 1));
  by_code_.erase(session.code().key());
  codes_.retire(session.code(), env_.now());
  --(session.state_ == SessionState::attached ? attached_ : detached_);
  session.state_ = SessionState::ended;
  session.timer_.cancel();
  if (session_end_hook_) session_end_hook_(*this, session);
}

void Hub::end(Session& session, std::uint16_t close_code, std::string_view reason) {
  if (session.state_ == SessionState::ended) return;
  unindex(session);
  ++env_.stats.sessions_closed;
  if (!session.link_) return sessions_.erase(session.handle_);
  session.close_link(close_code, reason, CloseMode::after_outbox);
}

void Hub::finish_turn() {
  if (ending_.empty()) return;
  for (const auto handle : std::exchange(ending_, {}))
    if (Session* session = sessions_.get(handle)) end(*session, 1000, "session closed");
}

void Hub::expire(Session& session) {
  HUBBUB_ASSERT(session.state_ == SessionState::detached);
  unindex(session);
  ++env_.stats.sessions_expired;
  env_.log.debug("session expired", {{"session", session.code().text()}});
  sessions_.erase(session.handle_);
}

Session* Hub::find(std::string_view code) {
  const auto parsed = SessionCode::parse(code);
  if (!parsed) return nullptr;
  const auto found = by_code_.find(parsed->key());
  return found == by_code_.end() ? nullptr : sessions_.get(found->second);
}

Result<Topic*> Hub::topic_for(std::string_view name) {
  if (const auto found = topics_.find(name); found != topics_.end()) return found->second.get();
  if (!topic_name_valid(name)) {
    Error error = make_error(
        Errc::topic_invalid,
        "a topic name is 1-255 bytes of printable ASCII without spaces and does not begin with '$'");
    error.field = "topic";
    return std::unexpected(std::move(error));
  }
  if (topics_.size() >= env_.limits.topics) {
    env_.stats.hit(LimitHit::topics);
    return std::unexpected(limit_error(Errc::topic_invalid, "limits.topics",
                                       "this server has all the topics it takes (limits.topics)"));
  }
  auto topic = std::make_unique<Topic>(*this, std::string(name), random_text(kEpochBytes));
  Topic* result = topic.get();
  topics_.emplace(std::string(name), std::move(topic));
  env_.timers.arm(result->idle_timer_, env_.now() + env_.limits.topic_idle_ms);
  return result;
}

Result<Position> Hub::subscribe(Session& session, std::string_view name) {
  // A handler may still hold a session that ended a moment ago; its record is freed without looking for
  // subscriptions.
  if (session.state_ == SessionState::ended) return fail(Errc::session_unknown, "the session has ended");
  for (const auto& subscription : session.subscriptions_)
    if (subscription.topic->name() == name) return subscription.topic->position();
  if (session.subscriptions_.size() >= env_.limits.topics_per_session) {
    env_.stats.hit(LimitHit::topics_per_session);
    return std::unexpected(
        limit_error(Errc::too_many_subscriptions, "limits.topics_per_session",
                    "a session may have " + std::to_string(env_.limits.topics_per_session) +
                        " subscriptions (limits.topics_per_session); unsubscribe from one first"));
  }
  auto topic = topic_for(name);
  if (!topic) return std::unexpected(std::move(topic.error()));
  Topic& target = **topic;
  const auto here = static_cast<std::uint32_t>(session.subscriptions_.size());
  const auto there = static_cast<std::uint32_t>(target.subscribers_.size());
  session.subscriptions_.push_back({&target, there});
  target.subscribers_.push_back({&session, here});
  target.idle_timer_.cancel();
  ++subscriptions_;
  return target.position();
}

bool Hub::unsubscribe(Session& session, std::string_view name) {
  for (std::uint32_t i = 0; i < session.subscriptions_.size(); ++i) {
    if (session.subscriptions_[i].topic->name() != name) continue;
    unsubscribe_at(session, i);
    return true;
  }
  return false;
}

// Takes out both ends; the last entry of each list moves into the gap and its other end is told.
void Hub::unsubscribe_at(Session& session, std::uint32_t index) {
  const Session::Subscription gone = session.subscriptions_[index];
  Topic& topic = *gone.topic;
  session.subscriptions_[index] = session.subscriptions_.back();
  session.subscriptions_.pop_back();
  if (index < session.subscriptions_.size()) {
    const Session::Subscription& moved = session.subscriptions_[index];
    moved.topic->subscribers_[moved.index].index = index;
  }
  topic.subscribers_[gone.index] = topic.subscribers_.back();
  topic.subscribers_.pop_back();
  if (gone.index < topic.subscribers_.size()) {
    const Topic::Subscriber& moved = topic.subscribers_[gone.index];
    moved.session->subscriptions_[moved.index].index = gone.index;
  }
  --subscriptions_;
  if (topic.subscribers_.empty()) env_.timers.arm(topic.idle_timer_, env_.now() + env_.limits.topic_idle_ms);
}

void Hub::publish_json(std::string_view topic, std::string_view data) {
  broker_->publish(topic, data, [&log = env_.log](const Result<Position>& published) {
    if (!published) log.warn("publish failed", {{"reason", published.error().message()}});
  });
}

Result<Position> Hub::deliver(std::string_view name, std::string_view data) {
  auto found = topic_for(name);
  if (!found) return std::unexpected(std::move(found.error()));
  Topic& topic = **found;
  topic.advance();
  ++env_.stats.publishes;
  if (topic.subscribers_.empty()) {
    env_.timers.arm(topic.idle_timer_, env_.now() + env_.limits.topic_idle_ms);
    return topic.position();
  }
  const FrameRef frame = topic_message(name, topic.offset(), data);
  for (const Topic::Subscriber& subscriber : topic.subscribers_) subscriber.session->push(frame);
  return topic.position();
}

Result<SendStatus> Hub::deliver_to(std::string_view to_code, std::string_view from_code,
                                   std::string_view data) {
  Session* target = find(to_code);
  if (target && target->push(session_message(from_code, data)) == PushStatus::queued)
    return SendStatus::delivered;
  Error error = make_error(Errc::target_unknown);
  error.field = "to";
  return std::unexpected(std::move(error));
}

std::size_t Hub::deliver_to_all(std::string_view data) {
  const FrameRef frame = hub_message(data);
  std::size_t reached = 0;
  sessions_.for_each([&](Handle<Session>, Session& session) {
    if (session.state() != SessionState::ended && session.push(frame) == PushStatus::queued) ++reached;
  });
  return reached;
}

HubCounts Hub::counts() const { return {attached_, detached_, topics_.size(), subscriptions_}; }

void Hub::begin_drain(Millis retry_after_ms) {
  draining_ = true;
  const FrameRef notice = draining_notice(retry_after_ms);
  sessions_.for_each([&](Handle<Session>, Session& session) {
    if (session.link()) session.link()->send_uncounted(notice);
  });
}

void Hub::forget_idle(Topic& topic) {
  HUBBUB_ASSERT(topic.subscribers_.empty());
  topics_.erase(topic.name());
}

void Hub::check_invariants() {
  std::size_t attached = 0;
  std::size_t detached = 0;
  std::size_t subscriptions = 0;
  sessions_.for_each([&](Handle<Session> handle, Session& session) {
    session.check_invariants();
    const auto found = by_code_.find(session.code().key());
    const bool indexed = found != by_code_.end() && found->second == handle;
    HUBBUB_ASSERT(indexed == (session.state() != SessionState::ended));
    attached += session.state() == SessionState::attached;
    detached += session.state() == SessionState::detached;
    subscriptions += session.subscriptions().size();
  });
  HUBBUB_ASSERT(attached == attached_ && detached == detached_ && by_code_.size() == attached + detached);
  HUBBUB_ASSERT(subscriptions == subscriptions_);
  std::size_t ends = 0;
  for (const auto& [name, topic] : topics_) {
    ends += topic->subscribers().size();
    for (const Topic::Subscriber& s : topic->subscribers())
      HUBBUB_ASSERT(s.session->subscriptions().at(s.index).topic == topic.get());
  }
  HUBBUB_ASSERT(ends == subscriptions);
}

}  // namespace hubbub
