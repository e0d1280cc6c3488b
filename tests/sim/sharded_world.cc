#include "tests/sim/sharded_world.h"

#include <algorithm>
#include <limits>
#include <string>

#include "hubbub/core/topics.h"
#include "tests/sim/swarm.h"
#include "tests/sim/violation.h"

namespace hubbub::sim {
namespace {
constexpr std::uint64_t kTurnsMax = 1'000'000;  // a shard that never rests is a bug
constexpr std::size_t kMoreThanAnyWayHolds = 1U << 30U;
}  // namespace

ShardedWorld::Unit::Unit(SimClock& clock, SimIo* first, std::uint64_t seed)
    : io(first ? std::make_unique<SimIo>(*first) : std::make_unique<SimIo>(clock)), rng(seed) {
  io->driven = true;
  add_builtin_methods(methods, dispatcher);
}

ShardedWorld::ShardedWorld(const ShardSettings& settings, ShardId shards, std::uint64_t seed)
    : rng_(fork_seed(seed, "turns")),
      frames_before_(Frame::alive()),
      io(*units_.emplace_back(std::make_unique<Unit>(clock, nullptr, fork_seed(seed, "shard")))->io) {
  log.lowest = LogLevel::debug;
  group_.emplace(settings.limits, shards, fork_seed(seed, "placement"));
  for (ShardId id = 0; id < shards; ++id) {
    if (id > 0) units_.push_back(std::make_unique<Unit>(clock, &io, fork_seed(seed, "shard", id)));
    Unit& unit = *units_[id];
    unit.shard.emplace(settings, *group_, id, *unit.io, clock, unit.rng, log, unit.methods);
    unit.shard->bind_thread();
    unit.dispatcher = &unit.shard->dispatcher();
    unit.service.emplace(*unit.shard);
    unit.shard->set_service(*unit.service);
    HUBBUB_ASSERT(unit.shard->listen("127.0.0.1", 80).has_value());
  }
  settle();
}

ShardedWorld::~ShardedWorld() {
  for (const auto& unit : units_) {
    unit->service.reset();
    unit->shard.reset();
  }
  group_.reset();  // with what is still on its way
}

// --- Turns

void ShardedWorld::run_turn(Unit& unit) {
  ++turns;
  unit.io->idle = false;
  unit.running = unit.shard->run_once();
  // Whoever sends it something from now on wakes it.
  unit.awake = !(unit.io->idle && group_->inbox(unit.shard->id()).fall_asleep());
  for (const auto& each : units_) each->shard->check_invariants();
  if (after_turn) after_turn();
}

bool ShardedWorld::advance(Millis ms) {
  const Millis until = clock.now + ms;
  wake_all();
  for (const std::uint64_t before = turns; running;) {
    HUBBUB_ASSERT(turns - before < kTurnsMax);
    ready_.clear();
    for (const auto& unit : units_)
      if (runnable(*unit)) ready_.push_back(unit.get());
    if (!ready_.empty()) {
      run_turn(*ready_[rng_.below(ready_.size())]);
      running = std::ranges::any_of(units_, [](const auto& unit) { return unit->running; });
      continue;
    }
    if (clock.now >= until) break;
    clock.now = std::min(until, next_wake());
  }
  return running;
}

Millis ShardedWorld::next_wake() const {
  Millis next = std::numeric_limits<Millis>::max();
  for (const auto& unit : units_) {
    if (!unit->running) continue;
    const Millis work = has_work(*unit) ? clock.now : unit->io->wake_at;
    next = std::min(next, std::max(work, unit->stalled_until));
  }
  return next;
}

void ShardedWorld::turn() {
  Unit& unit = *units_[rng_.below(units_.size())];
  if (clock.now >= unit.stalled_until) run_turn(unit);
}

void ShardedWorld::wake_all() {
  for (const auto& unit : units_) unit->awake = true;
}

void ShardedWorld::stall(ShardId shard, Millis ms) { units_[shard]->stalled_until = clock.now + ms; }

void ShardedWorld::end_stalls() {
  for (const auto& unit : units_) unit->stalled_until = 0;
}

// --- From outside

SimIo::SocketRef ShardedWorld::connect(const Address& peer) {
  return units_[rng_.below(units_.size())]->io->connect(peer);
}

Hub& ShardedWorld::hub_of(std::string_view code) {
  const auto parsed = SessionCode::parse(code);
  return shard(parsed ? node().owner_of(*parsed) : 0).hub();
}

Stats ShardedWorld::stats() const {
  Stats sum;
  node().sum_stats(sum);
  return sum;
}

std::uint64_t ShardedWorld::hits(LimitHit limit) const {
  return stats().limit_hits[static_cast<std::size_t>(limit)];
}

std::uint64_t ShardedWorld::handed_over() const {
  std::uint64_t all = 0;
  for (const auto& unit : units_) all += unit->service->handed_over;
  return all;
}

// --- Oracles about what is between shards

void ShardedWorld::check_mirrors(std::string_view topic) {
  const auto look = [&](ShardId id) {
    return shard(id).hub().topics().history(topic, std::nullopt, std::numeric_limits<std::uint32_t>::max());
  };
  const ShardId at = node().home_of(topic);
  const auto home = look(at);
  for (ShardId id = 0; id < shards(); ++id) {
    const auto mirror = look(id);
    if (id == at || mirror->position.epoch.empty()) continue;  // none is there
    const std::string which = std::string(topic) + " on shard " + std::to_string(id);
    demand(home->position.epoch == mirror->position.epoch, "a mirror is its home's:", which);
    demand(home->position.offset == mirror->position.offset, "a mirror is as far as its home:", which,
           mirror->position.offset, home->position.offset);
    const std::size_t both = std::min(home->messages.size(), mirror->messages.size());
    const auto same = [](const auto& one, const auto& other) { return &*one.frame == &*other.frame; };
    demand(std::equal(mirror->messages.end() - static_cast<std::ptrdiff_t>(both), mirror->messages.end(),
                      home->messages.end() - static_cast<std::ptrdiff_t>(both), same),
           "a mirror has its home's very frames:", which);
  }
}

void ShardedWorld::check_ways() {
  for (ShardId from = 0; from < shards(); ++from) {
    for (ShardId to = 0; to < shards(); ++to) {
      if (from == to) continue;
      // Such a load is taken by an empty way only.
      demand(shard(from).env().neighbours->ask(
                 to, [](Hub&) {}, kMoreThanAnyWayHolds),
             "no way keeps anything:", from, to);
    }
  }
  settle();
  for (const auto& unit : units_) {
    ShardInbox& inbox = group_->inbox(unit->shard->id());
    demand(inbox.fall_asleep(), "an inbox is emptied");
    inbox.wake_up();
  }
}

}  // namespace hubbub::sim
