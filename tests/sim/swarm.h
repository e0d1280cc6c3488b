// Swarm: what kind of run a seed makes. Not every fault is on in every run: some have one, some none, some
// all, so that no fault hides what another would show.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hubbub/base/rng.h"
#include "hubbub/net/shard.h"
#include "tests/sim/sim_io.h"

namespace hubbub::sim {

// Chances are in so many of ten thousand steps of one client, if not said otherwise.
struct Swarm {
  std::uint64_t seed = 1;
  unsigned clients = 2;
  unsigned topics = 2;
  unsigned shards = 1;
  unsigned steps = 400;
  // No bound is within reach and no session may be lost: everything has to arrive.
  bool lossless = false;
  ShardSettings settings;

  std::uint32_t plain_percent = 0;  // of the clients, without the subprotocol
  std::uint32_t act = 3000;
  std::uint32_t reset = 0;
  std::uint32_t fin = 0;
  std::uint32_t silent = 0;
  std::uint32_t half_close = 0;
  std::uint32_t leave = 0;  // with a Close frame
  std::uint32_t takeover = 0;
  std::uint32_t stall = 0;
  std::uint32_t end_session = 0;
  std::uint32_t thief = 0;
  std::uint32_t wrong_resume = 0;           // of a hundred resumes: first one with something wrong
  std::uint32_t previous_token = 0;         // of a hundred resumes: again, with the token before
  std::uint32_t long_absence = 0;           // of a hundred absences: longer than the grace time
  std::uint32_t url_percent = 50;           // of connections to resume: name the session in the URL
  std::uint32_t shard_stall = 0;            // of ten thousand steps: one shard gets no turns for a while
  bool narrow_ways = false;                 // limits.shard_queue_* are within reach
  std::uint32_t vandal = 0;                 // of ten thousand steps
  std::uint32_t fd_famine = 0;              // of ten thousand steps
  std::uint32_t long_pause = 0;             // of ten thousand steps: nobody does anything for seconds
  std::uint32_t wall_step = 0;              // of ten thousand steps
  SimIo::Chaos chaos;                       // its rng is set by the simulation
  bool drains = false;                      // ends with a drain
  std::size_t client_window = 1024 * 1024;  // bytes a client's side of the network holds

  [[nodiscard]] static Swarm draw(std::uint64_t seed);
  [[nodiscard]] std::string text() const;
};

// One seed, many independent streams: a draw more in one does not shift the others.
[[nodiscard]] std::uint64_t fork_seed(std::uint64_t seed, std::string_view label, std::uint64_t index = 0);

}  // namespace hubbub::sim
