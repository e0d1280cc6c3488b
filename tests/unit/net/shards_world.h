// ShardsWorld: two whole shards of one group on a SimIo each, run by turns on one thread. A client connects
// to the shard that the test names.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hubbub/net/shard_group.h"
#include "tests/sim/sim_client.h"
#include "tests/unit/core/core_fixture.h"

namespace hubbub::sim {

class ShardsWorld {
 public:
  explicit ShardsWorld(const ShardSettings& settings = {}) : group(settings.limits, 2, 7) {
    for (ShardId id = 0; id < 2; ++id)
      units_[id] = std::make_unique<Unit>(*this, settings, id, id == 0 ? nullptr : &units_[0]->io);
    settle();
  }
  ~ShardsWorld() {
    for (auto& unit : units_) unit->shard.reset();
    EXPECT_EQ(units_[0]->io.sockets_open(), 0u);
  }
  ShardsWorld(const ShardsWorld&) = delete;
  ShardsWorld& operator=(const ShardsWorld&) = delete;

  [[nodiscard]] Shard& shard(ShardId id) { return *units_[id]->shard; }
  [[nodiscard]] SimIo& io(ShardId id) { return units_[id]->io; }
  [[nodiscard]] const Stats& stats(ShardId id) { return units_[id]->shard->env().stats; }
  [[nodiscard]] std::uint64_t handed_over() const {
    return units_[0]->service->handed_over + units_[1]->service->handed_over;
  }
  // A client of shard `id`'s listener.
  [[nodiscard]] SimClient client(ShardId id) {
    return SimClient(units_[id]->io, [this] { settle(); });
  }
  // One turn of one shard.
  void turn(ShardId id) {
    units_[id]->io.until = clock.now;
    shard(id).run_once();
    shard(id).check_invariants();
  }
  // Turns of both until neither has anything left to do.
  void settle() {
    bool busy = true;
    for (int bound = 0; busy; ++bound) {
      HUBBUB_ASSERT(bound < 100'000);
      busy = false;
      for (ShardId id = 0; id < 2; ++id) {
        units_[id]->io.idle = false;
        turn(id);
        busy |= !units_[id]->io.idle;
      }
    }
  }
  void advance(Millis ms) {
    clock.now += ms;
    settle();
  }

  SimClock clock;
  SimLog log;
  ShardGroup group;

 private:
  struct Unit {
    Unit(ShardsWorld& world, const ShardSettings& settings, ShardId id, SimIo* first)
        : io(first ? SimIo(*first) : SimIo(world.clock)), rng(id + 1) {
      add_builtin_methods(methods, dispatcher);
      shard.emplace(settings, world.group, id, io, world.clock, rng, world.log, methods);
      shard->bind_thread();
      dispatcher = &shard->dispatcher();
      service.emplace(*shard);
      shard->set_service(*service);
      HUBBUB_ASSERT(shard->listen("127.0.0.1", 80).has_value());
    }
    SimIo io;
    SeededRng rng;
    MethodTable methods;
    Dispatcher* dispatcher = nullptr;
    std::optional<Shard> shard;
    std::optional<SimService> service;
  };

  std::unique_ptr<Unit> units_[2];
};

}  // namespace hubbub::sim
