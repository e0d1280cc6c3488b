#include "hubbub/server/server.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "hubbub/base/assert.h"
#include "hubbub/base/version.h"
#include "hubbub/core/builtin_methods.h"
#include "hubbub/net/epoll_io.h"
#include "hubbub/net/shard.h"
#include "hubbub/net/shard_group.h"
#include "hubbub/server/cli.h"
#include "hubbub/server/memory_allowance.h"
#include "hubbub/server/routes.h"
#include "hubbub/server/stop_signals.h"
#include "hubbub/server/system_clock.h"

namespace hubbub {
namespace {

// Descriptors that are not clients': listener, epoll, log, libraries, and some air.
constexpr std::size_t kOwnDescriptors = 32;

// The most descriptors this process may have; the soft limit is raised to the hard one.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit wanted{limit.rlim_max, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
  }
  constexpr rlim_t kMost = 10'000'000;  // RLIM_INFINITY and containers' huge values
  return static_cast<std::size_t>(std::min(limit.rlim_cur, kMost));
}

ShardSettings shard_settings(const Config& config, std::size_t shards) {
  const std::size_t descriptors = raise_descriptor_limit();
  // A shard has its own listener, epoll, wake-up and reserve.
  const std::size_t own = kOwnDescriptors + 4 * shards;
  const std::size_t room = descriptors > 2 * own ? descriptors - own : descriptors / 4;
  // Some are for those who must be told that there is no room.
  const std::size_t refused = std::min<std::size_t>(256, room / 4);
  const std::size_t connections = config.limits.connections;
  ProxySettings proxy;
  proxy.header = config.proxy_header;
  for (const std::string& text : config.proxies) proxy.trusted.push_back(AddressRange::parse(text).value());
  Limits limits = config.limits;
  if (limits.memory_budget == 0) limits.memory_budget = default_memory_budget(memory_allowance());
  return {.limits = limits,
          .access = config.access,
          .deflate = config.compression,
          .proxy = std::move(proxy),
          .connections_max = connections == 0 ? room - refused : std::min(connections, room - refused),
          .refused_max = std::max<std::size_t>(1, refused / shards),
          .drain_period_ms = config.drain_period_ms};
}

// The cores this process may use.
std::size_t cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max<std::size_t>(1, static_cast<std::size_t>(CPU_COUNT(&set)));
}

// A shard with what belongs to it alone.
struct Unit {
  EpollIo io;
  SystemRng rng;
  MethodTable methods;
  Dispatcher* dispatcher = nullptr;
  std::optional<Shard> shard;
  std::optional<Routes> routes;
  std::thread thread;
};

}  // namespace

struct Server::Parts {
  explicit Parts(Config c, Log* l) : config(std::move(c)), log(l) {
    if (log) return;
    own_log.emplace(config.log_level, config.log_format);
    log = &*own_log;
  }

  Config config;
  Log* log;
  std::optional<SpdLog> own_log;
  bool echo = false;
  bool one_shard = false;  // methods() was used
  SystemClock clock;
  std::function<void(MethodTable&)> add_methods;
  Hub::SessionHook session_end_hook;
  std::vector<std::unique_ptr<Unit>> units;
  std::optional<ShardGroup> group;
  std::mutex joining;  // of the threads: run() starts them and waits for them, as stop() may at the same time
  std::atomic<std::size_t> running{0};  // shards, until their last turns
  std::atomic<bool> cut{false};

  Unit& add_unit() {
    Unit& unit = *units.emplace_back(std::make_unique<Unit>());
    add_builtin_methods(unit.methods, unit.dispatcher);
    return unit;
  }
  [[nodiscard]] Result<void> make_shards();
  [[nodiscard]] Result<std::string> listen();
  void start_threads();
  void begin_drain();
  void join();
  void drop_shards();
};

Result<void> Server::Parts::make_shards() {
  const std::size_t wanted = config.shards > 0 ? config.shards : one_shard ? 1 : cores();
  if (one_shard && wanted > 1)
    return fail(Errc::internal_error, "server.shards is " + std::to_string(wanted) +
                                          ", but the methods of this program are for one shard");
  while (units.size() < wanted) add_unit();
  group.emplace(config.limits, static_cast<ShardId>(wanted), units.front()->rng.next());
  const ShardSettings settings = shard_settings(config, wanted);
  for (ShardId id = 0; id < wanted; ++id) {
    Unit& unit = *units[id];
    if (add_methods) add_methods(unit.methods);
    unit.shard.emplace(settings, *group, id, unit.io, clock, unit.rng, *log, unit.methods);
    unit.dispatcher = &unit.shard->dispatcher();
    unit.routes.emplace(*unit.shard, RoutesSettings{config.cors_origins, echo});
    unit.shard->set_service(*unit.routes);
    unit.shard->hub().on_session_end(session_end_hook);
  }
  return {};
}

// The first finds out the port if any will do; the others join it.
Result<std::string> Server::Parts::listen() {
  const bool shared = units.size() > 1;
  if (shared && config.listen.port != 0) {
    // Another program may not share the address with us unasked, nor we with it.
    auto alone = units.front()->io.listen(config.listen.host, config.listen.port, false);
    if (!alone) return std::unexpected(std::move(alone.error()));
    units.front()->io.close(alone->socket);
  }
  auto address = units.front()->shard->listen(config.listen.host, config.listen.port);
  if (!address) return address;
  const auto port = static_cast<std::uint16_t>(std::stoul(address->substr(address->rfind(':') + 1)));
  for (std::size_t i = 1; i < units.size(); ++i)
    if (auto joined = units[i]->shard->listen(config.listen.host, port); !joined) return joined;
  return address;
}

void Server::Parts::start_threads() {
  const std::lock_guard lock(joining);
  running = units.size();
  for (const auto& unit : units)
    unit->thread = std::thread([this, shard = &*unit->shard] {
      shard->bind_thread();
      while (!cut && shard->run_once()) {
      }
      --running;
    });
}

void Server::Parts::begin_drain() {
  for (const auto& unit : units) unit->shard->post([shard = &*unit->shard] { shard->begin_drain(); });
}

void Server::Parts::join() {
  const std::lock_guard lock(joining);
  for (const auto& unit : units)
    if (unit->thread.joinable()) unit->thread.join();
}

void Server::Parts::drop_shards() {
  for (const auto& unit : units) {
    unit->routes.reset();
    unit->shard.reset();
  }
  group.reset();
}

Server::Server(Config config, Log* log) : parts_(std::make_unique<Parts>(std::move(config), log)) {
  parts_->add_unit();
}

Server::~Server() {
  Parts& p = *parts_;
  p.cut = true;
  for (const auto& unit : p.units)
    if (unit->shard) unit->shard->post([] {});
  p.join();
  p.drop_shards();
}

void Server::on_each_shard(std::function<void(MethodTable&)> add) { parts_->add_methods = std::move(add); }

MethodTable& Server::methods() {
  parts_->one_shard = true;
  return parts_->units.front()->methods;
}

void Server::on_session_end(Hub::SessionHook hook) { parts_->session_end_hook = std::move(hook); }

void Server::use_echo() { parts_->echo = true; }

Result<std::string> Server::start() {
  Parts& p = *parts_;
  HUBBUB_ASSERT(!p.group);
  // The same rule as load_config()'s, for configurations made in code.
  if (!p.config.access.configured() && !p.config.listen.loopback())
    return fail(Errc::internal_error,
                "protected mode: without access.allow the server listens on loopback only, not on " +
                    p.config.listen.text() + "; set access.allow, and access.origins for browsers");
  if (auto made = p.make_shards(); !made) return std::unexpected(std::move(made.error()));
  auto address = p.listen();
  if (!address) {
    p.drop_shards();
    return address;
  }
  p.log->info("listening", {{"address", *address},
                            {"version", kVersion},
                            {"shards", p.units.size()},
                            {"memory_budget", p.units.front()->shard->settings().limits.memory_budget},
                            {"connections_max", p.units.front()->shard->settings().connections_max},
                            {"protected", !p.config.access.configured()},
                            {"echo", p.echo}});
  p.start_threads();
  return address;
}

void Server::stop() {
  Parts& p = *parts_;
  if (p.running > 0) p.begin_drain();
  p.join();
}

int Server::run() {
  Parts& p = *parts_;
  StopSignals signals;
  // A log whose reader has gone must not end the server; sockets do not raise it.
  ::signal(SIGPIPE, SIG_IGN);
  if (auto started = start(); !started) {
    p.log->error("cannot start", {{"reason", started.error().message()}});
    return static_cast<int>(ExitCode::unavailable);
  }
  constexpr Millis kLook = 200;  // stop() may have ended the shards from another thread
  int signal = 0;
  while (p.running > 0 && signal == 0) signal = signals.wait_for(kLook);
  p.log->info("draining", {{"signal", signal}, {"period_ms", p.config.drain_period_ms}});
  p.begin_drain();
  while (p.running > 0) {
    const int second = signals.wait_for(50);
    if (second == 0) continue;
    p.log->warn("stopped at once", {{"signal", second}});
    ::_exit(128 + second);
  }
  p.join();
  p.log->info("stopped");
  return static_cast<int>(ExitCode::ok);
}

bool Server::post(std::move_only_function<void(Hub&)> task) {
  Parts& p = *parts_;
  if (p.running == 0) return false;
  Shard& shard = *p.units.front()->shard;
  return shard.post([&shard, task = std::move(task)]() mutable { task(shard.hub()); });
}

}  // namespace hubbub
