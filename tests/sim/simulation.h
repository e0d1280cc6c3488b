// Simulation: one run from one seed: some shards, their clients, trouble, and in the end calm, in which
// everybody must come back, get all that is outstanding and leave the server empty. Throws Violation where a
// promise is broken; the server's own assertions end the process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/model_client.h"
#include "tests/sim/swarm.h"
#include "tests/sim/test_methods.h"
#include "tests/sim/vandal.h"

namespace hubbub::sim {

class Simulation {
 public:
  // `note` gets a line for each thing of interest; may be empty.
  Simulation(const Swarm& swarm, std::function<void(std::string)> note);
  ~Simulation();

  // The whole run.
  void run();
  // Hash of all I/O: equal for equal seeds.
  [[nodiscard]] std::uint64_t trace() const { return world_.io.trace; }
  [[nodiscard]] std::uint64_t turns() const { return world_.turns; }
  [[nodiscard]] unsigned step_number() const { return step_; }

  // --- For scripted runs

  void add_clients();
  void steps(unsigned count);
  // Trouble is over: everybody settles, nothing is missing, all leave, nothing is left.
  void finish();
  [[nodiscard]] ShardedWorld& world() { return world_; }

 private:
  void step();
  void step_client(ModelClient& client);
  void begin_trouble();
  void trouble();
  void pass_time();
  void after_turn();
  void settle(const char* what);
  void mark_faults();
  void drain();
  void leave();
  void check_between_shards();
  void check_empty();
  void note(const std::string& line) {
    if (town_.note) town_.note(line);
  }

  Swarm swarm_;
  SeededRng rng_;
  SeededRng io_rng_;
  SeededRng slow_rng_;
  ShardedWorld world_;
  std::vector<std::unique_ptr<SlowAnswers>> slow_;  // each shard's
  Town town_;
  std::vector<std::unique_ptr<ModelClient>> clients_;
  std::vector<std::unique_ptr<Vandal>> vandals_;
  Millis famine_until_ = 0;
  std::int64_t frames_at_rest_ = 0;
  unsigned step_ = 0;
};

}  // namespace hubbub::sim
