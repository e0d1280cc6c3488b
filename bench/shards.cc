// bench_shards: what a second shard is worth. The whole production Shard (connection, codec, dispatcher, hub,
// write queue) runs on a MemoryIo: clients live in the shard's own thread and cost next to nothing, so two
// shards have two cores for themselves, where a load generator would take one of them.
//
// Each kind of work runs with one shard, with several, and with as many separate hubs of one shard each,
// which share nothing but the machine: what those reach is all that shards could. The three take turns, with
// the same number of clients in all, each shard pinned to a core.
//
// Two ratios: of messages by the wall clock, and of messages by CPU second of the shards' threads times the
// number of shards. The second holds also while other programs want the cores.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "hive.h"

namespace hubbub::bench {

namespace {

// --- Options

enum class Work : std::uint8_t { echo, sum, send, fan_out };
constexpr std::array<std::pair<Work, std::string_view>, 4> kWorks{
    {{Work::echo, "echo"}, {Work::sum, "sum"}, {Work::send, "send"}, {Work::fan_out, "fan-out"}}};

struct Options {
  std::vector<Work> works;  // empty: all
  std::size_t shards = 2;
  std::size_t clients = 200;
  std::size_t in_flight = 4;
  std::size_t publishers = 20;  // of the clients, in fan-out; one publication in flight each
  std::size_t ack_every = 64;
  std::size_t rounds = 5;
  std::size_t milliseconds = 1000;
  bool json = false;
};

constexpr std::string_view kUsage =
    "usage: bench_shards [--work echo,sum,send,fan-out] [--shards 2] [--clients 200] [--in-flight 4]\n"
    "         [--publishers 20] [--ack-every 64] [--rounds 5] [--milliseconds 1000] [--quick] [--json]\n"
    "  echo     echo with small params\n"
    "  sum      a typed method that adds up an array of 100 numbers\n"
    "  send     session.send, every other one to a session of another shard\n"
    "  fan-out  every client subscribes to a topic of each shard; publishers on all shards take turns with "
    "them\n"
    "  --quick  all of it for a moment: counts and contents are checked, speed is not\n";

bool read_works(std::string_view text, std::vector<Work>& out) {
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    const auto* found = std::ranges::find(kWorks, name, &std::pair<Work, std::string_view>::second);
    if (found == kWorks.end()) return false;
    out.push_back(found->first);
    text.remove_prefix(std::min(text.size(), name.size() + 1));
  }
  return !out.empty();
}

std::optional<Options> read_options(std::span<char*> arguments) {
  Options options;
  const std::array<std::pair<std::string_view, std::size_t Options::*>, 7> numbers{
      {{"--shards", &Options::shards},
       {"--clients", &Options::clients},
       {"--in-flight", &Options::in_flight},
       {"--publishers", &Options::publishers},
       {"--ack-every", &Options::ack_every},
       {"--rounds", &Options::rounds},
       {"--milliseconds", &Options::milliseconds}}};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view name = arguments[i];
    if (name == "--json") {
      options.json = true;
    } else if (name == "--quick") {
      options.clients = 16, options.publishers = 4, options.rounds = 1, options.milliseconds = 30;
    } else if (++i == arguments.size()) {
      return std::nullopt;
    } else if (const std::string_view value = arguments[i]; name == "--work") {
      if (!read_works(value, options.works)) return std::nullopt;
    } else {
      const auto* number =
          std::ranges::find(numbers, name, &std::pair<std::string_view, std::size_t Options::*>::first);
      if (number == numbers.end()) return std::nullopt;
      std::size_t& out = options.*(number->second);
      const auto read = std::from_chars(value.data(), value.data() + value.size(), out);
      if (read.ec != std::errc() || read.ptr != value.data() + value.size()) return std::nullopt;
    }
  }
  const bool good = options.shards >= 2 && options.shards <= 64 && options.clients >= 2 * options.shards &&
                    options.clients <= 50'000 && options.in_flight >= 1 && options.in_flight <= 16 &&
                    options.publishers >= 1 && options.publishers <= options.clients && options.rounds >= 1 &&
                    options.rounds <= 1000 && options.milliseconds >= 1 && options.milliseconds <= 60'000;
  if (!good) return std::nullopt;
  if (options.works.empty())
    for (const auto& [work, name] : kWorks) options.works.push_back(work);
  // As many for each shard, in all layouts.
  options.clients -= options.clients % options.shards;
  return options;
}

// --- The kinds of work

std::string numbers_of_sum() {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    if (i > 0) text += ',';
    text += i % 4 == 3 ? fmt::format("{}.5", 7 * i) : fmt::format("{}", 37 * i);
  }
  return text;
}

Hive::MakeScript same_call(std::size_t in_flight, std::string_view method, std::string_view params) {
  auto script = std::make_shared<Script>();
  for (std::size_t slot = 0; slot < in_flight; ++slot) script->add(slot, method, params);
  return [script](std::size_t, std::size_t) { return script; };
}

// In turns to a neighbour here and to one on another shard, if there is one.
Hive::MakeScript sends(const Hive& hive, std::size_t in_flight) {
  return [&hive, in_flight](std::size_t unit, std::size_t client) {
    auto script = std::make_shared<Script>();
    const std::size_t shards = hive.layout().shards;
    const std::size_t first = hive.first_of_hub(unit);
    for (std::size_t slot = 0; slot < in_flight; ++slot)
      for (const bool away : {false, true}) {
        const std::size_t steps = away && shards > 1 ? 1 + slot % (shards - 1) : 0;
        const std::size_t to = first + (unit - first + steps) % shards;
        const std::size_t whom = (client + 1 + slot + away) % hive.clients_each();
        script->add(slot, "session.send",
                    fmt::format(R"({{"to":"{}","data":{{"text":"hello there"}}}})", hive.code(to, whom)));
      }
    return script;
  };
}

Hive::MakeScript subscriptions(const Hive& hive) {
  return [&hive](std::size_t unit, std::size_t) {
    auto script = std::make_shared<Script>();
    const std::size_t first = hive.first_of_hub(unit);
    for (std::size_t i = 0; i < hive.layout().shards; ++i)
      script->add(i, "topic.subscribe", fmt::format(R"({{"topic":"{}"}})", hive.topic_at(first + i)));
    return script;
  };
}

// One slot only, that goes to the topics in turns: so no shard's publishers get far ahead of what another
// shard has delivered.
Hive::MakeScript publications(const Hive& hive, std::size_t publishers) {
  auto script = std::make_shared<Script>();
  return [&hive, publishers, silent = std::move(script)](std::size_t unit, std::size_t client) -> ScriptRef {
    if (client * hive.units() >= publishers) return silent;
    auto talking = std::make_shared<Script>();
    const std::size_t shards = hive.layout().shards;
    for (std::size_t i = 0; i < shards; ++i)
      talking->add(0, "topic.publish",
                   fmt::format(R"({{"topic":"{}","data":{{"text":"hello there"}}}})",
                               hive.topic_at(hive.first_of_hub(unit) + (client + i) % shards)));
    return talking;
  };
}

Hive::MakeScript script_of(Work work, const Hive& hive, const Options& options) {
  switch (work) {
    case Work::echo:
      return same_call(options.in_flight, "echo", R"({"a":1,"text":"hello there"})");
    case Work::sum:
      return same_call(options.in_flight, "sum", fmt::format(R"({{"numbers":[{}]}})", numbers_of_sum()));
    case Work::send:
      return sends(hive, options.in_flight);
    case Work::fan_out:
      return publications(hive, options.publishers);
  }
  std::unreachable();
}

// --- Measuring

struct Run {
  double seconds = 0;
  double messages = 0;  // answers; in fan-out what subscribers got
  std::vector<double> cpu_s;
  double client_share = 0;  // of the threads' time
  double turns = 0;

  [[nodiscard]] double by_clock() const { return messages / seconds; }
  // By CPU second of one thread.
  [[nodiscard]] double by_cpu() const {
    double sum = 0;
    for (const double cpu : cpu_s) sum += cpu;
    return messages / sum;
  }
};

Run between(const Totals& before, const Totals& after, bool notices) {
  Run run;
  run.seconds = std::chrono::duration<double>(after.at - before.at).count();
  run.messages =
      static_cast<double>(notices ? after.notices - before.notices : after.replies - before.replies);
  for (std::size_t i = 0; i < after.cpu_s.size(); ++i) run.cpu_s.push_back(after.cpu_s[i] - before.cpu_s[i]);
  const auto sampled = static_cast<double>(after.sampled_ns - before.sampled_ns);
  if (sampled > 0) run.client_share = static_cast<double>(after.client_ns - before.client_ns) / sampled;
  run.turns = static_cast<double>(after.turns - before.turns);
  return run;
}

// Nothing is lost and nothing comes twice: who was sent to has it.
void check_notices(const Hive& hive, Work work, const Totals& before) {
  const std::size_t listeners = hive.layout().shards * hive.clients_each();
  const std::size_t each = work == Work::send ? 1 : work == Work::fan_out ? listeners : 0;
  const auto all_came = [&] {
    const Totals now = hive.totals();
    return now.notices - before.notices == (now.replies - before.replies) * each;
  };
  if (!eventually(all_came)) throw std::runtime_error("what was sent and what came differ");
}

Run run_once(Work work, const Options& options, Layout layout, std::size_t first_core) {
  Hive hive(layout, options.clients, options.ack_every, first_core);
  hive.open();
  if (work == Work::fan_out) {
    hive.start(subscriptions(hive), false);
    hive.quiet();
  }
  const Totals idle = hive.totals();
  hive.start(script_of(work, hive, options), true);
  const std::chrono::milliseconds time(options.milliseconds);
  std::this_thread::sleep_for(time / 5);
  const Totals before = hive.totals();
  std::this_thread::sleep_for(time);
  Run run;
  // On a busy machine a shard may have had no turn in all that time.
  const bool any = eventually([&] {
    run = between(before, hive.totals(), work == Work::fan_out);
    return run.messages > 0;
  });
  if (!any) throw std::runtime_error("no message came");
  hive.quiet();
  check_notices(hive, work, idle);
  return run;
}

// One kind of work: a run of each round.
struct Series {
  Work work;
  std::vector<Run> one, shards, apart;
};

Series measure(Work work, const Options& options) {
  Series series{work, {}, {}, {}};
  const std::array<std::pair<Layout, std::vector<Run>*>, 3> layouts{
      {{{1, 1}, &series.one}, {{1, options.shards}, &series.shards}, {{options.shards, 1}, &series.apart}}};
  for (std::size_t round = 0; round < options.rounds; ++round)
    for (std::size_t i = 0; i < layouts.size(); ++i) {
      const auto& [layout, runs] = layouts[(round + i) % layouts.size()];
      runs->push_back(run_once(work, options, layout, round));
    }
  return series;
}

// --- The report

struct Spread {
  double median, least, most;
};

Spread spread(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back()};
}

Spread spread(const std::vector<Run>& runs, const std::function<double(const Run&)>& value) {
  std::vector<double> values;
  for (const Run& run : runs) values.push_back(value(run));
  return spread(std::move(values));
}

// Round by round.
Spread ratio(const std::vector<Run>& runs, const std::vector<Run>& base, double (Run::*value)() const,
             double factor) {
  std::vector<double> values;
  for (std::size_t i = 0; i < runs.size(); ++i)
    values.push_back(factor * (runs[i].*value)() / (base[i].*value)());
  return spread(std::move(values));
}

std::string_view name_of(Work work) {
  return std::ranges::find(kWorks, work, &std::pair<Work, std::string_view>::first)->second;
}

std::string text_of(const Spread& s) {
  return fmt::format("{:.2f} ({:.2f}-{:.2f})", s.median, s.least, s.most);
}

// The least busy thread's share of a core: below 1 it waited, for other programs or for another shard.
double busy(const Run& run) { return *std::ranges::min_element(run.cpu_s) / run.seconds; }

void print_head(const Options& options) {
  fmt::print("{} clients, {} calls in flight each ({} publishers with one), {} rounds of {} ms\n",
             options.clients, options.in_flight, options.publishers, options.rounds, options.milliseconds);
  fmt::print("{:<8} {:>11} {:>11}  {:<17} {:<17} {:<17} {:>8} {:>8}\n", "", "1 shard/s",
             fmt::format("{} shards/s", options.shards), "ratio", "by CPU time", "apart, by CPU", "busy",
             "clients");
}

void print_row(const Series& series, const Options& options) {
  const auto factor = static_cast<double>(options.shards);
  fmt::print("{:<8} {:>11.0f} {:>11.0f}  {:<17} {:<17} {:<17} {:>7.0f}% {:>7.1f}%\n", name_of(series.work),
             spread(series.one, &Run::by_clock).median, spread(series.shards, &Run::by_clock).median,
             text_of(ratio(series.shards, series.one, &Run::by_clock, 1)),
             text_of(ratio(series.shards, series.one, &Run::by_cpu, factor)),
             text_of(ratio(series.apart, series.one, &Run::by_cpu, factor)),
             100 * spread(series.shards, busy).median,
             100 * spread(series.one, [](const Run& run) { return run.client_share; }).median);
  std::fflush(stdout);
}

std::string json_of(const std::vector<Run>& runs) {
  std::string out;
  for (const Run& run : runs)
    out += fmt::format(
        R"({}{{"seconds":{:.4f},"messages":{:.0f},"cpu_seconds":[{:.4f}],"client_share":{:.4f},"turns":{:.0f}}})",
        out.empty() ? "" : ",", run.seconds, run.messages, fmt::join(run.cpu_s, ","), run.client_share,
        run.turns);
  return "[" + out + "]";
}

std::string json_of(std::string_view name, const Spread& s) {
  return fmt::format(R"("{}":{{"median":{:.4f},"least":{:.4f},"most":{:.4f}}})", name, s.median, s.least,
                     s.most);
}

std::string json_of(const Series& series, const Options& options) {
  const auto factor = static_cast<double>(options.shards);
  return fmt::format(R"({{"work":"{}",{},{},{},{},"one":{},"shards":{},"apart":{}}})", name_of(series.work),
                     json_of("ratio", ratio(series.shards, series.one, &Run::by_clock, 1)),
                     json_of("ratio_by_cpu", ratio(series.shards, series.one, &Run::by_cpu, factor)),
                     json_of("apart_ratio", ratio(series.apart, series.one, &Run::by_clock, 1)),
                     json_of("apart_ratio_by_cpu", ratio(series.apart, series.one, &Run::by_cpu, factor)),
                     json_of(series.one), json_of(series.shards), json_of(series.apart));
}

int run(const Options& options) {
  if (!options.json) print_head(options);
  std::string results;
  for (const Work work : options.works) {
    const Series series = measure(work, options);
    if (!options.json) print_row(series, options);
    results += (results.empty() ? "" : ",") + json_of(series, options);
  }
  if (options.json)
    fmt::print(
        R"({{"shards":{},"clients":{},"in_flight":{},"publishers":{},"rounds":{},"milliseconds":{},"results":[{}]}})"
        "\n",
        options.shards, options.clients, options.in_flight, options.publishers, options.rounds,
        options.milliseconds, results);
  return 0;
}

}  // namespace
}  // namespace hubbub::bench

int main(int argc, char** argv) {
  const auto options = hubbub::bench::read_options({argv + 1, argv + argc});
  if (!options) {
    fmt::print(stderr, "{}", hubbub::bench::kUsage);
    return 2;
  }
  try {
    return hubbub::bench::run(*options);
  } catch (const std::exception& failed) {
    fmt::print(stderr, "bench_shards: {}\n", failed.what());
    return 1;
  }
}
