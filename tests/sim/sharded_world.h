// ShardedWorld: a process of one or several shards, each with hub, methods and service on a SimIo of its own.
// One thread runs them all, a turn of one at a time, in an order drawn from the seed; a stalled shard gets no
// turns. New connections land on any shard, as the kernel spreads them over listeners of one address.
//
// Invariants: after each turn every hub's are checked; time passes only when no shard has anything to do.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "hubbub/net/shard_group.h"
#include "tests/sim/sim_world.h"

namespace hubbub::sim {

class ShardedWorld {
 public:
  ShardedWorld(const ShardSettings& settings, ShardId shards, std::uint64_t seed);
  ~ShardedWorld();
  ShardedWorld(const ShardedWorld&) = delete;
  ShardedWorld& operator=(const ShardedWorld&) = delete;

  // Runs turns until nobody has anything left to do, then lets `ms` pass the same way. False once all have
  // drained.
  bool advance(Millis ms);
  bool settle() { return advance(0); }
  // One turn of one shard.
  void turn();
  // That shard gets no turns for so long. What others do meanwhile waits for it.
  void stall(ShardId shard, Millis ms);
  void end_stalls();
  [[nodiscard]] bool stalled(ShardId shard) const { return clock.now < units_[shard]->stalled_until; }

  // A client's connect().
  SimIo::SocketRef connect(const Address& peer);

  [[nodiscard]] ShardId shards() const { return static_cast<ShardId>(units_.size()); }
  [[nodiscard]] Shard& shard(ShardId id) { return *units_[id]->shard; }
  [[nodiscard]] MethodTable& methods(ShardId id) { return units_[id]->methods; }
  [[nodiscard]] const Node& node() const { return units_.front()->shard->node(); }
  // Of the shard that owns sessions with that code.
  [[nodiscard]] Hub& hub_of(std::string_view code);
  [[nodiscard]] Session* find(std::string_view code) { return hub_of(code).find(code); }
  // Of all shards.
  [[nodiscard]] Stats stats() const;
  [[nodiscard]] std::uint64_t hits(LimitHit limit) const;
  // Connections that were handed over because of their URL.
  [[nodiscard]] std::uint64_t handed_over() const;
  // Frames that live because of this world.
  [[nodiscard]] std::int64_t frames() const { return Frame::alive() - frames_before_; }

  // When nothing is on its way any more: all mirrors of that topic stand where its home does.
  void check_mirrors(std::string_view topic);
  // Nothing is on the way from any shard to any other.
  void check_ways();

  SimClock clock;
  SimLog log;
  bool running = true;  // not drained
  std::uint64_t turns = 0;
  std::function<void()> after_turn;  // may throw: then the world is of no more use

 private:
  struct Unit {
    Unit(SimClock& clock, SimIo* first, std::uint64_t seed);
    std::unique_ptr<SimIo> io;
    SeededRng rng;
    MethodTable methods;
    Dispatcher* dispatcher = nullptr;
    std::optional<Shard> shard;
    std::optional<SimService> service;
    Millis stalled_until = 0;
    bool awake = true;  // its last turn did something, or somebody outside may have given it something to do
    bool running = true;
  };
  [[nodiscard]] bool has_work(const Unit& unit) const {
    return unit.awake || unit.io->has_events() || clock.now >= unit.io->wake_at;
  }
  [[nodiscard]] bool runnable(const Unit& unit) const {
    return unit.running && clock.now >= unit.stalled_until && has_work(unit);
  }
  void run_turn(Unit& unit);
  // When the next shard has something to do.
  [[nodiscard]] Millis next_wake() const;
  void wake_all();

  std::vector<std::unique_ptr<Unit>> units_;
  std::optional<ShardGroup> group_;
  SeededRng rng_;
  std::vector<Unit*> ready_;
  std::int64_t frames_before_ = 0;

 public:
  SimIo& io;  // of the first shard: what is set there holds for all
};

}  // namespace hubbub::sim
