// SimIo: an Io in memory, for tests of everything above the socket. Both directions of a socket are byte
// pipes with a capacity; readiness is told once per change, as epoll's edge mode does; time stands still
// until told. Any operation may be made to fail: the Nth one, from now on, or by chance (Chaos).
//
// The shards of a simulated process have one each; all see the same sockets, so that a connection can move
// from one to another.
//
// It holds the product to its side of the contract, too: using a closed socket or one that another shard
// watches, closing one twice or watching one twice aborts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/base/assert.h"
#include "hubbub/base/rng.h"
#include "hubbub/net/io.h"

namespace hubbub::sim {

class SimClock final : public Clock {
 public:
  [[nodiscard]] Millis now_ms() const override { return now; }
  [[nodiscard]] std::int64_t wall_ms() const override { return 1'795'000'000'000 + now + wall_step; }
  Millis now = 1'000'000;
  Millis wall_step = 0;  // somebody sets the wall clock; may go back
};

class SimIo;

inline constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

// One TCP connection, both ends. The test holds the client's.
struct SimSocket {
  Socket number = kNoSocket;  // kNoSocket: not accepted yet, or closed by the server
  Address peer;
  std::string to_server;
  std::string to_client;
  std::size_t to_client_capacity = 1024 * 1024;
  std::size_t read_max = kUnlimited;   // bytes one read gives at most
  std::size_t write_max = kUnlimited;  // bytes one write takes at most
  bool client_fin = false;
  bool client_reset = false;
  bool server_fin = false;  // the server's shutdown, or its close with everything read
  bool server_reset =
      false;  // the server closed with bytes unread: the client may lose what it did not read yet
  bool server_closed = false;
  SimIo* watcher = nullptr;  // where its events go; null: nobody watches it
  std::uint64_t tag = 0;
  bool edge_readable = false;
  bool edge_writable = false;
  bool queued = false;   // in the list of sockets with an edge
  bool full = false;     // a write was told to wait
  bool cut_off = false;  // an injected failure: like client_reset, but the client did not do it

  [[nodiscard]] bool broken() const { return client_reset || cut_off; }
};

class SimIo final : public Io {
 public:
  using SocketRef = std::shared_ptr<SimSocket>;
  // What an operation that is told to fail does.
  enum class Fault : std::uint8_t { error, would_block, one_byte };

  // Faults by chance, each in so many of a thousand operations. Off without an rng.
  struct Chaos {
    Rng* rng = nullptr;
    std::uint32_t broken = 0;       // the connection breaks in a read, a write or when it is watched
    std::uint32_t would_block = 0;  // nothing moves, an edge follows
    std::uint32_t few_bytes = 0;    // a read or write moves 1-16 bytes
    std::uint32_t accept = 0;       // an accept fails
  };

  explicit SimIo(SimClock& clock) : until(clock.now), clock_(clock), first_(*this) {}
  // Another one in the same process. What tests set and look at is the first one's, but for what is marked as
  // each one's own.
  explicit SimIo(SimIo& first) : until(first.clock_.now), clock_(first.clock_), first_(first) {}

  // --- The world outside

  // A client's connect(); the listen queue has no bound.
  SocketRef connect(const Address& peer) {
    auto socket = std::make_shared<SimSocket>();
    socket->peer = peer;
    backlog_.push_back(socket);
    listener_edge_ = true;
    return socket;
  }
  void client_sends(const SocketRef& socket, std::string_view bytes) {
    if (socket->server_closed || socket->broken()) return;
    socket->to_server += bytes;
    edge(socket, true, false);
  }
  void client_ends(const SocketRef& socket) {
    socket->client_fin = true;
    edge(socket, true, false);
  }
  void client_resets(const SocketRef& socket) {
    socket->client_reset = true;
    socket->to_client.clear();
    edge(socket, true, true);
  }
  // The client reads up to `bytes`, which may make room for the server.
  std::string client_reads(const SocketRef& socket, std::size_t bytes = kUnlimited) {
    std::string out = socket->to_client.substr(0, bytes);
    socket->to_client.erase(0, out.size());
    if (socket->full && socket->to_client.size() < socket->to_client_capacity) {
      socket->full = false;
      edge(socket, false, true);
    }
    return out;
  }

  // --- What tests set and look at

  Millis until;  // its own: how far wait() may move the clock
  bool driven =
      false;           // its own: the clock is moved from outside; wait() only says until when it would sleep
  Millis wake_at = 0;  // its own: that
  std::size_t descriptors_max = kUnlimited;                             // accepts beyond are out_of_fds
  bool reserve_taken = false;                                           // or rather fds_taken
  std::uint64_t fail_from = std::numeric_limits<std::uint64_t>::max();  // the first operation that fails
  std::uint64_t fail_count = 1;                                         // how many do
  Fault fault = Fault::error;
  Chaos chaos;
  std::uint64_t operations = 0;  // accepts, watches, reads and writes so far
  std::uint64_t faults = 0;      // that were made to fail
  std::uint64_t refused = 0;     // accepts without a descriptor
  std::uint64_t accepts_failed = 0;
  std::uint64_t trace = 0;  // hash of all that went through here, in order
  [[nodiscard]] std::size_t sockets_open() const { return first_.open_.size(); }
  [[nodiscard]] std::size_t backlog() const { return backlog_.size(); }
  std::uint64_t waits = 0;
  std::uint64_t write_calls = 0;        // batches with something in them
  std::size_t write_bytes_largest = 0;  // offered by one op
  bool idle = false;                    // its own: wait() found nothing to do before `until`
  bool woken = false;                   // its own
  // Its own: a wait() would not sleep.
  [[nodiscard]] bool has_events() const {
    return woken || !edges_.empty() || (listener_edge_ && listener_watched_);
  }

  // --- Io

  std::span<const IoEvent> wait(Millis timeout) override {
    ++waits;
    events_.clear();
    if (listener_edge_ && listener_watched_) {
      listener_edge_ = false;
      events_.push_back({listener_tag_, true, false, false});
    }
    auto edges = std::exchange(edges_, {});
    for (const SocketRef& socket : edges) {
      socket->queued = false;
      if (socket->server_closed) continue;
      const bool ended = socket->client_fin || socket->broken();
      events_.push_back({socket->tag, socket->edge_readable, socket->edge_writable, ended});
      socket->edge_readable = socket->edge_writable = false;
    }
    if (!events_.empty() || timeout == 0 || std::exchange(woken, false)) return events_;
    if (driven) {
      idle = true;
      wake_at = timeout < 0 ? std::numeric_limits<Millis>::max() : clock_.now + timeout;
      return events_;
    }
    if (clock_.now >= until) {
      idle = true;
      return events_;
    }
    clock_.now = timeout < 0 ? until : std::min(until, clock_.now + timeout);
    return events_;
  }
  void wake() override { woken = true; }

  Result<Listening> listen(const std::string& host, std::uint16_t port, bool) override {
    listener_ = next_number();
    first_.open_[listener_] = nullptr;
    return Listening{listener_, host + ':' + std::to_string(port)};
  }

  AcceptResult accept(Socket listener) override {
    HUBBUB_ASSERT(listener == listener_);
    if (backlog_.empty()) return {IoStatus::would_block, kNoSocket, {}};
    if (const auto fault_now = strike(first_.chaos.accept)) {
      listener_edge_ = true;
      if (*fault_now != Fault::error) return {IoStatus::would_block, kNoSocket, {}};
      ++first_.accepts_failed;
      drop_first();
      return {IoStatus::failed, kNoSocket, {}};
    }
    if (first_.open_.size() >= first_.descriptors_max) {
      if (first_.reserve_taken) return {IoStatus::fds_taken, kNoSocket, {}};
      drop_first();
      ++first_.refused;
      return {IoStatus::out_of_fds, kNoSocket, {}};
    }
    SocketRef socket = backlog_.front();
    backlog_.pop_front();
    socket->number = next_number();
    first_.open_[socket->number] = socket;
    note(1, socket->number, {});
    return {IoStatus::ok, socket->number, socket->peer};
  }

  bool watch(Socket number, std::uint64_t tag) override {
    if (number == listener_) {
      listener_watched_ = true;
      listener_tag_ = tag;
      return true;
    }
    const SocketRef& socket = at(number);
    HUBBUB_ASSERT(!socket->watcher);
    if (strike(first_.chaos.broken) == Fault::error) return false;
    socket->watcher = this;
    socket->tag = tag;
    edge(socket, !socket->to_server.empty() || socket->client_fin || socket->broken(), true);
    return true;
  }

  ReadResult read(Socket number, std::span<char> buffer) override {
    const SocketRef& socket = mine(number);
    std::size_t most = std::min(buffer.size(), socket->read_max);
    if (const auto fault_now = strike(first_.chaos.broken)) {
      if (*fault_now == Fault::error) cut(socket);
      if (*fault_now == Fault::would_block) {
        edge(socket, true, false);
        return {IoStatus::would_block};
      }
      most = std::min(most, few());
    }
    if (socket->broken()) return {IoStatus::failed};
    const std::size_t got = socket->to_server.copy(buffer.data(), most);
    note(2, number, std::string_view(buffer.data(), got));
    socket->to_server.erase(0, got);
    if (got == 0) return {socket->client_fin ? IoStatus::eof : IoStatus::would_block};
    // A short read says that there is no more: what is left arrives "later".
    if (got < buffer.size() && (!socket->to_server.empty() || socket->client_fin)) edge(socket, true, false);
    return {IoStatus::ok, got};
  }

  void write(std::span<WriteOp> ops) override {
    if (!ops.empty()) ++write_calls;
    for (WriteOp& op : ops) write_one(op);
  }

  void shutdown_write(Socket number) override {
    HUBBUB_ASSERT(!mine(number)->server_fin);
    at(number)->server_fin = true;
    note(4, number, {});
  }

  void unwatch(Socket number) override {
    const SocketRef& socket = mine(number);
    std::erase(edges_, socket);
    socket->watcher = nullptr;
    socket->queued = socket->edge_readable = socket->edge_writable = false;
  }
  void close(Socket number) override {
    if (number == listener_) listener_ = kNoSocket;
    HUBBUB_ASSERT(first_.open_.contains(number));
    if (const SocketRef socket = first_.open_[number]) {
      HUBBUB_ASSERT(!socket->watcher || socket->watcher == this);
      socket->server_closed = true;
      socket->server_reset = !socket->to_server.empty();
      socket->server_fin = socket->server_fin || !socket->server_reset;
      socket->number = kNoSocket;
    }
    first_.open_.erase(number);
    note(5, number, {});
  }

 private:
  const SocketRef& at(Socket number) {
    const auto found = first_.open_.find(number);
    HUBBUB_ASSERT(found != first_.open_.end() && found->second);
    return found->second;
  }
  const SocketRef& mine(Socket number) {
    const SocketRef& socket = at(number);
    HUBBUB_ASSERT(socket->watcher == this);
    return socket;
  }
  // The lowest free one, as the kernel does: a stale number soon means somebody else.
  Socket next_number() const {
    Socket number = 10;
    while (first_.open_.contains(number)) ++number;
    return number;
  }
  static void edge(const SocketRef& socket, bool readable, bool writable) {
    if (!socket->watcher || socket->server_closed) return;
    socket->edge_readable |= readable;
    socket->edge_writable |= writable;
    if (std::exchange(socket->queued, true)) return;
    socket->watcher->edges_.push_back(socket);
  }
  // The fault of the next operation, if it has one.
  std::optional<Fault> strike(std::uint32_t error_chance) {
    const Chaos& chances = first_.chaos;
    const std::uint64_t number = first_.operations++;
    std::optional<Fault> struck;
    if (number >= first_.fail_from && number - first_.fail_from < first_.fail_count) {
      struck = first_.fault;
    } else if (chances.rng) {
      const std::uint64_t roll = chances.rng->below(1000);
      if (roll < error_chance)
        struck = Fault::error;
      else if (roll < error_chance + chances.would_block)
        struck = Fault::would_block;
      else if (roll < error_chance + chances.would_block + chances.few_bytes)
        struck = Fault::one_byte;
    }
    first_.faults += struck.has_value();
    return struck;
  }
  // How many bytes Fault::one_byte lets through.
  std::size_t few() {
    return first_.chaos.rng ? 1 + static_cast<std::size_t>(first_.chaos.rng->below(16)) : 1;
  }
  void note(std::uint64_t what, Socket number, std::string_view bytes) {
    const auto mix = [&trace = first_.trace](std::uint64_t value) {
      trace = (trace ^ value) * 0x9E3779B97F4A7C15ULL;
      trace ^= trace >> 29;
    };
    mix(what << 32 | static_cast<std::uint32_t>(number));
    mix(bytes.size());
    for (; bytes.size() >= sizeof(std::uint64_t); bytes.remove_prefix(sizeof(std::uint64_t))) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), sizeof word);
      mix(word);
    }
    for (const char byte : bytes) mix(static_cast<unsigned char>(byte));
  }
  void cut(const SocketRef& socket) {
    socket->cut_off = true;
    edge(socket, true, true);
  }
  void drop_first() {
    backlog_.front()->server_closed = true;
    backlog_.front()->server_reset = true;
    backlog_.pop_front();
  }
  void write_one(WriteOp& op) {
    const SocketRef& socket = mine(op.socket);
    HUBBUB_ASSERT(!op.parts.empty() && !socket->server_fin);
    std::size_t wanted = 0;
    for (const iovec& part : op.parts) wanted += part.iov_len;
    write_bytes_largest = std::max(write_bytes_largest, wanted);
    const std::size_t held = std::min(socket->to_client.size(), socket->to_client_capacity);
    std::size_t room = std::min(socket->to_client_capacity - held, socket->write_max);
    bool retry = room < socket->to_client_capacity - held;  // nothing but the test's wish is in the way
    if (const auto fault_now = strike(first_.chaos.broken)) {
      if (*fault_now == Fault::error) cut(socket);
      room = *fault_now == Fault::one_byte ? std::min(room, few()) : 0;
      retry = true;
    }
    if (socket->broken()) {
      op.status = IoStatus::failed;
      return;
    }
    for (const iovec& part : op.parts) {
      const std::size_t size = std::min(part.iov_len, room);
      const std::string_view bytes(static_cast<const char*>(part.iov_base), size);
      note(3, op.socket, bytes);
      socket->to_client += bytes;
      op.written += size;
      room -= size;
      if (size < part.iov_len) break;
    }
    op.status = op.written == wanted ? IoStatus::ok : IoStatus::would_block;
    if (op.status == IoStatus::ok) return;
    if (retry)
      edge(socket, false, true);
    else
      socket->full = true;
  }

  SimClock& clock_;
  SimIo& first_;                      // of the process; this one if it is the only one
  std::map<Socket, SocketRef> open_;  // the first one's: of all; null: a listener
  std::deque<SocketRef> backlog_;
  std::vector<SocketRef> edges_;
  std::vector<IoEvent> events_;
  Socket listener_ = kNoSocket;
  std::uint64_t listener_tag_ = 0;
  bool listener_edge_ = false;
  bool listener_watched_ = false;
};

}  // namespace hubbub::sim
