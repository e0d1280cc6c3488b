// Server: hubbub as a library. Add methods, start, stop.
//
//   hubbub::Server server;
//   server.methods().add<Sum, std::int64_t>("sum", [](hubbub::Call&, const Sum& s) { return s.a + s.b; });
//   return server.run();
//
// Handlers run on the shard's thread, to completion: long work takes `call.defer<R>()` and answers from any thread. Nothing of a
// Server is thread-safe but post() and stop().
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

  // The methods clients may call; the hub's own are in. To be filled before start().
  [[nodiscard]] MethodTable& methods();
  // Serves the echo tool instead of JSON-RPC; before start().
  void use_echo();

  // Listens and serves on a thread of its own. The address as bound ("127.0.0.1:43210"), or why not.
  [[nodiscard]] Result<std::string> start();
  // Drains (server.drain_period) and returns when all connections are closed. Any thread but the shard's.
  void stop();
  // start(), then serves until SIGTERM or SIGINT, drains and returns the exit code (see ExitCode); a second signal exits
  // at once. Blocks these signals in the calling thread.
  [[nodiscard]] int run();

  // Runs `task` on the shard's thread with its hub: publish, send or broadcast from other threads. False if not running.
  bool post(std::move_only_function<void(Hub&)> task);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hubbub
