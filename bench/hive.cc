#include "hive.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <boost/describe/class.hpp>
#include <stdexcept>
#include <utility>

#include "hubbub/core/builtin_methods.h"
#include "hubbub/core/call.h"
#include "hubbub/core/channel.h"
#include "hubbub/wire/handshake.h"

namespace hubbub::bench {

struct SumParams {
  std::vector<double> numbers;
};
BOOST_DESCRIBE_STRUCT(SumParams, (), (numbers))

namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 20s;

std::vector<int> usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(static_cast<std::size_t>(core), &set)) cores.push_back(core);
  return cores;
}

void pin(std::thread& thread, int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core), &set);
  ::pthread_setaffinity_np(thread.native_handle(), sizeof set, &set);
}

}  // namespace

bool eventually(const std::function<bool()>& holds) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(200us);
  }
  return true;
}

// Opens plain sessions.
class Hive::Door final : public Service {
 public:
  explicit Door(Shard& shard) : shard_(shard) {}
  RequestOutcome on_request(const wire::HttpRequest& request, const Address&) override {
    auto handshake = wire::accept_handshake(request, {});
    if (!handshake) return wire::http_refusal(handshake.error());
    return Upgrade{std::move(*handshake), std::make_unique<Channel>(shard_.dispatcher(), ChannelMode::plain)};
  }

 private:
  Shard& shard_;
};

Hive::Unit::Unit(std::size_t clients, std::size_t ack_every) : io(clients, ack_every) {}
Hive::Unit::~Unit() = default;

Hive::Hive(Layout layout, std::size_t clients, std::size_t ack_every, std::size_t first_core)
    : layout_(layout) {
  ShardSettings settings;
  settings.limits.rate_per_s = 0;
  settings.connections_max = clients;
  const std::size_t units = layout.hubs * layout.shards;
  const std::vector<int> cores = usable_cores();
  for (std::size_t i = 0; i < units; ++i) {
    if (i % layout.shards == 0)
      groups_.push_back(
          std::make_unique<ShardGroup>(settings.limits, static_cast<ShardId>(layout.shards), 1));
    Unit& unit = *units_.emplace_back(std::make_unique<Unit>(clients / units, ack_every));
    add_methods(unit);
    unit.shard.emplace(settings, *groups_.back(), static_cast<ShardId>(i % layout.shards), unit.io, clock_,
                       unit.rng, log_, unit.methods);
    unit.dispatcher = &unit.shard->dispatcher();
    unit.door = std::make_unique<Door>(*unit.shard);
    unit.shard->set_service(*unit.door);
    static_cast<void>(unit.shard->listen("memory", 0));
  }
  for (std::size_t i = 0; i < units; ++i) {
    Unit& unit = *units_[i];
    unit.thread = std::thread([this, shard = &*unit.shard] {
      shard->bind_thread();
      while (!cut_ && shard->run_once()) {
      }
    });
    ::pthread_getcpuclockid(unit.thread.native_handle(), &unit.cpu_clock);
    if (cores.size() >= units) pin(unit.thread, cores[(first_core + i) % cores.size()]);
  }
}

Hive::~Hive() {
  cut_ = true;
  for (const auto& unit : units_) unit->shard->post([] {});
  for (const auto& unit : units_) unit->thread.join();
  for (const auto& unit : units_) unit->shard.reset();
}

void Hive::add_methods(Unit& unit) {
  add_builtin_methods(unit.methods, unit.dispatcher);
  unit.methods.add<SumParams, double>("sum", [](Call&, const SumParams& params) {
    double sum = 0;
    for (const double number : params.numbers) sum += number;
    return sum;
  });
}

void Hive::expect(bool holds, std::string_view what) {
  const bool good = std::ranges::all_of(units_, [](const auto& unit) { return unit->io.counts().bad == 0; });
  if (holds && good) return;
  cut_ = true;
  std::string seen;
  for (const auto& unit : units_) {
    unit->shard->post([] {});
    unit->thread.join();
    unit->thread = std::thread([] {});  // for the destructor to join
    if (seen.empty()) seen = unit->io.first_bad();
  }
  throw std::runtime_error(fmt::format("{}{}{}", holds ? "a client got no answer" : what,
                                       seen.empty() ? "" : "; a client got: ", seen));
}

void Hive::open() {
  expect(eventually([this] {
           return std::ranges::all_of(
               units_, [](const auto& unit) { return unit->io.counts().opened == unit->io.clients(); });
         }),
         "not all sessions opened");
}

void Hive::start(const MakeScript& make, bool again) {
  std::atomic<std::size_t> started{0};
  std::vector<std::vector<ScriptRef>> scripts(units());
  for (std::size_t u = 0; u < units(); ++u)
    for (std::size_t c = 0; c < clients_each(); ++c) scripts[u].push_back(make(u, c));
  for (std::size_t u = 0; u < units(); ++u)
    units_[u]->shard->post([&io = units_[u]->io, mine = &scripts[u], again, &started] {
      io.start(*mine, again);
      ++started;
    });
  while (started < units()) std::this_thread::sleep_for(50us);
}

// The threads answer what is in flight, and what they have for each other.
void Hive::quiet() {
  for (const auto& unit : units_) unit->shard->post([&io = unit->io] { io.hush(); });
  const auto idle = [this] {
    return std::ranges::all_of(units_, [](const auto& unit) { return unit->io.counts().in_flight == 0; });
  };
  expect(eventually(idle), "not all calls were answered");
}

Totals Hive::totals() const {
  Totals sum;
  for (const auto& unit : units_) {
    const MemoryIoCounts& counts = unit->io.counts();
    sum.replies += counts.replies;
    sum.notices += counts.notices;
    sum.turns += counts.turns;
    sum.sampled_ns += counts.sampled_ns;
    sum.client_ns += counts.client_ns;
    timespec time{};
    ::clock_gettime(unit->cpu_clock, &time);
    sum.cpu_s.push_back(static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9);
  }
  sum.at = std::chrono::steady_clock::now();
  return sum;
}

std::string Hive::topic_at(std::size_t unit) const {
  const Node& node = groups_[unit / layout_.shards]->node();
  for (int i = 0;; ++i)
    if (std::string name = fmt::format("room-{}", i); node.home_of(name) == unit % layout_.shards)
      return name;
}

}  // namespace hubbub::bench
