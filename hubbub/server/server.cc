#include "hubbub/server/server.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/base/version.h"
#include "hubbub/core/builtin_methods.h"
#include "hubbub/net/epoll_io.h"
#include "hubbub/net/shard.h"
#include "hubbub/server/cli.h"
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

ShardSettings shard_settings(const Config& config) {
  const std::size_t descriptors = raise_descriptor_limit();
  const std::size_t room =
      descriptors > 2 * kOwnDescriptors ? descriptors - kOwnDescriptors : descriptors / 4;
  // Some are for those who must be told that there is no room.
  const std::size_t refused = std::min<std::size_t>(256, room / 4);
  const std::size_t connections = config.limits.connections;
  return {.limits = config.limits,
          .access = config.access,
          .deflate = config.compression,
          .connections_max = connections == 0 ? room - refused : std::min(connections, room - refused),
          .refused_max = refused,
          .drain_period_ms = config.drain_period_ms};
}

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
  EpollIo io;
  SystemClock clock;
  SystemRng rng;
  MethodTable methods;
  Dispatcher* dispatcher = nullptr;
  Hub::SessionHook session_end_hook;
  std::optional<Shard> shard;
  std::optional<Routes> routes;
  std::thread thread;
  std::mutex joining;  // of thread: run() starts it and waits for it, as stop() may at the same time

  void join() {
    const std::lock_guard lock(joining);
    if (thread.joinable()) thread.join();
  }

  std::atomic<bool> running{false};  // from when shard is there until its last turn
  std::atomic<bool> cut{false};
};

Server::Server(Config config, Log* log) : parts_(std::make_unique<Parts>(std::move(config), log)) {
  add_builtin_methods(parts_->methods, parts_->dispatcher);
}

Server::~Server() {
  Parts& p = *parts_;
  if (p.shard && p.thread.joinable()) {
    p.cut = true;
    p.shard->post([] {});
    p.thread.join();
  }
  p.routes.reset();
  p.shard.reset();
}

MethodTable& Server::methods() { return parts_->methods; }

void Server::on_session_end(Hub::SessionHook hook) { parts_->session_end_hook = std::move(hook); }

void Server::use_echo() { parts_->echo = true; }

Result<std::string> Server::start() {
  Parts& p = *parts_;
  HUBBUB_ASSERT(!p.shard);
  // The same rule as load_config()'s, for configurations made in code.
  if (!p.config.access.configured() && !p.config.listen.loopback())
    return fail(Errc::internal_error,
                "protected mode: without access.allow the server listens on loopback only, not on " +
                    p.config.listen.text() + "; set access.allow, and access.origins for browsers");
  p.shard.emplace(shard_settings(p.config), p.io, p.clock, p.rng, *p.log, p.methods);
  p.dispatcher = &p.shard->dispatcher();
  p.routes.emplace(*p.shard, RoutesSettings{p.config.cors_origins, p.echo});
  p.shard->set_service(*p.routes);
  auto address = p.shard->listen(p.config.listen.host, p.config.listen.port);
  if (!address) {
    p.routes.reset();
    p.shard.reset();
    return address;
  }
  p.shard->hub().on_session_end(std::move(p.session_end_hook));
  p.log->info("listening", {{"address", *address},
                            {"version", kVersion},
                            {"connections_max", p.shard->settings().connections_max},
                            {"protected", !p.config.access.configured()},
                            {"echo", p.echo}});
  const std::lock_guard lock(p.joining);
  p.running = true;
  p.thread = std::thread([&p] {
    p.shard->bind_thread();
    while (!p.cut && p.shard->run_once()) {
    }
    p.running = false;
  });
  return address;
}

void Server::stop() {
  Parts& p = *parts_;
  if (p.running) p.shard->post([&p] { p.shard->begin_drain(); });
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
  constexpr Millis kLook = 200;  // stop() may have ended the shard from another thread
  int signal = 0;
  while (p.running && signal == 0) signal = signals.wait_for(kLook);
  p.log->info("draining", {{"signal", signal}, {"period_ms", p.config.drain_period_ms}});
  p.shard->post([&p] { p.shard->begin_drain(); });
  while (p.running) {
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
  if (!p.running) return false;
  return p.shard->post([&p, task = std::move(task)]() mutable { task(p.shard->hub()); });
}

}  // namespace hubbub
