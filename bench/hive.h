// Hive: one hub or several, of one shard or several each, on MemoryIo, every shard on a thread and, if there
// are enough, a core of its own. Clients are spread evenly. What fails is thrown as std::runtime_error: a
// benchmark whose clients are not served has nothing to say.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "hubbub/base/log.h"
#include "hubbub/base/rng.h"
#include "hubbub/core/method_table.h"
#include "hubbub/net/shard.h"
#include "hubbub/net/shard_group.h"
#include "hubbub/server/system_clock.h"
#include "memory_io.h"

namespace hubbub::bench {

// How many hubs, of how many shards each.
struct Layout {
  std::size_t hubs;
  std::size_t shards;
};

// Waits until it holds, for a while that is long for a matter of milliseconds.
[[nodiscard]] bool eventually(const std::function<bool()>& holds);

struct Totals {
  std::uint64_t replies = 0;
  std::uint64_t notices = 0;
  std::uint64_t turns = 0;
  std::uint64_t sampled_ns = 0;
  std::uint64_t client_ns = 0;
  std::vector<double> cpu_s;  // of each thread
  std::chrono::steady_clock::time_point at;
};

class Hive {
 public:
  // `clients` in all. The first shard is pinned to the `first_core`th core, the others follow.
  Hive(Layout layout, std::size_t clients, std::size_t ack_every, std::size_t first_core);
  ~Hive();
  Hive(const Hive&) = delete;
  Hive& operator=(const Hive&) = delete;

  // Waits until all sessions are open.
  void open();
  using MakeScript = std::function<ScriptRef(std::size_t unit, std::size_t client)>;
  // See MemoryIo::start.
  void start(const MakeScript& make, bool again);
  // Calls no more, and waits until all that was called is answered.
  void quiet();
  [[nodiscard]] Totals totals() const;

  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] std::size_t units() const { return units_.size(); }
  [[nodiscard]] std::size_t clients_each() const { return units_.front()->io.clients(); }
  // Of the hub that the unit belongs to: its units are first, first + 1, ...
  [[nodiscard]] std::size_t first_of_hub(std::size_t unit) const {
    return unit / layout_.shards * layout_.shards;
  }
  [[nodiscard]] const std::string& code(std::size_t unit, std::size_t client) const {
    return units_[unit]->io.code(client);
  }
  // A topic whose home is that unit.
  [[nodiscard]] std::string topic_at(std::size_t unit) const;

 private:
  class Door;
  struct Unit {
    Unit(std::size_t clients, std::size_t ack_every);
    ~Unit();
    MemoryIo io;
    SystemRng rng;
    MethodTable methods;
    Dispatcher* dispatcher = nullptr;
    std::optional<Shard> shard;
    std::unique_ptr<Door> door;
    std::thread thread;
    clockid_t cpu_clock{};
  };
  static void add_methods(Unit& unit);
  // Throws unless it holds and no client got anything bad.
  void expect(bool holds, std::string_view what);

  Layout layout_;
  SystemClock clock_;
  NullLog log_;
  std::vector<std::unique_ptr<ShardGroup>> groups_;
  std::vector<std::unique_ptr<Unit>> units_;
  std::atomic<bool> cut_{false};
};

}  // namespace hubbub::bench
