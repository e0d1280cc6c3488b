// MemoryIo: an Io without sockets, with its clients inside. Each client opens a plain session and then keeps
// a fixed number of JSON-RPC calls in flight: what the shard reads are frames made beforehand, and what it
// writes sets the next ones free. So a shard can be loaded to the brim by its own thread, and what is
// measured is the hub: no system call but the one that wakes a sleeping shard.
//
// Invariants: edges are told as EpollIo tells them; a write takes everything. One thread, but wake() and the
// counts. It judges answers by their envelope only: whatever is no result is counted in `bad`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/base/count.h"
#include "hubbub/net/io.h"

namespace hubbub::bench {

// What a client calls. A slot is one call in flight: its frames are sent one after the other, round and
// round, each when the one before is answered.
class Script {
 public:
  // Two digits in every id: they stand at a fixed place of the answer.
  static constexpr std::size_t kSlotsMax = 90;

  // The next frame of a slot: method and params of a call.
  void add(std::size_t slot, std::string_view method, std::string_view params);
  [[nodiscard]] std::size_t slots() const { return frames_.size(); }
  [[nodiscard]] const std::vector<std::string>& frames(std::size_t slot) const { return frames_[slot]; }

 private:
  std::vector<std::vector<std::string>> frames_;
};
using ScriptRef = std::shared_ptr<const Script>;

// Grow only, but in_flight. Any thread may read them.
struct MemoryIoCounts {
  Count opened;     // sessions
  Count replies;    // results
  Count notices;    // topic.message, session.message
  Count bad;        // errors, closed connections, what is no message at all
  Count in_flight;  // calls not answered yet
  Count turns;
  // Of every kSampledTurns-th turn: how long it took, and how much of that was the clients'.
  Count sampled_ns;
  Count client_ns;
};

class MemoryIo final : public Io {
 public:
  static constexpr std::uint64_t kSampledTurns = 64;

  // `ack_every`: after so many messages a client acknowledges them; 0: never.
  MemoryIo(std::size_t clients, std::size_t ack_every);
  ~MemoryIo() override;
  MemoryIo(const MemoryIo&) = delete;
  MemoryIo& operator=(const MemoryIo&) = delete;

  [[nodiscard]] std::size_t clients() const { return clients_.size(); }
  [[nodiscard]] const MemoryIoCounts& counts() const { return counts_; }
  // The session of a client; once counts().opened says that all are open.
  [[nodiscard]] const std::string& code(std::size_t client) const { return clients_[client].code; }
  // What was counted in `bad` first; when the shard's thread has ended.
  [[nodiscard]] const std::string& first_bad() const { return first_bad_; }

  // Shard's thread, all clients open and quiet: each begins its script, one for each client. Not `again`:
  // every slot calls once.
  void start(const std::vector<ScriptRef>& scripts, bool again);
  // Shard's thread: what is in flight is answered, nothing more is called.
  void hush() { again_ = false; }

  // Io
  std::span<const IoEvent> wait(Millis timeout) override;
  void wake() override;
  [[nodiscard]] Result<Listening> listen(const std::string& host, std::uint16_t port, bool shared) override;
  [[nodiscard]] AcceptResult accept(Socket listener) override;
  bool watch(Socket socket, std::uint64_t tag) override;
  [[nodiscard]] ReadResult read(Socket socket, std::span<char> buffer) override;
  void write(std::span<WriteOp> ops) override;
  void unwatch(Socket) override {}
  void shutdown_write(Socket) override {}
  void close(Socket) override {}

 private:
  using Instant = std::chrono::steady_clock::time_point;
  struct Client {
    std::uint64_t tag = 0;
    ScriptRef script;
    std::vector<std::uint8_t> ready;  // slots whose next call may be sent
    std::vector<std::uint8_t> turn;   // by slot: which frame is next
    std::string unsent;               // bytes that go before the calls: the upgrade, acknowledgements
    std::string heard;                // until it is open
    std::string code;
    std::uint64_t received = 0;  // counted messages
    bool open = false;
    bool queued = false;  // its edge is to be told
  };
  class Timed;

  [[nodiscard]] Client& client(Socket socket) { return clients_[static_cast<std::size_t>(socket) - 1]; }
  void queue(Client& client);
  void sleep(Millis timeout);
  void begin_turn();
  void end_turn();
  void hear(Client& client, std::string_view bytes);
  void hear_opening(Client& client, std::string_view bytes);
  void hear_text(Client& client, std::string_view text);
  void acknowledge(Client& client);
  void call_again(Client& client, std::size_t slot);
  void bad(std::string_view what);

  std::vector<Client> clients_;
  std::size_t ack_every_;
  std::size_t accepted_ = 0;
  std::uint64_t listener_tag_ = 0;  // to be told; 0: nothing
  std::vector<std::size_t> queued_;
  std::vector<IoEvent> events_;
  MemoryIoCounts counts_;
  std::string first_bad_;
  int wake_;
  bool again_ = true;
  bool sampling_ = false;
  Instant turn_began_;
  std::int64_t in_clients_ns_ = 0;  // of the turn
  std::int64_t clock_cost_ns_;      // of asking what time it is
};

}  // namespace hubbub::bench
