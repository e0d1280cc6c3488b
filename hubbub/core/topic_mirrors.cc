#include "hubbub/core/topic_mirrors.h"

#include <algorithm>
#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/base/planted.h"
#include "hubbub/core/hub.h"
#include "hubbub/core/presence.h"
#include "hubbub/core/session.h"
#include "hubbub/core/topics.h"

namespace hubbub {
namespace {

// What a frame or a name on the way weighs beside its own bytes.
constexpr std::size_t kMessageBytes = 64;

// A loss of more is told as this many: the client comes back and subscribes from its offset either way, and a
// hole costs its session an entry.
constexpr std::uint64_t kLostMax = 1024;

std::size_t bytes_of(const std::vector<TopicHistory::Kept>& frames) {
  std::size_t bytes = kMessageBytes;
  for (const auto& kept : frames) bytes += kept.frame->size();
  return bytes;
}

}  // namespace

TopicReach& TopicMirrors::reach(Topic& topic) {
  if (!topic.reach_) topic.reach_ = std::make_unique<TopicReach>();
  return *topic.reach_;
}

TopicReach::Remote* TopicMirrors::remote_of(Topic& topic, ShardId shard) {
  if (!topic.reach_) return nullptr;
  auto& remotes = topic.reach_->remotes;
  const auto found = std::ranges::find(remotes, shard, &TopicReach::Remote::shard);
  return found == remotes.end() ? nullptr : &*found;
}

Topic* TopicMirrors::mirror_of(std::uint32_t serial) const {
  const auto found = by_serial_.find(serial);
  return found == by_serial_.end() ? nullptr : found->second;
}

// --- At a mirror: joining

bool TopicMirrors::must_ask(const Topic& topic, const SubscribeHow& how) {
  if (topic.role() == TopicRole::joining) return true;
  // Ahead of this mirror: it heard of a publication that is still on its way here.
  return topic.role() == TopicRole::mirror && how.since && how.since->epoch == topic.epoch_ &&
         how.since->offset > topic.offset();
}

void TopicMirrors::wait(Topic& topic, TopicReach::Waiting waiting) {
  TopicReach& reach = TopicMirrors::reach(topic);
  reach.waiting.push_back(std::move(waiting));
  if (!reach.asked && !ask_home(topic)) refuse_waiting(topic, neighbour_busy());
}

bool TopicMirrors::waits(const Topic& topic, const Session& session) {
  return topic.reach_ && std::ranges::any_of(topic.reach_->waiting, [&](const TopicReach::Waiting& waiting) {
           return waiting.session == &session;
         });
}

bool TopicMirrors::waits_to_join(const Topic& topic, const Session& session) {
  return topic.reach_ && std::ranges::any_of(topic.reach_->waiting, [&](const TopicReach::Waiting& waiting) {
           return waiting.session == &session && waiting.fresh;
         });
}

bool TopicMirrors::ask_home(Topic& topic) {
  const ShardId here = env_.shard();
  const bool sent = env_.neighbours->ask(
      home_of(topic), [name = topic.name(), here](Hub& hub) { hub.topics().mirrors().on_ask(name, here); },
      kMessageBytes + topic.name().size());
  reach(topic).asked = sent;
  return sent;
}

void TopicMirrors::on_snapshot(const Snapshot& snapshot) {
  Topic* topic = topics_.find(snapshot.name);
  HUBBUB_ASSERT(topic && topic->role() == TopicRole::joining);
  topic->role_ = TopicRole::mirror;
  topic->serial_ = snapshot.serial;
  topic->epoch_ = snapshot.epoch;
  topic->offset_ = snapshot.offset;
  reach(*topic).reports = snapshot.reports;
  by_serial_[snapshot.serial] = topic;
  for (const auto& kept : snapshot.history)
    topic->history_.append(kept.frame, kept.data_size, kept.at, env_.limits);
  topics_.set_timer(*topic);
  on_answer(snapshot.name);
}

void TopicMirrors::on_answer(std::string_view name) {
  Topic* topic = topics_.find(name);
  HUBBUB_ASSERT(topic != nullptr);
  reach(*topic).asked = false;
  begin_waiting(*topic);
}

void TopicMirrors::on_refused(std::string_view name, const Error& error) {
  Topic* topic = topics_.find(name);
  HUBBUB_ASSERT(topic && topic->role() == TopicRole::joining);
  reach(*topic).asked = false;
  refuse_waiting(*topic, error);
}

void TopicMirrors::begin_waiting(Topic& topic) {
  topics_.push_run();
  auto& all = topic.reach_->waiting;
  // By index, and each stays in the list until it is begun: `done` may end sessions that wait, or add some.
  for (std::size_t i = 0, count = all.size(); i < count && i < all.size(); ++i) {
    if (all[i].session && !all[i].again && must_ask(topic, all[i].how)) {
      all[i].again = true;
      continue;
    }
    TopicReach::Waiting waiting = take(all[i]);
    Subscribed subscribed{topic.position(), std::nullopt};
    if (waiting.session) {
      Topic* found = nullptr;
      Topic::Subscriber* subscriber = topics_.subscriber_of(*waiting.session, topic.name(), found);
      HUBBUB_ASSERT(subscriber != nullptr);
      if (waiting.fresh) topics_.unhold(topic, *subscriber);
      subscribed = topics_.begin(topic, *subscriber, waiting.how, waiting.fresh);
    } else if (waiting.how.since) {
      subscribed.recovered = false;  // unsubscribed meanwhile
    }
    waiting.done(std::move(subscribed));
  }
  std::erase_if(all, [](const TopicReach::Waiting& waiting) { return !waiting.done; });
  if (std::exchange(topic.reach_->release_later, !all.empty())) topics_.release_put_off(topic);
  if (!all.empty() && !topic.reach_->asked && !ask_home(topic)) refuse_waiting(topic, neighbour_busy());
  topics_.set_timer(topic);
}

void TopicMirrors::refuse_waiting(Topic& topic, const Error& error) {
  auto& all = topic.reach_->waiting;
  for (std::size_t i = 0, count = all.size(); i < count && i < all.size(); ++i) {
    if (!all[i].done) continue;
    if (all[i].session && all[i].fresh) topics_.unsubscribe(*all[i].session, topic.name());
    TopicReach::Waiting waiting = take(all[i]);
    if (waiting.session) topics_.release(*waiting.session, topic.name());
    waiting.done(std::unexpected(error));
  }
  std::erase_if(all, [](const TopicReach::Waiting& waiting) { return !waiting.done; });
  topics_.set_timer(topic);
}

TopicReach::Waiting TopicMirrors::take(TopicReach::Waiting& waiting) {
  TopicReach::Waiting taken = std::move(waiting);
  waiting.session = nullptr;
  waiting.done = nullptr;
  return taken;
}

void TopicMirrors::unsubscribed(Topic& topic, const Session& session) {
  if (!topic.reach_) return;
  for (auto& waiting : topic.reach_->waiting)
    if (waiting.session == &session) waiting.session = nullptr;
}

void TopicMirrors::leave(Topic& topic) {
  if (topic.role() == TopicRole::mirror) by_serial_.erase(topic.serial());
  const bool untold = topic.reach_ && topic.reach_->untold;
  env_.neighbours->answer(home_of(topic), [name = topic.name(), here = env_.shard(), untold](Hub& hub) {
    if (untold) hub.topics().mirrors().on_untold(name, here, 0);
    hub.topics().mirrors().on_leave(name, here);
  });
}

// --- At a mirror: following

std::size_t TopicMirrors::on_publication(const FrameRef& frame, std::size_t data_size) {
  Topic* topic = mirror_of(frame->origin().topic);
  if (!topic) return 0;  // everybody has left
  HUBBUB_ASSERT(frame->origin().offset == topic->offset_ + 1);
  ++topic->offset_;
  if (HUBBUB_PLANTED(mirror_skip) && topic->offset_ % 5 == 3) {
    topic->history_.append(frame, data_size, env_.now(), env_.limits);
    return 0;
  }
  topics_.spread(*topic, frame, data_size);
  // Its history grows old. A mirror nobody uses keeps its time to leave.
  if (!topic->timer_.armed()) topics_.set_timer(*topic);
  return topic->subscribers_.size();
}

void TopicMirrors::on_missed(const Missed& missed) {
  Topic* topic = mirror_of(missed.serial);
  if (!topic) return;
  const std::uint64_t first =
      missed.frames.empty() ? missed.offset + 1 : missed.frames.front().frame->origin().offset;
  if (first > topic->offset_ + 1) lose(*topic, topic->offset_ + 1, first - 1);
  for (const auto& kept : missed.frames)
    if (kept.frame->origin().offset > topic->offset_) on_publication(kept.frame, kept.data_size);
}

void TopicMirrors::lose(Topic& topic, std::uint64_t from, std::uint64_t to) {
  topics_.push_run();
  env_.log.warn(
      "publications lost between shards",
      {{"topic", topic.name()}, {"from", from}, {"to", to}, {"subscribers", topic.subscribers_.size()}});
  topic.history_.clear();
  topic.offset_ = to;
  const std::uint64_t told = std::min(to - from + 1, kLostMax);
  for (Topic::Subscriber& subscriber : topic.subscribers_) {
    if (subscriber.held && waits_to_join(topic, *subscriber.session)) {
      topics_.holds_[{subscriber.session, &topic}] = {};  // it begins later, behind this
      continue;
    }
    if (subscriber.held) topics_.let_go(topic, subscriber);
    subscriber.session->lose(told, "this server fell behind; resume to go on");
  }
}

void TopicMirrors::tell_watching(Topic& topic) {
  // Reported from here on, not from home's word for it: that finds no change made right behind this one.
  reach(topic).reports |= topic.watchers_ > 0;
  env_.neighbours->answer(home_of(topic),
                          [name = topic.name(), here = env_.shard(), on = topic.watchers_ > 0](Hub& hub) {
                            hub.topics().mirrors().on_watching(name, here, on);
                          });
}

void TopicMirrors::tell_change(Topic& topic, SessionCode code, bool joined) {
  if (topic.role() != TopicRole::mirror || !reach(topic).reports) return;
  const std::size_t members = topic.subscribers_.size();
  if (env_.neighbours->ask(
          home_of(topic),
          [name = topic.name(), here = env_.shard(), code, joined, members](Hub& hub) {
            hub.topics().mirrors().on_change(name, here, code, joined, members);
          },
          kMessageBytes + topic.name().size()))
    return;
  if (!std::exchange(topic.reach_->untold, true)) behind_[home_of(topic)].push_back(topic.name());
}

bool TopicMirrors::send_untold(Topic& topic) {
  const std::size_t members = topic.subscribers_.size();
  if (!env_.neighbours->ask(
          home_of(topic),
          [name = topic.name(), here = env_.shard(), members](Hub& hub) {
            hub.topics().mirrors().on_untold(name, here, members);
          },
          kMessageBytes + topic.name().size()))
    return false;
  topic.reach_->untold = false;
  return true;
}

void TopicMirrors::on_reports(std::uint32_t serial, bool on) {
  Topic* topic = mirror_of(serial);
  if (!topic) return;
  // A "no" may answer what was so before somebody here began to watch again.
  reach(*topic).reports = on || topic->watchers_ > 0;
  if (!on) return;
  env_.neighbours->answer(home_of(*topic),
                          [name = topic->name(), here = env_.shard(), members = topic->subscribers_.size()](
                              Hub& hub) { hub.topics().mirrors().on_members(name, here, members); });
}

void TopicMirrors::on_presence(std::uint32_t serial, const FrameRef& frame) {
  if (Topic* topic = mirror_of(serial)) topics_.push_to_watchers(*topic, frame);
}

// --- At home

void TopicMirrors::on_ask(const std::string& name, ShardId from) {
  auto found = topics_.topic_for(name);
  if (!found)
    return env_.neighbours->answer(from, [name, error = std::move(found.error())](Hub& hub) {
      hub.topics().mirrors().on_refused(name, error);
    });
  Topic& topic = **found;
  if (remote_of(topic, from))
    return env_.neighbours->answer(from, [name](Hub& hub) { hub.topics().mirrors().on_answer(name); });
  reach(topic).remotes.push_back({.shard = from, .offset = topic.offset_});
  topic.history_.expire(env_.now(), env_.limits.history_age_ms);
  topic.timer_.cancel();
  topics_.set_timer(topic);
  Snapshot snapshot{.name = name,
                    .epoch = topic.epoch_,
                    .serial = topic.serial_,
                    .offset = topic.offset_,
                    .reports = topic.presence_ != nullptr,
                    .history = topic.history_.from(0)};
  HubTask answer = [snapshot = std::move(snapshot)](Hub& hub) {
    hub.topics().mirrors().on_snapshot(snapshot);
  };
  if (HUBBUB_PLANTED(late_snapshot)) {
    // By way of the mirror's shard and back: publications overtake it.
    answer = [here = env_.shard(), from, late = std::move(answer)](Hub& there) mutable {
      there.env().neighbours->answer(here, [from, late = std::move(late)](Hub& home) mutable {
        home.env().neighbours->answer(from, std::move(late));
      });
    };
  }
  env_.neighbours->answer(from, std::move(answer));
}

void TopicMirrors::on_leave(std::string_view name, ShardId from) {
  Topic* topic = topics_.find(name);
  HUBBUB_ASSERT(topic && remote_of(*topic, from));
  std::erase_if(topic->reach_->remotes, [from](const auto& remote) { return remote.shard == from; });
  update_watched(*topic);
  topics_.set_timer(*topic);
}

void TopicMirrors::forward(Topic& topic, const FrameRef& frame, std::size_t data_size) {
  if (!has_remotes(topic)) return;
  for (TopicReach::Remote& remote : topic.reach_->remotes) {
    if (remote.behind) continue;
    if (env_.neighbours->deliver(remote.shard, frame, data_size)) {
      remote.offset = topic.offset_;
      continue;
    }
    remote.behind = true;
    behind_[remote.shard].push_back(topic.name());
  }
}

void TopicMirrors::catch_up(ShardId shard) {
  const auto found = behind_.find(shard);
  if (found == behind_.end()) return;
  for (std::string& name : std::exchange(found->second, {})) {
    Topic* topic = topics_.find(name);
    if (topic && !catch_up(*topic, shard)) behind_[shard].push_back(std::move(name));
  }
}

bool TopicMirrors::catch_up(Topic& topic, ShardId shard) {
  if (topic.role() == TopicRole::mirror) return !reach(topic).untold || send_untold(topic);
  TopicReach::Remote* remote = remote_of(topic, shard);
  if (!remote) return true;
  if (remote->behind && !send_missed(topic, *remote)) return false;
  if (!std::exchange(remote->untold, false) || !remote->watching) return true;
  const std::size_t members = topic.subscribers_.size() + members_elsewhere(topic);
  remote->untold = !send_presence(*remote, topic.serial_, Presence::unlisted(topic.name(), members));
  return !remote->untold;
}

bool TopicMirrors::send_missed(Topic& topic, TopicReach::Remote& remote) {
  Missed missed{
      .serial = topic.serial_, .offset = topic.offset_, .frames = topic.history_.from(remote.offset + 1)};
  const std::size_t bytes = bytes_of(missed.frames);
  if (!env_.neighbours->ask(
          remote.shard, [missed = std::move(missed)](Hub& hub) { hub.topics().mirrors().on_missed(missed); },
          bytes))
    return false;
  env_.log.debug(
      "mirror caught up",
      {{"topic", topic.name()}, {"shard", remote.shard}, {"from", remote.offset + 1}, {"to", topic.offset_}});
  remote.behind = false;
  remote.offset = topic.offset_;
  return true;
}

// --- At home: presence

void TopicMirrors::on_watching(std::string_view name, ShardId from, bool on) {
  Topic* topic = topics_.find(name);
  TopicReach::Remote* remote = topic ? remote_of(*topic, from) : nullptr;
  HUBBUB_ASSERT(remote != nullptr);
  remote->watching = on;
  update_watched(*topic);
}

void TopicMirrors::on_members(std::string_view name, ShardId from, std::size_t members) {
  Topic* topic = topics_.find(name);
  if (TopicReach::Remote* remote = topic ? remote_of(*topic, from) : nullptr) remote->members = members;
}

void TopicMirrors::on_untold(std::string_view name, ShardId from, std::size_t members) {
  on_members(name, from, members);
  Topic* topic = topics_.find(name);
  if (topic && topic->presence_) topic->presence_->untold();
}

void TopicMirrors::on_change(std::string_view name, ShardId from, SessionCode code, bool joined,
                             std::size_t members) {
  on_members(name, from, members);
  Topic* topic = topics_.find(name);
  if (topic) topics_.note_change(*topic, code, joined);
}

void TopicMirrors::update_watched(Topic& topic) {
  topics_.set_watched(topic, topic.watchers_ > 0 || watched_elsewhere(topic));
}

void TopicMirrors::ask_for_reports(Topic& topic, bool on) {
  if (!topic.reach_) return;
  for (TopicReach::Remote& remote : topic.reach_->remotes)
    env_.neighbours->answer(remote.shard, [serial = topic.serial_, on](Hub& hub) {
      hub.topics().mirrors().on_reports(serial, on);
    });
}

void TopicMirrors::forward_presence(Topic& topic, const FrameRef& frame) {
  if (!topic.reach_) return;
  for (TopicReach::Remote& remote : topic.reach_->remotes) {
    if (!remote.watching || remote.untold || send_presence(remote, topic.serial_, frame)) continue;
    // What its watchers miss is not told again: they hear that they missed something.
    remote.untold = true;
    behind_[remote.shard].push_back(topic.name());
  }
}

bool TopicMirrors::send_presence(const TopicReach::Remote& remote, std::uint32_t serial,
                                 const FrameRef& frame) {
  return env_.neighbours->ask(
      remote.shard, [serial, frame](Hub& hub) { hub.topics().mirrors().on_presence(serial, frame); },
      kMessageBytes + frame->size());
}

bool TopicMirrors::watched_elsewhere(const Topic& topic) {
  return topic.reach_ && std::ranges::any_of(topic.reach_->remotes, &TopicReach::Remote::watching);
}

std::size_t TopicMirrors::members_elsewhere(const Topic& topic) {
  std::size_t members = 0;
  if (topic.reach_)
    for (const TopicReach::Remote& remote : topic.reach_->remotes) members += remote.members;
  return members;
}

void TopicMirrors::check_invariants(const Topic& topic) const {
  const auto mirror = by_serial_.find(topic.serial());
  HUBBUB_ASSERT((topic.role() == TopicRole::mirror) ==
                (mirror != by_serial_.end() && mirror->second == &topic));
  HUBBUB_ASSERT((topic.serial() == 0) == (topic.role() == TopicRole::joining));
  if (!topic.reach_) {
    HUBBUB_ASSERT(topic.role() == TopicRole::home);
    return;
  }
  const TopicReach& reach = *topic.reach_;
  HUBBUB_ASSERT(reach.waiting.empty() || reach.asked);
  HUBBUB_ASSERT(topic.role() == TopicRole::home ? reach.waiting.empty() && !reach.asked
                                                : reach.remotes.empty());
  for (const TopicReach::Remote& remote : reach.remotes)
    HUBBUB_ASSERT(remote.shard != env_.shard() && (remote.behind || remote.offset == topic.offset()));
}

}  // namespace hubbub
