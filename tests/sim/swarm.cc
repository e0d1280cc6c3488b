#include "tests/sim/swarm.h"

#include "hubbub/base/hash.h"

namespace hubbub::sim {
namespace {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : rng_(seed) {}
  bool percent(std::uint64_t chance) { return rng_.below(100) < chance; }
  template <class Number>
  Number in(Number low, Number high) {
    return low + static_cast<Number>(rng_.below(static_cast<std::uint64_t>(high - low) + 1));
  }
  // Off in most runs, else anything up to `high`.
  std::uint32_t fault(std::uint32_t high) { return percent(40) ? in<std::uint32_t>(1, high) : 0; }

 private:
  SeededRng rng_;
};

void draw_faults(Swarm& swarm, Dice& dice) {
  swarm.reset = dice.fault(150);
  swarm.fin = dice.fault(150);
  swarm.silent = dice.fault(100);
  swarm.half_close = dice.fault(60);
  swarm.leave = dice.fault(100);
  swarm.takeover = dice.fault(150);
  swarm.stall = dice.fault(120);
  swarm.wrong_resume = dice.fault(40);
  swarm.previous_token = dice.fault(40);
  swarm.vandal = dice.fault(200);
  swarm.fd_famine = dice.fault(60);
  swarm.long_pause = dice.fault(80);
  swarm.wall_step = dice.fault(40);
  swarm.chaos.broken = dice.percent(25) ? dice.in<std::uint32_t>(1, 8) : 0;
  swarm.chaos.would_block = dice.fault(150);
  swarm.chaos.few_bytes = dice.fault(400);
  swarm.chaos.accept = dice.fault(100);
  if (dice.percent(30)) swarm.client_window = dice.in<std::size_t>(64, 4096);
}

// Nothing may be lost: no bound within reach, no end of a session.
void widen(Swarm& swarm) {
  Limits& limits = swarm.settings.limits;
  limits.replay_messages = 100'000;
  limits.replay_bytes = 256 * 1024 * 1024;
  limits.replay_age_ms = 24 * 3600 * 1000;
  limits.grace_ms = 24 * 3600 * 1000;
  limits.outbox_soft_bytes = limits.outbox_hard_bytes = 256 * 1024 * 1024;
}

void tighten(Swarm& swarm, Dice& dice) {
  Limits& limits = swarm.settings.limits;
  if (dice.percent(60)) limits.replay_messages = dice.in<std::size_t>(dice.percent(8) ? 0 : 2, 40);
  if (dice.percent(40)) limits.replay_bytes = dice.in<std::size_t>(dice.percent(8) ? 0 : 300, 6000);
  if (dice.percent(30)) limits.replay_age_ms = dice.in<Millis>(300, 8000);
  if (dice.percent(40)) limits.outbox_hard_bytes = dice.in<std::size_t>(1500, 16'000);
  limits.outbox_soft_bytes = std::min(limits.outbox_soft_bytes, limits.outbox_hard_bytes);
  if (dice.percent(40)) {
    limits.outbox_soft_bytes = dice.in<std::size_t>(500, limits.outbox_hard_bytes);
    limits.outbox_soft_ms = dice.in<Millis>(100, 3000);
  }
  if (dice.percent(20)) limits.outbox_messages = dice.in<std::size_t>(5, 60);
  limits.write_stall_ms = dice.percent(50) ? dice.in<Millis>(300, 5000) : limits.write_stall_ms;
  if (dice.percent(60)) limits.grace_ms = dice.in<Millis>(500, 10'000);
  if (dice.percent(25)) limits.calls_in_flight = dice.in<std::size_t>(1, 4);
  if (dice.percent(15)) {
    limits.rate_per_s = dice.in<int>(5, 50);
    limits.rate_burst = dice.in<int>(2, 20);
  }
  swarm.end_session = dice.fault(20);
  swarm.thief = dice.fault(40);
  swarm.long_absence = dice.fault(30);
}

void draw_shards(Swarm& swarm, Dice& dice) {
  swarm.shards = dice.percent(20) ? 1 : dice.in(2U, 4U);
  swarm.url_percent = dice.percent(50) ? dice.in<std::uint32_t>(0, 100) : 50;
  swarm.shard_stall = dice.fault(150);
  swarm.narrow_ways = dice.percent(35);
  if (!swarm.narrow_ways) return;
  Limits& limits = swarm.settings.limits;
  limits.shard_queue_messages = dice.in<std::size_t>(1, 8);
  if (dice.percent(50)) limits.shard_queue_bytes = dice.in<std::size_t>(200, 3000);
  swarm.shard_stall = dice.in<std::uint32_t>(50, 250);
  if (!swarm.lossless && dice.percent(50)) limits.history_messages = dice.in<std::size_t>(0, 4);
  if (!swarm.lossless) return;
  // What found no room is still in the history then.
  limits.history_messages = 100'000;
  limits.history_bytes = 256 * 1024 * 1024;
  limits.history_age_ms = 24 * 3600 * 1000;
}

}  // namespace

std::uint64_t fork_seed(std::uint64_t seed, std::string_view label, std::uint64_t index) {
  std::string name(label);
  name += '/' + std::to_string(seed) + '/' + std::to_string(index);
  return placement_hash(name);
}

Swarm Swarm::draw(std::uint64_t seed) {
  Dice dice(fork_seed(seed, "swarm"));
  Swarm swarm;
  swarm.seed = seed;
  swarm.clients = dice.percent(30) ? 2 : dice.in(2U, 12U);
  swarm.topics = dice.in(1U, 4U);
  swarm.steps = dice.in(150U, 500U);
  swarm.plain_percent = dice.percent(50) ? dice.in<std::uint32_t>(0, 100) : 0;
  swarm.act = dice.in<std::uint32_t>(300, 5000);
  Limits& limits = swarm.settings.limits;
  limits.rate_per_s = 0;
  limits.calls_in_flight = 1000;
  limits.ip_connections = 0;
  limits.ip_connects_per_s = 0;
  limits.message_bytes = 16 * 1024;
  limits.topic_idle_ms = dice.in<Millis>(500, 20'000);
  limits.ping_interval_ms = dice.in<Millis>(3000, 25'000);
  limits.pong_deadline_ms = dice.in<Millis>(1500, 10'000);
  limits.presence_interval_ms = dice.in<Millis>(50, 1000);
  limits.history_messages = dice.in<std::size_t>(dice.percent(15) ? 0 : 1, 100);
  if (dice.percent(30)) limits.history_age_ms = dice.in<Millis>(300, 10'000);
  if (dice.percent(20)) limits.history_bytes = dice.in<std::size_t>(100, 4000);
  if (dice.percent(20)) limits.flush_delay_ms = dice.in<Millis>(1, 5);
  if (dice.percent(20)) limits.write_bytes_per_turn = dice.in<std::size_t>(1, 2000);
  if (dice.percent(20)) limits.read_bytes_per_turn = dice.in<std::size_t>(1, 2000);
  draw_faults(swarm, dice);
  swarm.lossless = dice.percent(35);
  if (swarm.lossless)
    widen(swarm);
  else
    tighten(swarm, dice);
  swarm.drains = dice.percent(15);
  draw_shards(swarm, dice);
  return swarm;
}

std::string Swarm::text() const {
  const Limits& limits = settings.limits;
  const auto pair = [](std::string_view name, auto value) {
    return std::string(name) + '=' + std::to_string(value) + ' ';
  };
  return pair("clients", clients) + pair("topics", topics) + pair("shards", shards) + pair("steps", steps) +
         pair("lossless", lossless) + pair("plain%", plain_percent) + pair("act", act) +
         pair("reset", reset) + pair("fin", fin) + pair("silent", silent) + pair("half_close", half_close) +
         pair("leave", leave) + pair("takeover", takeover) + pair("stall", stall) +
         pair("end_session", end_session) + pair("thief", thief) + pair("wrong%", wrong_resume) +
         pair("previous%", previous_token) + pair("long_absence%", long_absence) + pair("vandal", vandal) +
         pair("fd_famine", fd_famine) + pair("window", client_window) + pair("broken", chaos.broken) +
         pair("block", chaos.would_block) + pair("few", chaos.few_bytes) + pair("accept", chaos.accept) +
         pair("drains", drains) + "\n  " + pair("replay.messages", limits.replay_messages) +
         pair("replay.bytes", limits.replay_bytes) + pair("replay.age", limits.replay_age_ms) +
         pair("grace", limits.grace_ms) + pair("outbox.soft", limits.outbox_soft_bytes) +
         pair("outbox.hard", limits.outbox_hard_bytes) + pair("outbox.messages", limits.outbox_messages) +
         pair("history", limits.history_messages) + pair("in_flight", limits.calls_in_flight) +
         pair("rate", limits.rate_per_s) + pair("url%", url_percent) + pair("shard_stall", shard_stall) +
         pair("shard_queue.messages", limits.shard_queue_messages) +
         pair("shard_queue.bytes", limits.shard_queue_bytes);
}

}  // namespace hubbub::sim
