// Shard: one thread's world: a listener, its connections, a hub, timers. A turn is: wait, read all, think,
// one batch of writes, reap. What it shares with other shards is in ShardGroup.
//
// Invariants: a connection is freed only in reap(); env.turn_now is one value through a turn; reads, writes
// and accepts of a turn are bounded, what is left goes on in the next.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hubbub/base/slab.h"
#include "hubbub/core/dispatcher.h"
#include "hubbub/core/hub.h"
#include "hubbub/core/memory_budget.h"
#include "hubbub/net/client_address.h"
#include "hubbub/net/connection.h"
#include "hubbub/net/io.h"
#include "hubbub/net/mailbox.h"
#include "hubbub/net/parcel.h"
#include "hubbub/net/part_joiner.h"
#include "hubbub/net/shard_group.h"
#include "hubbub/net/shard_neighbours.h"

namespace hubbub {

struct ShardSettings {
  Limits limits;
  AccessRules access;
  wire::DeflateSettings deflate;
  ProxySettings proxy;
  std::size_t connections_max = 1024;  // of all shards, from limits.connections and RLIMIT_NOFILE
  std::size_t refused_max = 256;       // of this one, beyond those: kept for a moment to be told why
  Millis drain_period_ms = 10'000;
};

class Shard final : public ConnectionHost {
 public:
  // One of the group's. The references outlive the shard. `methods` belongs to this shard alone.
  Shard(const ShardSettings& settings, ShardGroup& group, ShardId id, Io& io, Clock& clock, Rng& rng,
        Log& log, MethodTable& methods);
  // The only one.
  Shard(const ShardSettings& settings, Io& io, Clock& clock, Rng& rng, Log& log, MethodTable& methods);
  ~Shard() override;

  // The address as bound. The shards of a group all listen at the same one.
  [[nodiscard]] Result<std::string> listen(const std::string& host, std::uint16_t port);
  // What answers HTTP requests; set before the first turn.
  void set_service(Service& service) { service_ = &service; }

  // One turn; sleeps until something happens, at most until the next timer. False once drained: nothing is
  // left to do.
  bool run_once();
  // The calling thread is the shard's from now on; before the first turn.
  void bind_thread() { mailbox_->bind(); }

  // Any thread. Runs `task` on the shard's thread.
  bool post(std::move_only_function<void()> task) { return mailbox_->post(std::move(task)); }

  // Shard's thread: takes no more upgrades, tells clients, closes them spread over drain_period, then
  // run_once() gives false.
  void begin_drain();
  [[nodiscard]] bool draining() const { return drain_until_ != 0; }

  [[nodiscard]] Hub& hub() { return hub_; }
  [[nodiscard]] Dispatcher& dispatcher() { return dispatcher_; }
  [[nodiscard]] const Env& env() const { return env_; }
  [[nodiscard]] const ShardSettings& settings() const { return settings_; }
  [[nodiscard]] ShardId id() const { return neighbours_.self(); }
  [[nodiscard]] Node& node() { return group_.node(); }
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  void check_invariants() { hub_.check_invariants(); }

  // ConnectionHost
  void want_flush(Connection& connection) override;
  void want_read(Connection& connection) override;
  bool flush_one(Connection& connection) override;
  void doom(Connection& connection) override;
  [[nodiscard]] std::unique_ptr<Error> see_client(Connection& connection,
                                                  const wire::HttpRequest& request) override;
  std::uint64_t draw_connection_id() override { return group_.node().draw_connection_id(); }
  [[nodiscard]] Io& io() override { return io_; }
  [[nodiscard]] Service& service() override { return *service_; }
  [[nodiscard]] const FrameRef& ping_frame() override { return ping_frame_; }
  [[nodiscard]] wire::Inflater& inflater() override;
  [[nodiscard]] std::unique_ptr<MessageCoder> make_coder(const wire::DeflateParams& params) override;
  void adopt_coder(MessageCoder& coder) override;
  void hand_over(ShardId shard, Parcel parcel) override;

 private:
  using List = std::vector<Handle<Connection>>;
  struct Writer {
    Connection* connection;
    std::size_t parts;  // of parts_
  };

  void begin_turn();
  [[nodiscard]] Millis wait_for() const;
  void on_io_event(const IoEvent& event);
  void accept_some();
  void take_in(Parcel parcel);
  [[nodiscard]] wire::Deflater& deflater();
  // An address is counted unless it is a trusted proxy's, which stands for many.
  [[nodiscard]] Result<void> count_in(const Address& client);
  void count_out(const Address& client);
  [[nodiscard]] std::unique_ptr<Error> admit(const Address& peer, bool& counted_by_ip);
  void add_connection(const AcceptResult& accepted);
  void read_all();
  // Of the connections with the largest half received messages, until the memory budget is not full any more.
  void give_up_inputs();
  void run_posted();
  void flush_all();
  void flush(std::span<const Handle<Connection>> list);
  void prefetch(std::span<const Handle<Connection>> list);
  void write_out();
  void reap();
  void leave(const Connection& connection);
  void step_drain();
  // Every connection that was there when the drain began is gone.
  [[nodiscard]] bool drained();

  Shard(const ShardSettings& settings, std::unique_ptr<ShardGroup> own, ShardGroup* group, ShardId id, Io& io,
        Clock& clock, Rng& rng, Log& log, MethodTable& methods);

  ShardSettings settings_;
  std::unique_ptr<ShardGroup> own_group_;
  ShardGroup& group_;
  Io& io_;
  Clock& clock_;
  Stats stats_;
  ShardNeighbours neighbours_;
  TimerWheel timers_;
  Env env_;
  Hub hub_;
  MemoryBudget budget_;
  std::shared_ptr<Mailbox> mailbox_;
  Dispatcher dispatcher_;
  Service* service_ = nullptr;
  Socket listener_ = kNoSocket;
  bool accept_ready_ = false;
  Timer accept_again_;
  Slab<Connection> connections_;
  std::size_t refused_ = 0;  // connections that are here only to be told no
  List to_read_;
  List reading_;
  List to_flush_;
  List flushing_;
  List doomed_;
  Millis flush_at_ = 0;  // with limits.flush_delay: when to_flush_ is due
  std::vector<char> buffer_;
  std::vector<iovec> parts_;
  std::vector<WriteOp> ops_;
  std::vector<Writer> writers_;  // of ops_, one each
  PartJoiner joiner_;
  std::vector<std::move_only_function<void()>> tasks_;
  FrameRef ping_frame_;
  std::optional<wire::Deflater> deflater_;
  std::optional<wire::Inflater> inflater_;
  Millis drain_until_ = 0;  // 0: not draining
  List drain_order_;
  Millis drain_began_ = 0;
  std::size_t drain_done_ = 0;
  bool all_gone_ = false;  // counted in Node::drained
};

}  // namespace hubbub
