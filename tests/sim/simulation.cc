#include "tests/sim/simulation.h"

#include <algorithm>
#include <utility>

#include "tests/sim/marks.h"
#include "tests/sim/violation.h"

namespace hubbub::sim {
namespace {

constexpr Millis kCalmMs = 120'000;  // in which everybody must have settled
constexpr Millis kCalmStepMs = 20;
constexpr unsigned kCalmSteps = 20'000;

}  // namespace

Simulation::Simulation(const Swarm& swarm, std::function<void(std::string)> note)
    : swarm_(swarm),
      rng_(fork_seed(swarm.seed, "simulation")),
      io_rng_(fork_seed(swarm.seed, "io")),
      slow_rng_(fork_seed(swarm.seed, "slow")),
      world_(swarm.settings, swarm.shards, fork_seed(swarm.seed, "server")),
      town_{world_, swarm_, {}, {}, {}, false, false, std::move(note)} {
  town_.strictness.lossless = swarm_.lossless;
  town_.strictness.may_refuse =
      swarm_.settings.limits.calls_in_flight < 1000 || swarm_.settings.limits.rate_per_s > 0;
  town_.strictness.shards = swarm_.shards > 1;
  town_.strictness.narrow_ways = swarm_.shards > 1 && swarm_.narrow_ways;
  for (ShardId id = 0; id < world_.shards(); ++id) {
    slow_.push_back(std::make_unique<SlowAnswers>(world_.clock, slow_rng_));
    add_test_methods(world_.methods(id), town_.ledger, *slow_[id]);
  }
  frames_at_rest_ = world_.frames();
  world_.after_turn = [this] { after_turn(); };
}

Simulation::~Simulation() = default;

void Simulation::run() {
  note(swarm_.text());
  add_clients();
  begin_trouble();
  steps(swarm_.steps);
  finish();
}

void Simulation::add_clients() {
  for (unsigned i = 0; i < swarm_.clients; ++i) clients_.push_back(std::make_unique<ModelClient>(town_, i));
}

void Simulation::begin_trouble() {
  world_.io.chaos = swarm_.chaos;
  world_.io.chaos.rng = &io_rng_;
}

void Simulation::steps(unsigned count) {
  for (unsigned n = 0; n < count; ++n) step();
}

void Simulation::step() {
  ++step_;
  if (!town_.calm) trouble();
  for (auto& client : clients_)
    if (town_.calm || rng_.below(4) > 0) step_client(*client);
  for (auto& vandal : vandals_) vandal->step();
  std::erase_if(vandals_, [](const auto& vandal) { return vandal->gone(); });
  for (ShardId id = 0; id < world_.shards(); ++id)
    if (!world_.stalled(id)) slow_[id]->answer(world_.shard(id).hub(), town_.calm);
  pass_time();
}

void Simulation::step_client(ModelClient& client) {
  try {
    client.step();
  } catch (const Violation& violation) {
    throw Violation(std::string(violation.what()) + "\n  " + client.state());
  }
}

void Simulation::pass_time() {
  if (town_.calm) {
    world_.advance(kCalmStepMs);
    return;
  }
  switch (rng_.below(8)) {
    case 0:
      world_.turn();
      break;
    case 1:
      world_.settle();
      break;
    case 2:
      world_.advance(static_cast<Millis>(rng_.below(1000)));
      break;
    default:
      world_.advance(static_cast<Millis>(rng_.below(40)));
  }
}

void Simulation::trouble() {
  const auto chance = [this](std::uint32_t in_ten_thousand) { return rng_.below(10'000) < in_ten_thousand; };
  if (chance(swarm_.long_pause)) world_.advance(static_cast<Millis>(rng_.below(6000)));
  if (chance(swarm_.wall_step)) {
    world_.clock.wall_step += static_cast<Millis>(rng_.below(7'200'000)) - 3'600'000;
    marks().hit(Mark::wall_clock_stepped);
  }
  if (chance(swarm_.vandal) && vandals_.size() < 4) {
    vandals_.push_back(std::make_unique<Vandal>(world_, rng_.next()));
    marks().hit(Mark::misbehaved);
  }
  if (swarm_.shards > 1 && chance(swarm_.shard_stall)) {
    world_.stall(static_cast<ShardId>(rng_.below(swarm_.shards)),
                 static_cast<Millis>(rng_.below(rng_.below(4) == 0 ? 6000 : 800)));
    marks().hit(Mark::shard_stalled);
  }
  if (chance(swarm_.fd_famine)) {
    world_.io.descriptors_max = world_.io.sockets_open();
    world_.io.reserve_taken = rng_.below(2) == 0;
    famine_until_ = world_.clock.now + static_cast<Millis>(rng_.below(3000));
  }
  if (world_.clock.now >= famine_until_) world_.io.descriptors_max = kUnlimited;
}

void Simulation::after_turn() {
  demand(town_.ledger.violation().empty(), town_.ledger.violation().c_str());
  for (auto& client : clients_) client->look();
}

// --- Calm

void Simulation::settle(const char* what) {
  const Millis until = world_.clock.now + kCalmMs;
  for (unsigned n = 0; n < kCalmSteps && world_.clock.now < until; ++n) {
    if (std::ranges::all_of(clients_, [](const auto& client) { return client->settled(); })) return;
    step();
  }
  std::string who;
  for (const auto& client : clients_)
    if (!client->settled()) who += "\n  " + client->state();
  demand(false, what, who);
}

void Simulation::finish() {
  note("--- calm");
  town_.calm = true;
  world_.io.chaos.rng = nullptr;
  world_.io.descriptors_max = kUnlimited;
  world_.end_stalls();
  for (auto& vandal : vandals_) vandal->leave();
  for (auto& client : clients_) client->come_back();
  settle("in the calm everybody settles");
  // Presence is told once in its interval.
  steps(static_cast<unsigned>(2 * swarm_.settings.limits.presence_interval_ms / kCalmStepMs) + 2);
  settle("in the calm everybody stays settled");
  for (auto& client : clients_) client->probe();
  step();
  settle("probes are answered");
  check_between_shards();
  for (auto& client : clients_) client->check_complete();
  note("--- complete");
  mark_faults();
  if (swarm_.drains)
    drain();
  else
    leave();
}

void Simulation::mark_faults() {
  if (world_.io.accepts_failed > 0) marks().hit(Mark::accept_failed);
  if (world_.io.refused > 0) marks().hit(Mark::out_of_descriptors);
  std::uint64_t seen = 0;
  for (const auto& client : clients_) seen += client->resumes();
  if (world_.handed_over() > 0) marks().hit(Mark::moved_by_url);
  if (world_.log.count("connection moved") > 0) marks().hit(Mark::moved_by_request);
  if (world_.log.count("mirror caught up") > 0) marks().hit(Mark::mirror_caught_up);
  if (world_.log.count("publications lost between shards") > 0) marks().hit(Mark::mirror_lost);
  demand(world_.stats().sessions_resumed >= seen, "the server counts its resumes");
  if (world_.stats().sessions_resumed > seen) marks().hit(Mark::resume_reply_lost);
}

void Simulation::leave() {
  for (auto& client : clients_) client->leave(rng_.below(2) == 0);
  const Limits& limits = swarm_.settings.limits;
  for (unsigned n = 0; n < 1000; ++n) {
    step();
    if (std::ranges::all_of(clients_, [](const auto& client) { return client->gone(); })) break;
  }
  world_.advance(limits.head_deadline_ms + limits.close_deadline_ms + limits.open_deadline_ms +
                 limits.ping_interval_ms + limits.pong_deadline_ms + limits.write_stall_ms);
  world_.advance(limits.grace_ms + limits.topic_idle_ms + 1000);
  check_empty();
}

void Simulation::check_between_shards() {
  const std::uint64_t full =
      world_.hits(LimitHit::shard_queue_messages) + world_.hits(LimitHit::shard_queue_bytes);
  demand(full == 0 || town_.strictness.narrow_ways, "a wide way is never full:", full);
  for (unsigned i = 0; i < swarm_.topics; ++i) world_.check_mirrors("t" + std::to_string(i));
}

void Simulation::check_empty() {
  world_.check_ways();
  for (ShardId id = 0; id < world_.shards(); ++id) {
    Shard& shard = world_.shard(id);
    const HubCounts counts = shard.hub().counts();
    demand(shard.connections() == 0, "no connection is left:", shard.connections());
    demand(counts.attached + counts.detached == 0, "no session is left:", counts.attached, counts.detached);
    demand(counts.topics + counts.subscriptions == 0, "no topic is left:", counts.topics,
           counts.subscriptions);
    demand(shard.dispatcher().calls_in_flight() == 0,
           "no call is left:", shard.dispatcher().calls_in_flight());
  }
  const Node& node = world_.node();
  demand(node.connections == 0 && node.sessions == 0 && node.topics == 0,
         "the node counts nothing:", node.connections.load(), node.sessions.load(), node.topics.load());
  demand(world_.frames() == frames_at_rest_, "no frame is left:", world_.frames(), frames_at_rest_);
  demand(world_.io.sockets_open() == world_.shards(), "no socket is left:", world_.io.sockets_open());
}

void Simulation::drain() {
  town_.draining = true;
  for (ShardId id = 0; id < world_.shards(); ++id)
    world_.shard(id).post([&shard = world_.shard(id)] { shard.begin_drain(); });
  const Millis until =
      world_.clock.now + swarm_.settings.drain_period_ms + 2 * swarm_.settings.limits.close_deadline_ms;
  while (world_.running && world_.clock.now < until) {
    for (auto& client : clients_) client->step();
    world_.advance(kCalmStepMs);
  }
  demand(!world_.running, "a drain ends in time");
  marks().hit(Mark::drained);
}

}  // namespace hubbub::sim
