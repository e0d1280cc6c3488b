// Env: what the core is given instead of asking the world. One per shard; everything outlives the hub.
#pragma once

#include "hubbub/base/clock.h"
#include "hubbub/base/log.h"
#include "hubbub/base/rng.h"
#include "hubbub/base/timer_wheel.h"
#include "hubbub/core/access.h"
#include "hubbub/core/limits.h"
#include "hubbub/core/neighbours.h"
#include "hubbub/core/node.h"
#include "hubbub/core/stats.h"

namespace hubbub {

struct Env {
  Clock& clock;
  Rng& rng;
  Log& log;
  TimerWheel& timers;
  const Limits& limits;
  const AccessRules& access;
  Stats& stats;
  Node& node;
  Neighbours* neighbours = nullptr;  // null: this shard is the only one
  Millis turn_now = 0;               // set by the shard when a turn begins

  // The turn's time: read once, the same for all that happens in the turn.
  [[nodiscard]] Millis now() const { return turn_now; }
  [[nodiscard]] ShardId shard() const { return neighbours ? neighbours->self() : 0; }
};

}  // namespace hubbub
