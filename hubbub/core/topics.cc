#include "hubbub/core/topics.h"

#include <algorithm>
#include <array>

#include "hubbub/base/assert.h"
#include "hubbub/base/frame_bulk.h"
#include "hubbub/core/notices.h"
#include "hubbub/core/presence.h"
#include "hubbub/core/session.h"

namespace hubbub {
namespace {

constexpr std::size_t kEpochBytes = 8;
// How long a mirror without subscribers follows its home: somebody may come back at once.
constexpr Millis kMirrorIdleMs = 1000;

Error bad_name() {
  Error error =
      make_error(Errc::topic_invalid,
                 "a topic name is 1-255 bytes of printable ASCII without spaces and does not begin with '$'");
  error.field = "topic";
  return error;
}

// Sessions lie all over the memory: what the push to the n-th and following will touch is fetched early.
void prefetch_subscriber(const std::vector<Topic::Subscriber>& all, std::size_t n) {
  constexpr std::size_t kSessionAhead = 24;
  constexpr std::size_t kPlaceAhead = 14;
  if (n + kSessionAhead < all.size()) all[n + kSessionAhead].session->prefetch();
  if (n + kPlaceAhead < all.size()) all[n + kPlaceAhead].session->prefetch_place();
}

}  // namespace

Topics::Topics(const Env& env) : env_(env), topics_(0, StringHash{env.rng.next()}), mirrors_(*this, env) {}

Topics::~Topics() {
  for (const auto& [name, topic] : topics_)
    if (topic->role() == TopicRole::home) Node::give(env_.node.topics);
}

std::string Topics::draw_epoch() {
  unsigned char bytes[kEpochBytes];
  env_.rng.fill(bytes);
  return base64url(bytes);
}

Topic* Topics::find(std::string_view name) const {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.get();
}

Result<Topic*> Topics::topic_for(std::string_view name) {
  if (Topic* found = find(name)) return found;
  if (!topic_name_valid(name)) return std::unexpected(bad_name());
  const ShardId here = env_.shard();
  const bool home = env_.node.home_of(name) == here;
  if (home && !Node::take(env_.node.topics, env_.limits.topics)) {
    env_.stats.hit(LimitHit::topics);
    return std::unexpected(limit_error(Errc::topic_invalid, "limits.topics",
                                       "this server has all the topics it takes (limits.topics)"));
  }
  auto topic = std::make_unique<Topic>(*this, home ? TopicRole::home : TopicRole::joining, std::string(name));
  if (home) {
    ++env_.stats.topics;
    topic->serial_ = ++last_serial_ * env_.node.shards() + here;
    topic->epoch_ = draw_epoch();
  }
  Topic* result = topic.get();
  topics_.emplace(std::string(name), std::move(topic));
  set_timer(*result);
  return result;
}

void Topics::forget(Topic& topic) {
  if (topic.role() == TopicRole::home) {
    Node::give(env_.node.topics);
    --env_.stats.topics;
  } else if (topic.role() == TopicRole::mirror) {
    mirrors_.leave(topic);
  }
  topics_.erase(topic.name());
}

void Topics::subscribe(Session& session, std::string_view name, const SubscribeHow& how, SubscribeDone done) {
  push_run();
  // A handler may still hold a session that ended a moment ago; its record is freed without looking for
  // subscriptions.
  if (session.state_ == SessionState::ended)
    return done(fail(Errc::session_unknown, "the session has ended"));
  Topic* topic = nullptr;
  Topic::Subscriber* subscriber = subscriber_of(session, name, topic);
  const bool fresh = subscriber == nullptr;
  if (fresh) {
    auto joined = join(session, name, topic);
    if (!joined) return done(std::unexpected(std::move(joined.error())));
    subscriber = *joined;
  }
  if (!TopicMirrors::must_ask(*topic, how)) return done(begin(*topic, *subscriber, how, fresh));
  if (!subscriber->held && (fresh || how.since || how.last)) {
    subscriber->held = true;
    holds_[{&session, topic}];
  }
  mirrors_.wait(*topic, {&session, how, std::move(done), fresh});
}

Subscribed Topics::begin(Topic& topic, Topic::Subscriber& subscriber, const SubscribeHow& how, bool fresh) {
  if (how.presence) watch(topic, subscriber, *how.presence);
  if (fresh) tell_change(topic, subscriber.session->code(), true);
  Subscribed subscribed{topic.position(), std::nullopt};
  if (how.since || how.last) {
    const bool whole = hold_missed(topic, subscriber, how);
    if (how.since) subscribed.recovered = whole;
  }
  return subscribed;
}

Topic::Subscriber* Topics::subscriber_of(const Session& session, std::string_view name, Topic*& topic) const {
  for (const auto& subscription : session.subscriptions_) {
    if (subscription.topic->name() != name) continue;
    topic = subscription.topic;
    return &topic->subscribers_[subscription.index];
  }
  return nullptr;
}

Result<Topic::Subscriber*> Topics::join(Session& session, std::string_view name, Topic*& topic) {
  if (session.subscriptions_.size() >= env_.limits.topics_per_session) {
    env_.stats.hit(LimitHit::topics_per_session);
    return std::unexpected(
        limit_error(Errc::too_many_subscriptions, "limits.topics_per_session",
                    "a session may have " + std::to_string(env_.limits.topics_per_session) +
                        " subscriptions (limits.topics_per_session); unsubscribe from one first"));
  }
  auto found = topic_for(name);
  if (!found) return std::unexpected(std::move(found.error()));
  topic = *found;
  const auto here = static_cast<std::uint32_t>(session.subscriptions_.size());
  const auto there = static_cast<std::uint32_t>(topic->subscribers_.size());
  session.subscriptions_.push_back({topic, there});
  topic->subscribers_.push_back({&session, here});
  ++env_.stats.subscriptions;
  if (there == 0) topic->timer_.cancel(), set_timer(*topic);
  return &topic->subscribers_.back();
}

bool Topics::unsubscribe(Session& session, std::string_view name) {
  push_run();
  for (std::uint32_t i = 0; i < session.subscriptions_.size(); ++i) {
    if (session.subscriptions_[i].topic->name() != name) continue;
    unsubscribe_at(session, i);
    return true;
  }
  return false;
}

void Topics::unsubscribe_all(Session& session) {
  push_run();
  while (!session.subscriptions_.empty())
    unsubscribe_at(session, static_cast<std::uint32_t>(session.subscriptions_.size() - 1));
}

// Takes out both ends; the last entry of each list moves into the gap and its other end is told.
void Topics::unsubscribe_at(Session& session, std::uint32_t index) {
  const auto gone = session.subscriptions_[index];
  Topic& topic = *gone.topic;
  Topic::Subscriber& subscriber = topic.subscribers_[gone.index];
  if (subscriber.held) holds_.erase({&session, &topic});
  const bool joined = !TopicMirrors::waits_to_join(topic, session);
  mirrors_.unsubscribed(topic, session);
  watch(topic, subscriber, false);
  session.subscriptions_[index] = session.subscriptions_.back();
  session.subscriptions_.pop_back();
  if (index < session.subscriptions_.size()) {
    const auto& moved = session.subscriptions_[index];
    moved.topic->subscribers_[moved.index].index = index;
  }
  topic.subscribers_[gone.index] = topic.subscribers_.back();
  topic.subscribers_.pop_back();
  if (gone.index < topic.subscribers_.size()) {
    const Topic::Subscriber& moved = topic.subscribers_[gone.index];
    moved.session->subscriptions_[moved.index].index = gone.index;
  }
  --env_.stats.subscriptions;
  if (joined) tell_change(topic, session.code(), false);
  if (topic.subscribers_.empty()) set_timer(topic);
}

Result<Position> Topics::publish(std::string_view name, std::string_view data) {
  auto found = topic_for(name);
  if (!found) return std::unexpected(std::move(found.error()));
  Topic& topic = **found;
  ++topic.offset_;
  ++env_.stats.publishes;
  HUBBUB_ASSERT(topic.role() == TopicRole::home);
  if (TopicHistory::wanted(env_.limits) || !topic.subscribers_.empty() || TopicMirrors::has_remotes(topic)) {
    const FrameRef frame = topic_message(name, topic.offset_, data, topic.serial_);
    mirrors_.forward(topic, frame, data.size());
    spread(topic, frame, data.size());
  }
  set_timer(topic);
  return topic.position();
}

void Topics::spread(Topic& topic, const FrameRef& frame, std::size_t data_size) {
  if (TopicHistory::wanted(env_.limits)) topic.history_.append(frame, data_size, env_.now(), env_.limits);
  if (topic.subscribers_.empty()) return;
  if (run_.topic && run_.topic != &topic) push_gathered();
  run_.topic = &topic;
  run_.frames.push_back(frame);
  if (topic.subscribers_.size() < kRunSubscribers || run_.frames.size() >= kRunFrames) push_gathered();
}

void Topics::push_gathered() {
  Topic& topic = *std::exchange(run_.topic, nullptr);
  std::vector<FrameRef> frames = std::exchange(run_.frames, {});
  push_to_subscribers(topic, frames);
  frames.clear();
  if (run_.frames.empty()) run_.frames = std::move(frames);  // its memory
}

void Topics::push_to_subscribers(Topic& topic, const std::vector<FrameRef>& frames) {
  std::array<std::optional<FrameBundle>, kRunFrames> bundles;
  for (std::size_t i = 0; i < frames.size(); ++i) bundles[i].emplace(frames[i], topic.subscribers_.size());
  std::size_t ahead = 0;
  for (Topic::Subscriber& subscriber : topic.subscribers_) {
    prefetch_subscriber(topic.subscribers_, ahead++);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (subscriber.held) [[unlikely]]
        hold_live(topic, subscriber, frames[i]);
      else
        subscriber.session->push(bundles[i]->take());
    }
  }
}

bool Topics::hold_missed(Topic& topic, Topic::Subscriber& subscriber, const SubscribeHow& how) {
  topic.history_.expire(env_.now(), env_.limits.history_age_ms);
  const bool same_epoch = how.since && how.since->epoch == topic.epoch_;
  const bool reached = same_epoch && how.since->offset <= topic.offset_;
  std::uint64_t wanted = topic.offset_;  // how many of the latest
  if (same_epoch) wanted = reached ? topic.offset_ - how.since->offset : 0;
  if (how.last) wanted = std::min(wanted, *how.last);
  subscriber.held = true;
  Hold& hold = holds_[{subscriber.session, &topic}];
  const std::uint64_t kept = std::min<std::uint64_t>(wanted, topic.history_.size());
  // Both end at the topic's offset: whichever is longer has what the other has.
  if (kept > hold.frames.size()) {
    hold.frames.clear();
    for (std::uint64_t offset = topic.offset_ - kept + 1; offset <= topic.offset_; ++offset)
      hold.frames.push_back(*topic.history_.frame(offset));
  }
  return reached && wanted <= hold.frames.size();
}

void Topics::hold_live(Topic& topic, Topic::Subscriber& subscriber, const FrameRef& frame) {
  Hold& hold = holds_[{subscriber.session, &topic}];
  hold.frames.push_back(frame);
  hold.live_bytes += frame->size();
  if (++hold.live > env_.limits.outbox_messages || hold.live_bytes > env_.limits.outbox_hard_bytes)
    let_go(topic, subscriber);
}

void Topics::release(Session& session, std::string_view name) {
  push_run();
  Topic* topic = nullptr;
  Topic::Subscriber* subscriber = subscriber_of(session, name, topic);
  if (!subscriber || !subscriber->held) return;
  // Another request of the session waits for the topic's home: once that has answered, all goes out.
  if (mirrors_.waits(*topic, session))
    topic->reach_->release_later = holds_[{&session, topic}].release_later = true;
  else
    let_go(*topic, *subscriber);
}

void Topics::release_put_off(Topic& topic) {
  for (Topic::Subscriber& subscriber : topic.subscribers_)
    if (subscriber.held && holds_[{subscriber.session, &topic}].release_later &&
        !mirrors_.waits(topic, *subscriber.session))
      let_go(topic, subscriber);
}

void Topics::unhold(Topic& topic, Topic::Subscriber& subscriber) {
  if (!subscriber.held) return;
  holds_.erase({subscriber.session, &topic});
  subscriber.held = false;
}

void Topics::let_go(Topic& topic, Topic::Subscriber& subscriber) {
  const auto found = holds_.find({subscriber.session, &topic});
  HUBBUB_ASSERT(found != holds_.end());
  const std::vector<FrameRef> frames = std::move(found->second.frames);
  holds_.erase(found);
  subscriber.held = false;
  for (const FrameRef& frame : frames) subscriber.session->push(frame);
}

FrameRef Topics::frame_of(const Session& session, Origin origin) const {
  if (origin.topic == 0) return {};
  for (const auto& subscription : session.subscriptions_) {
    if (subscription.topic->serial_ != origin.topic) continue;
    subscription.topic->history_.expire(env_.now(), env_.limits.history_age_ms);
    const FrameRef* frame = subscription.topic->history_.frame(origin.offset);
    return frame ? *frame : FrameRef();
  }
  return {};
}

Result<HistorySlice> Topics::history(std::string_view name, const std::optional<Position>& since,
                                     std::uint32_t limit) {
  if (!topic_name_valid(name)) return std::unexpected(bad_name());
  Topic* topic = find(name);
  if (topic) topic->history_.expire(env_.now(), env_.limits.history_age_ms);
  if (since && (!topic || since->epoch != topic->epoch_ || !topic->covers(since->offset))) {
    Error error = make_error(Errc::not_in_history);
    error.field = "since";
    return std::unexpected(std::move(error));
  }
  HistorySlice slice;
  if (!topic) return slice;
  slice.position = topic->position();
  const TopicHistory& kept = topic->history();
  const std::uint64_t after =
      since ? since->offset : topic->offset_ - std::min<std::uint64_t>(kept.size(), limit);
  const std::uint64_t count = std::min<std::uint64_t>(topic->offset_ - after, limit);
  for (std::uint64_t offset = after + 1; offset <= after + count; ++offset)
    slice.messages.push_back({*kept.frame(offset), kept.data(offset)});
  return slice;
}

Result<Members> Topics::members(std::string_view name, std::size_t codes_max) {
  if (!topic_name_valid(name)) return std::unexpected(bad_name());
  Members members;
  const Topic* topic = find(name);
  if (!topic) return members;
  members.count = topic->subscribers_.size();
  for (std::size_t i = 0; i < std::min(members.count, codes_max); ++i)
    members.codes.push_back(topic->subscribers_[i].session->code().text());
  return members;
}

void Topics::note_shown(std::string_view name) {
  if (const Topic* topic = find(name); topic && topic->presence_) topic->presence_->asked();
}

// --- Presence

void Topics::watch(Topic& topic, Topic::Subscriber& subscriber, bool on) {
  if (subscriber.watching == on) return;
  subscriber.watching = on;
  topic.watchers_ += on ? 1U : 0U;
  topic.watchers_ -= on ? 0U : 1U;
  if (topic.watchers_ > (on ? 1U : 0U)) return;
  if (topic.role() == TopicRole::home)
    set_watched(topic, on || TopicMirrors::watched_elsewhere(topic));
  else
    mirrors_.tell_watching(topic);
}

void Topics::set_watched(Topic& topic, bool watched) {
  if (watched == (topic.presence_ != nullptr)) return;
  topic.presence_.reset();
  if (watched) {
    const Timer::Fire flush = [](void* self, Millis) {
      auto* told = static_cast<Topic*>(self);
      told->topics_.tell_presence(*told);
    };
    topic.presence_ = std::make_unique<Presence>(env_, flush, &topic);
  }
  mirrors_.ask_for_reports(topic, watched);
}

void Topics::note_change(Topic& topic, SessionCode code, bool joined) {
  if (!topic.presence_) return;
  joined ? topic.presence_->joined(code) : topic.presence_->left(code);
}

void Topics::tell_change(Topic& topic, SessionCode code, bool joined) {
  if (topic.role() == TopicRole::home)
    note_change(topic, code, joined);
  else
    mirrors_.tell_change(topic, code, joined);
}

void Topics::tell_presence(Topic& topic) {
  const std::size_t members = topic.subscribers_.size() + TopicMirrors::members_elsewhere(topic);
  const FrameRef frame = topic.presence_->take(topic.name_, members);
  if (!frame) return;
  mirrors_.forward_presence(topic, frame);
  push_to_watchers(topic, frame);
}

void Topics::push_to_watchers(Topic& topic, const FrameRef& frame) {
  push_run();
  for (const Topic::Subscriber& subscriber : topic.subscribers_)
    if (subscriber.watching) subscriber.session->push(frame);
}

// --- Time

bool Topics::used(const Topic& topic) { return !topic.subscribers_.empty() || TopicMirrors::in_use(topic); }

void Topics::set_timer(Topic& topic) {
  if (!used(topic)) {
    Millis idle = env_.limits.topic_idle_ms;
    if (topic.role() != TopicRole::home) idle = std::min(idle, kMirrorIdleMs);
    env_.timers.arm(topic.timer_, env_.now() + idle);
  } else if (!topic.history_.empty() && !topic.timer_.armed()) {
    env_.timers.arm(topic.timer_, topic.history_.oldest() + env_.limits.history_age_ms);
  }
}

void Topics::on_timer(Topic& topic) {
  if (!used(topic)) return forget(topic);
  topic.history_.expire(env_.now(), env_.limits.history_age_ms);
  set_timer(topic);
}

void Topics::check_invariants() const {
  std::size_t ends = 0;
  std::size_t held = 0;
  for (const auto& [name, topic] : topics_) {
    const auto& subscribers = topic->subscribers();
    HUBBUB_ASSERT(topic->name() == name);
    HUBBUB_ASSERT(topic->timer_.armed() || (used(*topic) && topic->history().empty()));
    mirrors_.check_invariants(*topic);
    topic->history().check_invariants();
    HUBBUB_ASSERT(topic->history().empty() || topic->history().last() == topic->offset());
    std::size_t watching = 0;
    for (const Topic::Subscriber& s : subscribers) {
      HUBBUB_ASSERT(s.session->subscriptions().at(s.index).topic == topic.get());
      const auto hold = holds_.find({s.session, topic.get()});
      HUBBUB_ASSERT(s.held == (hold != holds_.end()));
      if (s.held && !hold->second.frames.empty())
        HUBBUB_ASSERT(hold->second.frames.back()->origin().offset == topic->offset());
      held += s.held;
      watching += s.watching;
    }
    ends += subscribers.size();
    HUBBUB_ASSERT(watching == topic->watchers_);
    const bool watched = watching > 0 || TopicMirrors::watched_elsewhere(*topic);
    HUBBUB_ASSERT((topic->presence_ != nullptr) == (watched && topic->role() == TopicRole::home));
    if (topic->presence_) topic->presence_->check_invariants();
  }
  HUBBUB_ASSERT(ends == env_.stats.subscriptions && held == holds_.size());
}

}  // namespace hubbub
