#include "tests/sim/exhaustive.h"

#include <array>
#include <cstdio>
#include <limits>

#include "tests/sim/simulation.h"
#include "tests/sim/violation.h"

namespace hubbub::sim {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kOperationsMax = 4000;

struct Script {
  const char* name;
  void (*shape)(Swarm&);
};

// Two clients, no chance but that of the work itself; each script makes one thing happen often.
Swarm calm_swarm() {
  Swarm swarm;
  swarm.clients = 2;
  swarm.topics = 1;
  swarm.steps = 60;
  swarm.lossless = true;
  swarm.act = 4000;
  Limits& limits = swarm.settings.limits;
  limits.rate_per_s = 0;
  limits.calls_in_flight = 1000;
  limits.replay_messages = 100'000;
  limits.replay_bytes = 256 * 1024 * 1024;
  return swarm;
}

constexpr std::array<Script, 9> kScripts{{
    {"open, call, publish", [](Swarm&) {}},
    {"resume after cuts", [](Swarm& swarm) { swarm.reset = 1000; }},
    {"take over", [](Swarm& swarm) { swarm.takeover = 1000; }},
    {"close and come back", [](Swarm& swarm) { swarm.leave = 1000; }},
    {"plain clients",
     [](Swarm& swarm) {
       swarm.plain_percent = 100;
       swarm.fin = 800;
     }},
    {"the previous token",
     [](Swarm& swarm) {
       swarm.fin = 800;
       swarm.previous_token = 60;
     }},
    {"two shards",
     [](Swarm& swarm) {
       swarm.shards = 2;
       swarm.url_percent = 0;
       swarm.reset = 800;
     }},
    {"two shards, by URL",
     [](Swarm& swarm) {
       swarm.shards = 2;
       swarm.url_percent = 100;
       swarm.fin = 800;
     }},
    {"two shards, plain clients",
     [](Swarm& swarm) {
       swarm.shards = 2;
       swarm.url_percent = 30;
       swarm.plain_percent = 100;
       swarm.fin = 800;
     }},
}};

struct Failing {
  std::uint64_t from;
  SimIo::Fault fault;
  const char* name;
};

// True while the fault was reached.
bool run_script(const Script& script, const Failing& failing, std::string& failure) {
  Swarm swarm = calm_swarm();
  script.shape(swarm);
  Simulation simulation(swarm, {});
  SimIo& io = simulation.world().io;
  io.fail_from = failing.from;
  io.fault = failing.fault;
  try {
    simulation.add_clients();
    simulation.steps(swarm.steps);
    const bool reached = io.faults > 0;
    io.fail_from = kNever;
    simulation.finish();
    return reached;
  } catch (const Violation& violation) {
    failure = violation.what();
    return false;
  }
}

}  // namespace

int run_exhaustive(bool verbose, std::string& reproduce) {
  std::size_t runs = 0;
  std::size_t failed = 0;
  const std::array<Failing, 3> ways{{{0, SimIo::Fault::error, "breaks"},
                                     {0, SimIo::Fault::would_block, "blocks"},
                                     {0, SimIo::Fault::one_byte, "moves one byte"}}};
  for (const Script& script : kScripts) {
    for (Failing failing : ways) {
      std::string failure;
      for (bool reached = true; reached && failing.from < kOperationsMax; ++failing.from, ++runs) {
        reproduce = "--exhaustive: " + std::string(script.name) + ", operation " +
                    std::to_string(failing.from) + ' ' + failing.name;
        reached = run_script(script, failing, failure);
        if (failure.empty()) continue;
        ++failed;
        std::printf("FAILED %s\n  %s\n", reproduce.c_str(), failure.c_str());
        failure.clear();
        reached = true;
        if (failed > 10) return 1;
      }
      if (verbose)
        std::printf("%-24s each operation %-16s %llu runs\n", script.name, failing.name,
                    static_cast<unsigned long long>(failing.from));
    }
  }
  std::printf("exhaustive: %zu passed, %zu failed\n", runs - failed, failed);
  return failed > 0 ? 1 : 0;
}

}  // namespace hubbub::sim
