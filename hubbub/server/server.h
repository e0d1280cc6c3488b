// Server: hubbub as a library. Add methods, start, stop.
//
//   hubbub::Server server;
//   server.on_each_shard([](hubbub::MethodTable& methods) {
//     methods.add<Sum, std::int64_t>("sum", [](hubbub::Call&, const Sum& s) { return s.a + s.b; });
//   });
//   return server.run();
//
// A shard is a thread with its own connections, sessions and table of methods (server.shards: one for each
// core). Handlers run on the thread of the session's shard, to completion: long work takes `call.defer<R>()`
// and answers from any thread. An application whose handlers share state that is not made for several threads
// uses methods() instead, and is served by one shard. Nothing of a Server is thread-safe but post() and
// stop(). What handlers, hooks and tasks refer to outlives the server.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "hubbub/base/error.h"
#include "hubbub/core/call.h"
#include "hubbub/core/hub.h"
#include "hubbub/core/method_table.h"
#include "hubbub/server/config.h"

namespace hubbub {

class Server {
 public:
  // `log` outlives the server; null: an SpdLog on stderr as the configuration says.
  explicit Server(Config config = {}, Log* log = nullptr);
  // Stops at once if it runs: connections are cut.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Fills each shard's table of methods, which the hub's own are in: called by start() for one shard after
  // the other, on the calling thread. What `add` makes for a shard is used by that shard's thread alone.
  void on_each_shard(std::function<void(MethodTable&)> add);
  // The one table of a server with one shard: from now on server.shards may be 0 or 1 and both mean one. To
  // be filled before start().
  [[nodiscard]] MethodTable& methods();
  // See Hub::on_session_end; before start(). Called on the thread of the session's shard.
  void on_session_end(Hub::SessionHook hook);
  // Serves the echo tool instead of JSON-RPC; before start().
  void use_echo();

  // Listens and serves on threads of its own. The address as bound ("127.0.0.1:43210"), or why not.
  [[nodiscard]] Result<std::string> start();
  // Drains (server.drain_period) and returns when all connections are closed. Any thread but a shard's.
  void stop();
  // start(), then serves until SIGTERM or SIGINT, drains and returns the exit code (see ExitCode); a second
  // signal exits at once. Handles these two signals while it runs.
  [[nodiscard]] int run();

  // Any thread, any time before the destructor: runs `task` on the first shard's thread with its hub, to
  // publish, send or broadcast from other threads: that reaches all shards. It must not throw. False if the
  // server does not run (not yet, or not any more).
  bool post(std::move_only_function<void(Hub&)> task);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hubbub
