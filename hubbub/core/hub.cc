#include "hubbub/core/hub.h"

#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/base/planted.h"
#include "hubbub/core/notices.h"

namespace hubbub {
namespace {
constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kEpochBytes = 8;
}  // namespace

Error unknown_target() {
  Error error = make_error(Errc::target_unknown);
  error.field = "to";
  return error;
}

Hub::Hub(const Env& env) : env_(env), topics_(env), broker_(std::make_unique<LocalBroker>(*this)) {}

Hub::~Hub() {
  // Topics point at sessions: let subscriptions go first.
  sessions_.for_each([&](Handle<Session>, Session& session) {
    topics_.unsubscribe_all(session);
    Node::give(env_.node.sessions);
  });
}

std::string Hub::random_text(std::size_t bytes) {
  unsigned char buffer[kTokenBytes];
  HUBBUB_ASSERT(bytes <= sizeof buffer);
  env_.rng.fill({buffer, bytes});
  return base64url({buffer, bytes});
}

Result<Hub::Opened> Hub::open_session(Link& link, std::string_view data) {
  if (draining()) return fail(Errc::draining);
  if (env_.node.memory_short.load(std::memory_order_relaxed)) {
    env_.stats.hit(LimitHit::memory_budget);
    Error error = limit_error(Errc::overloaded, "memory.budget",
                              "this server has no memory for another session now (memory.budget)");
    error.retry_after_ms = 5000;
    return std::unexpected(std::move(error));
  }
  if (!Node::take(env_.node.sessions, env_.limits.sessions)) {
    env_.stats.hit(LimitHit::sessions);
    Error error = limit_error(Errc::overloaded, "limits.sessions",
                              "this server has all the sessions it takes (limits.sessions)");
    error.retry_after_ms = 1000;
    return std::unexpected(std::move(error));
  }
  const SessionCode code = codes_.draw(
      env_.rng, env_.now(), [&](SessionCode drawn) { return by_code_.contains(drawn.key()); },
      [&](SessionCode drawn) { return env_.node.owner_of(drawn) == env_.shard(); });
  std::string token = random_text(kTokenBytes);
  Session::Identity identity{code, random_text(kEpochBytes), std::string(data)};
  const Handle<Session> handle = sessions_.emplace(*this, env_, std::move(identity), sha256(token));
  Session& session = *sessions_.get(handle);
  session.handle_ = handle;
  session.attach(link);
  by_code_.emplace(code.key(), handle);
  ++env_.stats.attached;
  ++env_.stats.sessions_opened;
  return Opened{&session, std::move(token)};
}

Result<Hub::Resumed> Hub::resume_session(Link& link, const Claim& claim) {
  topics_.push_run();
  TokenMatch match = TokenMatch::none;
  const auto checked = check_claim(claim, link.connection_id(), link.remote(), match);
  if (!checked) return std::unexpected(checked.error());
  Session& session = **checked;
  if (Link* old = session.link_) {
    ++env_.stats.sessions_superseded;
    session.link_ = nullptr;
    old->supersede();
    session.outbox_.unseal();
    session.fit_mailbox();  // or takeovers would gather what one connection did not read after the other
  } else {
    --env_.stats.detached;
    ++env_.stats.attached;
  }
  std::string token = random_text(kTokenBytes);
  session.tokens_.rotate(match, sha256(token));
  session.let_go_older();
  const bool twice = HUBBUB_PLANTED(double_push) && claim.received > session.outbox_.acked();
  const Outbox::Replay replay = session.outbox_.resume(
      claim.received - twice, [&](Origin origin) { return topics_.frame_of(session, origin); }, gap_notice);
  session.attach(link);
  ++env_.stats.sessions_resumed;
  env_.stats.resumes_incomplete += replay.missing_to > 0 || replay.gaps;
  env_.stats.replayed_ring += replay.from_ring;
  env_.stats.replayed_history += replay.from_history;
  return Resumed{&session, std::move(token), replay};
}

Result<void> Hub::check(const Claim& claim, std::uint64_t connection, std::string_view remote) {
  TokenMatch match = TokenMatch::none;
  if (auto checked = check_claim(claim, connection, remote, match); !checked)
    return std::unexpected(std::move(checked.error()));
  return {};
}

Result<Session*> Hub::check_claim(const Claim& claim, std::uint64_t connection, std::string_view remote,
                                  TokenMatch& match) {
  if (draining()) return fail(Errc::draining);
  auto session = session_of(claim, connection, remote, match);
  if (!session) ++env_.stats.resumes_refused;
  return session;
}

// Does the same work whatever is wrong, so that neither answer nor time tells which codes are in use.
Result<Session*> Hub::session_of(const Claim& claim, std::uint64_t connection, std::string_view remote,
                                 TokenMatch& match) {
  const Sha256 shown = sha256(claim.token);
  Session* session = find(claim.code);
  static const SessionTokens kNobody(Sha256{});
  match = session ? session->match_token(shown, connection) : kNobody.match(shown, false);
  const Sha256 epoch = sha256(session ? std::string_view(session->identity().epoch) : std::string_view());
  if (!equal_constant_time(epoch, sha256(claim.epoch)) || match == TokenMatch::none)
    return fail(Errc::session_unknown);
  if (match == TokenMatch::replaced) {
    ++env_.stats.tokens_reused;
    env_.log.warn("session token reused", {{"session", session->code().text()}, {"remote", remote}});
    end(*session, error_info(Errc::unauthenticated).close_code, "a copy of this session's token was used");
    return fail(Errc::session_unknown);
  }
  if (claim.received > session->outbox().sent_max()) {
    Error error = make_error(Errc::invalid_params,
                             "\"received\" is " + std::to_string(claim.received) + ", but only " +
                                 std::to_string(session->outbox().sent_max()) + " messages were sent");
    error.field = "received";
    return std::unexpected(std::move(error));
  }
  return session;
}

void Hub::discard(Session& session) {
  unindex(session);
  ++env_.stats.sessions_closed;
  free(session);
}

void Hub::free(Session& session) {
  Node::give(env_.node.sessions);
  sessions_.erase(session.handle_);
}

void Hub::detach(Session& session) {
  topics_.push_run();
  HUBBUB_ASSERT(session.link_ != nullptr);
  if (session.state_ == SessionState::ended) return free(session);
  session.detach();
  --env_.stats.attached;
  ++env_.stats.detached;
  if (env_.limits.grace_ms <= 0) expire(session);
}

void Hub::unindex(Session& session) {
  topics_.unsubscribe_all(session);
  by_code_.erase(session.code().key());
  codes_.retire(session.code(), env_.now());
  --(session.state_ == SessionState::attached ? env_.stats.attached : env_.stats.detached);
  session.state_ = SessionState::ended;
  session.timer_.cancel();
  if (session_end_hook_) session_end_hook_(*this, session);
}

void Hub::end(Session& session, std::uint16_t close_code, std::string_view reason) {
  topics_.push_run();
  if (session.state_ == SessionState::ended) return;
  unindex(session);
  ++env_.stats.sessions_closed;
  if (!session.link_) return free(session);
  session.close_link(close_code, reason, CloseMode::after_outbox);
}

void Hub::finish_turn() {
  topics_.push_run();
  if (ending_.empty()) return;
  for (const auto handle : std::exchange(ending_, {}))
    if (Session* session = sessions_.get(handle)) end(*session, 1000, "session closed");
}

void Hub::expire(Session& session) {
  HUBBUB_ASSERT(session.state_ == SessionState::detached);
  unindex(session);
  ++env_.stats.sessions_expired;
  env_.log.debug("session expired", {{"session", session.code().text()}});
  free(session);
}

Session* Hub::find(std::string_view code) {
  const auto parsed = SessionCode::parse(code);
  return parsed ? find(*parsed) : nullptr;
}

Session* Hub::find(SessionCode code) {
  const auto found = by_code_.find(code.key());
  return found == by_code_.end() ? nullptr : sessions_.get(found->second);
}

Result<Position> Hub::subscribe(Session& session, std::string_view topic) {
  // Filled now or, when `now` is gone, too late to be told.
  auto now = std::make_shared<std::optional<Result<Position>>>(std::in_place, Position{});
  topics_.subscribe(session, topic, {},
                    [told = std::weak_ptr(now), &log = env_.log](Result<Subscribed> subscribed) {
                      const auto result = told.lock();
                      if (!subscribed && !result)
                        log.warn("subscribe failed", {{"reason", subscribed.error().message()}});
                      else if (!subscribed)
                        *result = std::unexpected(std::move(subscribed.error()));
                      else if (result)
                        *result = std::move(subscribed->position);
                    });
  return std::move(**now);
}

void Hub::publish_json(std::string_view topic, std::string_view data) {
  broker_->publish(topic, data, [&log = env_.log](const Result<Position>& published) {
    if (!published) log.warn("publish failed", {{"reason", published.error().message()}});
  });
}

Result<SendStatus> Hub::deliver_to(SessionCode to, const FrameRef& frame) {
  topics_.push_run();
  Session* target = find(to);
  const PushStatus pushed = target ? target->push(frame, Lane::direct) : PushStatus::ended;
  if (pushed == PushStatus::queued) return SendStatus::delivered;
  if (pushed == PushStatus::stored) return SendStatus::queued;
  if (pushed == PushStatus::full)
    return std::unexpected(
        limit_error(Errc::mailbox_full, "replay.messages",
                    "the target is not connected, and its mailbox is full (replay.messages, "
                    "replay.bytes); try again when it may be back"));
  return std::unexpected(unknown_target());
}

std::size_t Hub::deliver_to_all(const FrameRef& frame) {
  topics_.push_run();
  std::size_t reached = 0;
  sessions_.for_each([&](Handle<Session>, Session& session) {
    const PushStatus pushed = session.push(frame);
    reached += pushed == PushStatus::queued || pushed == PushStatus::stored;
  });
  return reached;
}

HubCounts Hub::counts() const {
  const Stats& stats = env_.stats;
  return {stats.attached, stats.detached, stats.topics, stats.subscriptions};
}

void Hub::begin_drain(Millis retry_after_ms) {
  topics_.push_run();
  env_.node.draining = true;
  env_.stats.draining = 1;
  const FrameRef notice = draining_notice(retry_after_ms);
  sessions_.for_each([&](Handle<Session>, Session& session) {
    if (session.link()) session.link()->send_uncounted(notice);
  });
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
  HUBBUB_ASSERT(attached == env_.stats.attached && detached == env_.stats.detached &&
                by_code_.size() == attached + detached);
  HUBBUB_ASSERT(subscriptions == env_.stats.subscriptions);
  topics_.check_invariants();
}

}  // namespace hubbub
