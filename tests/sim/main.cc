// sim: runs seeds. Every failure names the command that shows it again.
//
//   sim --seed N [--steps K] [--verbose]      one seed
//   sim --seeds FROM-TO                       a batch; each of the fixed batch's marks must be reached
//   sim --commit HASH --count N               seeds made from a commit's hash: new ground, still replayable
//   … --shards N                              with so many shards, whatever the seed says
//   sim --exhaustive                          small scripts, with I/O operation 0, 1, 2, … failing
//   sim --plant NAME …                        with a mistake built in (sim_planted only)
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/base/planted.h"
#include "tests/sim/exhaustive.h"
#include "tests/sim/marks.h"
#include "tests/sim/simulation.h"
#include "tests/sim/violation.h"

namespace hubbub::sim {
namespace {

struct Options {
  std::vector<std::uint64_t> seeds;
  unsigned steps = 0;
  unsigned shards = 0;  // 0: as the seed says
  bool verbose = false;
  bool exhaustive = false;
  bool marks = false;       // all marks must be reached
  bool stop_first = false;  // at the first failing seed
  std::string plant;
};

std::string program = "sim";
std::string reproduce;

// An assertion of the server ends the process: say which seed it was.
void on_abort(int) {
  const std::string line = "FAILED: the process ended; reproduce: " + reproduce + '\n';
  (void)!write(STDOUT_FILENO, line.data(), line.size());
}

[[noreturn]] void usage(const char* wrong) {
  std::fprintf(
      stderr,
      "%s: %s\nusage: %s --seed N [--steps K] [--verbose] | --seeds FROM-TO | --commit HASH --count N | "
      "--exhaustive   [--shards N] [--plant NAME] [--stop-first] [--marks]\n",
      program.c_str(), wrong, program.c_str());
  std::exit(2);
}

std::uint64_t read_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) usage("not a number");
  return value;
}

Options read_options(int argc, char** argv) {
  Options options;
  std::string commit;
  std::uint64_t count = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const auto value = [&]() -> std::string_view {
      if (++i >= argc) usage("a value is missing");
      return argv[i];
    };
    if (name == "--seed") {
      options.seeds.push_back(read_number(value()));
    } else if (name == "--seeds") {
      const std::string_view range = value();
      const std::size_t dash = range.find('-');
      if (dash == range.npos) usage("--seeds takes FROM-TO");
      const std::uint64_t to = read_number(range.substr(dash + 1));
      for (std::uint64_t seed = read_number(range.substr(0, dash)); seed <= to; ++seed)
        options.seeds.push_back(seed);
    } else if (name == "--commit") {
      commit = value();
    } else if (name == "--count") {
      count = read_number(value());
    } else if (name == "--steps") {
      options.steps = static_cast<unsigned>(read_number(value()));
    } else if (name == "--shards") {
      options.shards = static_cast<unsigned>(std::min<std::uint64_t>(64, read_number(value())));
    } else if (name == "--plant") {
      options.plant = value();
    } else if (name == "--verbose") {
      options.verbose = true;
    } else if (name == "--exhaustive") {
      options.exhaustive = true;
    } else if (name == "--marks") {
      options.marks = true;
    } else if (name == "--stop-first") {
      options.stop_first = true;
    } else {
      usage("an unknown option");
    }
  }
  for (std::uint64_t n = 0; n < count; ++n) options.seeds.push_back(fork_seed(n, commit) >> 1);
  if (options.seeds.empty() && !options.exhaustive) usage("nothing to do");
  return options;
}

bool plant(std::string_view name) {
#ifdef HUBBUB_PLANTED_FAULTS
  planted_fault = name == "lost_ack"           ? Planted::lost_ack
                  : name == "count_off_by_one" ? Planted::count_off_by_one
                  : name == "double_push"      ? Planted::double_push
                  : name == "mirror_skip"      ? Planted::mirror_skip
                  : name == "late_snapshot"    ? Planted::late_snapshot
                                               : Planted::none;
  return planted_fault != Planted::none;
#else
  (void)name;
  return false;
#endif
}

// Runs one seed; the trace hash, or why it failed.
struct Outcome {
  std::string failure;
  std::uint64_t trace = 0;
  std::uint64_t turns = 0;
};

Outcome run_seed(std::uint64_t seed, const Options& options) {
  Swarm swarm = Swarm::draw(seed);
  if (options.steps > 0) swarm.steps = options.steps;
  if (options.shards > 0) swarm.shards = options.shards;
  reproduce = program + " --seed " + std::to_string(seed) + " --verbose" +
              (options.shards == 0 ? "" : " --shards " + std::to_string(options.shards)) +
              (options.plant.empty() ? "" : " --plant " + options.plant);
  const auto say = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
  Outcome outcome;
  Simulation simulation(swarm, options.verbose ? say : std::function<void(std::string)>{});
  try {
    simulation.run();
  } catch (const Violation& violation) {
    outcome.failure = "step " + std::to_string(simulation.step_number()) + ": " + violation.what();
  }
  outcome.trace = simulation.trace();
  outcome.turns = simulation.turns();
  return outcome;
}

// Every so often the same seed again: the same bytes must go over the same sockets.
constexpr std::uint64_t kRepeatOneIn = 20;

int run_batch(const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  std::size_t failed = 0;
  std::size_t passed = 0;
  std::uint64_t turns = 0;
  for (const std::uint64_t seed : options.seeds) {
    Outcome outcome = run_seed(seed, options);
    turns += outcome.turns;
    if (outcome.failure.empty() && (seed % kRepeatOneIn == 0 || options.seeds.size() == 1)) {
      Options quiet = options;
      quiet.verbose = false;
      if (run_seed(seed, quiet).trace != outcome.trace) outcome.failure = "two runs of one seed differ";
    }
    if (outcome.failure.empty()) {
      ++passed;
      continue;
    }
    ++failed;
    std::printf("seed %llu FAILED at %s\n  reproduce: %s\n", static_cast<unsigned long long>(seed),
                outcome.failure.c_str(), reproduce.c_str());
    if (options.stop_first) break;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::size_t unmarked = 0;
  if (options.seeds.size() > 1) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(Mark::count_); ++i) {
      const auto mark = static_cast<Mark>(i);
      const auto hits = static_cast<unsigned long long>(marks().count(mark));
      std::printf("  %-28s %8llu%s\n", std::string(mark_name(mark)).c_str(), hits,
                  hits == 0 ? "   NEVER" : "");
      unmarked += hits == 0;
    }
    std::printf("%zu seeds, %llu turns in %.1f s: %.1f seeds/s\n", passed + failed,
                static_cast<unsigned long long>(turns), took.count(),
                static_cast<double>(passed + failed) / took.count());
  }
  if (options.marks && unmarked > 0) std::printf("FAILED: %zu marks were never reached\n", unmarked);
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed > 0 || (options.marks && unmarked > 0) ? 1 : 0;
}

int run(int argc, char** argv) {
  program = argv[0];
  const Options options = read_options(argc, argv);
  if (!options.plant.empty() && !plant(options.plant)) usage("no such planted fault in this program");
  std::signal(SIGABRT, on_abort);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  int status = 0;
  if (options.exhaustive) status = run_exhaustive(options.verbose, reproduce);
  if (!options.seeds.empty()) status |= run_batch(options);
  return status;
}

}  // namespace
}  // namespace hubbub::sim

int main(int argc, char** argv) { return hubbub::sim::run(argc, argv); }
