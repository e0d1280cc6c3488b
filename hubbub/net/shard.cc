#include "hubbub/net/shard.h"

#include <algorithm>
#include <array>
#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/base/frame_bulk.h"
#include "hubbub/core/outbox.h"
#include "hubbub/net/parcel.h"

namespace hubbub {
namespace {

// Tags below a generation-1 handle (generation << 32): never a connection's.
constexpr std::uint64_t kListenerTag = 1;
constexpr std::size_t kReadBufferBytes = 64 * 1024;
constexpr Millis kDrainStepMs = 20;
constexpr std::size_t kWritersPerRound = 32;
static_assert(kWritersPerRound <= PartJoiner::kPiecesMax);
constexpr Millis kRoomStepMs = 5;
constexpr Millis kFullStepMs = 5;
// Less is not worth a connection.
constexpr std::size_t kInputBytesMin = 4096;
constexpr Millis kShortStepMs = 20;
constexpr Millis kAcceptAgainMs = 50;

}  // namespace

Shard::Shard(const ShardSettings& settings, ShardGroup& group, ShardId id, Io& io, Clock& clock, Rng& rng,
             Log& log, MethodTable& methods)
    : Shard(settings, nullptr, &group, id, io, clock, rng, log, methods) {}

Shard::Shard(const ShardSettings& settings, Io& io, Clock& clock, Rng& rng, Log& log, MethodTable& methods)
    : Shard(settings, std::make_unique<ShardGroup>(settings.limits, 1, 0), nullptr, 0, io, clock, rng, log,
            methods) {}

Shard::Shard(const ShardSettings& settings, std::unique_ptr<ShardGroup> own, ShardGroup* group, ShardId id,
             Io& io, Clock& clock, Rng& rng, Log& log, MethodTable& methods)
    : settings_(settings),
      own_group_(std::move(own)),
      group_(group ? *group : *own_group_),
      io_(io),
      clock_(clock),
      neighbours_(group_, id, settings_.limits, stats_),
      timers_(clock.now_ms()),
      env_{clock,  rng,           log,          timers_,       settings_.limits, settings_.access,
           stats_, group_.node(), &neighbours_, clock.now_ms()},
      hub_(env_),
      budget_(hub_, env_),
      mailbox_(std::make_shared<Mailbox>(io)),
      dispatcher_(hub_, methods, mailbox_),
      accept_again_([](void* self, Millis) { static_cast<Shard*>(self)->accept_ready_ = true; }, this),
      buffer_(kReadBufferBytes + wire::kReadPadding),
      ping_frame_(wire::make_frame(wire::Opcode::ping, {})) {
  group_.node().set_stats(id, &stats_);
  group_.set_shard(id, this, &io_);
}

Shard::~Shard() {
  group_.set_shard(id(), nullptr, nullptr);
  group_.node().set_stats(id(), nullptr);
  mailbox_->close();
  connections_.for_each([&](Handle<Connection> handle, Connection& connection) {
    connection.reap();
    if (connection.socket() != kNoSocket) io_.close(connection.socket());
    if (!connection.refused_at_accept()) Node::give(node().connections);
    connections_.erase(handle);
  });
  if (listener_ != kNoSocket) io_.close(listener_);
}

Result<std::string> Shard::listen(const std::string& host, std::uint16_t port) {
  auto listening = io_.listen(host, port, group_.shards() > 1);
  if (!listening) return std::unexpected(std::move(listening.error()));
  listener_ = listening->socket;
  if (!io_.watch(listener_, kListenerTag))
    return fail(Errc::internal_error, "cannot watch the listening socket");
  return listening->address;
}

// --- The turn

bool Shard::run_once() {
  const Millis longest = wait_for();
  const auto events = io_.wait(longest != 0 && neighbours_.fall_asleep() ? longest : 0);
  neighbours_.wake_up();
  begin_turn();
  for (const IoEvent& event : events) on_io_event(event);
  // What another shard sent before it answered its client comes before what a client sends after that answer.
  neighbours_.run_some(hub_);
  if (accept_ready_) accept_some();
  read_all();
  run_posted();
  // After the I/O: a pong that waited in the socket while the process slept counts.
  timers_.advance(env_.turn_now);
  if (draining()) step_drain();
  hub_.finish_turn();
  neighbours_.send_all(hub_);
  flush_all();
  reap();
  budget_.step();
  if (budget_.exhausted()) give_up_inputs();
  neighbours_.send_all(hub_);  // what those who are gone leave behind
  return !drained();
}

// The shards end together: what one still asks another is answered.
bool Shard::drained() {
  if (!draining()) return false;
  if (!all_gone_) {
    all_gone_ = node().parcels == 0 &&
                std::none_of(drain_order_.begin(), drain_order_.end(),
                             [&](Handle<Connection> handle) { return connections_.get(handle) != nullptr; });
    if (all_gone_) ++node().drained;
  }
  return node().drained == group_.shards() && node().parcels == 0;
}

void Shard::begin_turn() { env_.turn_now = std::max(env_.turn_now, clock_.now_ms()); }

Millis Shard::wait_for() const {
  if ((!to_read_.empty() && !budget_.full()) || accept_ready_ || !doomed_.empty()) return 0;
  if (!to_flush_.empty() && flush_at_ == 0) return 0;
  Millis wake = timers_.next_wake();
  const auto sooner = [&wake](Millis at) { wake = wake < 0 ? at : std::min(wake, at); };
  if (!to_flush_.empty()) sooner(flush_at_);
  if (draining()) sooner(env_.turn_now + kDrainStepMs);
  if (!to_read_.empty()) sooner(env_.turn_now + kFullStepMs);
  if (group_.node().memory_short.load(std::memory_order_relaxed)) sooner(env_.turn_now + kShortStepMs);
  if (neighbours_.waits_for_room()) sooner(env_.turn_now + kRoomStepMs);
  return wake < 0 ? -1 : std::max<Millis>(0, wake - clock_.now_ms());
}

void Shard::on_io_event(const IoEvent& event) {
  if (event.tag == kListenerTag) {
    accept_ready_ = true;
    return;
  }
  if (Connection* connection = connections_.get(Handle<Connection>::from_bits(event.tag)))
    connection->on_event(event);
}

void Shard::read_all() {
  std::swap(reading_, to_read_);
  const std::span<char> buffer(buffer_.data(), kReadBufferBytes);
  for (const auto handle : reading_) {
    Connection* connection = connections_.get(handle);
    if (!connection) continue;
    if (connection->phase() == Connection::Phase::open && budget_.full()) {
      to_read_.push_back(handle);
      continue;
    }
    connection->in_read_list = false;
    if (connection->phase() != Connection::Phase::doomed) connection->read_some(buffer);
  }
  reading_.clear();
}

void Shard::give_up_inputs() {
  std::vector<std::pair<std::size_t, Connection*>> inputs;
  connections_.for_each([&](Handle<Connection>, Connection& connection) {
    if (connection.input_bytes() >= kInputBytesMin)
      inputs.emplace_back(connection.input_bytes(), &connection);
  });
  std::ranges::sort(inputs, std::greater<>{}, [](const auto& input) { return input.first; });
  for (const auto& [bytes, connection] : inputs) {
    if (!budget_.full()) return;
    ++stats_.shed_inputs;
    connection->give_up_input();
  }
}

void Shard::run_posted() {
  mailbox_->take(tasks_);
  for (auto& task : tasks_) task();
  tasks_.clear();
}

// --- Accepting

void Shard::accept_some() {
  if (listener_ == kNoSocket) {
    accept_ready_ = false;
    return;
  }
  for (std::size_t n = 0; n < settings_.limits.accepts_per_turn; ++n) {
    const AcceptResult accepted = io_.accept(listener_);
    switch (accepted.status) {
      case IoStatus::ok:
        ++stats_.accepted;
        add_connection(accepted);
        break;
      case IoStatus::out_of_fds:
        stats_.hit(LimitHit::fds);
        break;  // that one was dropped: go on with the next
      case IoStatus::fds_taken:
        stats_.hit(LimitHit::fds);
        accept_ready_ = false;
        return timers_.arm(accept_again_, env_.turn_now + kAcceptAgainMs);
      default:
        accept_ready_ = false;
        return;
    }
  }
}

Result<void> Shard::count_in(const Address& client) {
  if (settings_.proxy.trusts(client)) return {};
  return group_.admit(client, env_.now(), stats_);
}

void Shard::count_out(const Address& client) {
  if (!settings_.proxy.trusts(client)) group_.release(client);
}

std::unique_ptr<Error> Shard::see_client(Connection& connection, const wire::HttpRequest& request) {
  if (settings_.proxy.trusted.empty()) return nullptr;
  const Address client = settings_.proxy.client_of(connection.tcp_peer(), request);
  if (client == connection.peer()) return nullptr;
  if (auto counted = count_in(client); !counted) return std::make_unique<Error>(std::move(counted.error()));
  count_out(connection.peer());
  connection.set_client(client);
  return nullptr;
}

std::unique_ptr<Error> Shard::admit(const Address& peer, bool& counted_by_ip) {
  if (auto admitted = count_in(peer); !admitted) return std::make_unique<Error>(std::move(admitted.error()));
  counted_by_ip = true;
  if (budget_.full()) {
    stats_.hit(LimitHit::memory_budget);
    Error error =
        limit_error(Errc::node_full, "memory.budget", "this server has no memory left now (memory.budget)");
    error.retry_after_ms = 5000;
    return std::make_unique<Error>(std::move(error));
  }
  if (Node::take(node().connections, settings_.connections_max)) return nullptr;
  stats_.hit(LimitHit::connections);
  Error error = limit_error(Errc::node_full, "limits.connections",
                            "this server has all the connections it takes (limits.connections)");
  error.retry_after_ms = 1000;
  return std::make_unique<Error>(std::move(error));
}

void Shard::add_connection(const AcceptResult& accepted) {
  bool counted_by_ip = false;
  std::unique_ptr<Error> refusal = admit(accepted.peer, counted_by_ip);
  const bool refused = refusal != nullptr;
  if (refused) {
    ++stats_.http_refused;
    if (counted_by_ip) count_out(accepted.peer);
  }
  if (refused && refused_ >= settings_.refused_max) return io_.close(accepted.socket);
  const auto handle = connections_.emplace(*this, env_, accepted.socket, accepted.peer, std::move(refusal));
  Connection& connection = *connections_.get(handle);
  connection.handle = handle;
  refused_ += refused;
  stats_.connections = connections_.size();
  if (!io_.watch(accepted.socket, handle.bits())) doom(connection);
}

// --- Connections that belong to another shard

void Shard::hand_over(ShardId shard, Parcel parcel) {
  io_.unwatch(parcel.socket.get());
  ++node().parcels;
  // The task is run on that shard's thread, where its Shard is alive.
  neighbours_.answer(shard, [&group = group_, shard, parcel = std::move(parcel)](Hub&) mutable {
    group.shard(shard)->take_in(std::move(parcel));
  });
}

void Shard::take_in(Parcel parcel) {
  --node().parcels;
  const Socket socket = parcel.socket.release();
  const auto handle = connections_.emplace(*this, env_, socket, parcel.peer, nullptr);
  Connection& connection = *connections_.get(handle);
  connection.handle = handle;
  stats_.connections = connections_.size();
  if (draining()) drain_order_.push_back(handle);
  if (io_.watch(socket, handle.bits()))
    connection.unpack(std::move(parcel), dispatcher_);
  else
    doom(connection);
}

// --- Writing

void Shard::want_flush(Connection& connection) {
  if (std::exchange(connection.in_flush_list, true)) return;
  if (to_flush_.empty() && settings_.limits.flush_delay_ms > 0)
    flush_at_ = env_.turn_now + settings_.limits.flush_delay_ms;
  to_flush_.push_back(connection.handle);
}

void Shard::want_read(Connection& connection) {
  if (!std::exchange(connection.in_read_list, true)) to_read_.push_back(connection.handle);
}

void Shard::flush_all() {
  if (to_flush_.empty() || (flush_at_ != 0 && flush_at_ > env_.turn_now)) return;
  flush_at_ = 0;
  std::swap(flushing_, to_flush_);
  // In pieces small enough that what gathering loads of a connection is still at hand when it has written.
  for (std::span<const Handle<Connection>> rest = flushing_; !rest.empty();) {
    const auto some = rest.first(std::min(rest.size(), kWritersPerRound));
    flush(some);
    rest = rest.subspan(some.size());
  }
  flushing_.clear();
}

void Shard::flush(std::span<const Handle<Connection>> list) {
  const ReleaseScope releases;
  prefetch(list);
  parts_.clear();
  writers_.clear();
  for (const auto handle : list) {
    Connection* connection = connections_.get(handle);
    if (!connection) continue;
    connection->in_flush_list = false;
    const std::size_t first = parts_.size();
    if (connection->gather(parts_)) writers_.push_back({connection, parts_.size() - first});
  }
  if (!writers_.empty()) write_out();
}

// Connection, endpoint, outbox and ring are each reached through the one before: step by step for all
// together, so that the waits for memory overlap.
void Shard::prefetch(std::span<const Handle<Connection>> list) {
  std::array<const Outbox*, kWritersPerRound> outboxes;
  std::size_t count = 0;
  for (const auto handle : list)
    if (const Connection* connection = connections_.get(handle))
      if (const Outbox* outbox = connection->outbox()) {
        __builtin_prefetch(outbox);
        outboxes.at(count++) = outbox;
      }
  for (std::size_t i = 0; i < count; ++i) outboxes.at(i)->prefetch_sent();
}

void Shard::write_out() {
  ops_.clear();
  std::span<const iovec> rest = parts_;
  for (const Writer& writer : writers_) {
    ops_.push_back(WriteOp{writer.connection->socket(), joiner_.join(rest.first(writer.parts))});
    rest = rest.subspan(writer.parts);
  }
  io_.write(ops_);
  joiner_.forget();
  rest = parts_;
  for (std::size_t i = 0; i < ops_.size(); ++i) {
    ops_[i].parts = rest.first(writers_[i].parts);  // as gathered
    rest = rest.subspan(writers_[i].parts);
    writers_[i].connection->on_written(ops_[i]);
  }
}

bool Shard::flush_one(Connection& connection) {
  std::vector<iovec> parts;
  if (!connection.gather(parts)) return false;
  WriteOp op{connection.socket(), parts};
  io_.write({&op, 1});
  connection.on_written(op);
  return op.written > 0;
}

// --- The end

void Shard::doom(Connection& connection) { doomed_.push_back(connection.handle); }

void Shard::reap() {
  for (std::size_t i = 0; i < doomed_.size(); ++i) {
    Connection* connection = connections_.get(doomed_[i]);
    if (!connection) continue;
    connection->reap();
    if (connection->socket() != kNoSocket) {  // else it was handed over
      io_.close(connection->socket());
      leave(*connection);
    }
    connections_.erase(doomed_[i]);
    stats_.connections = connections_.size();
  }
  doomed_.clear();
  hub_.topics().push_run();  // what hooks of ended sessions published
}

// It is not counted any more.
void Shard::leave(const Connection& connection) {
  if (connection.refused_at_accept()) {
    --refused_;
    return;
  }
  Node::give(node().connections);
  count_out(connection.peer());
}

void Shard::begin_drain() {
  if (draining()) return;
  drain_began_ = env_.turn_now;
  drain_until_ = env_.turn_now + std::max<Millis>(1, settings_.drain_period_ms);
  // The listener stays: /readyz must be able to say 503, and upgrades are refused with Retry-After.
  hub_.begin_drain(settings_.drain_period_ms);
  connections_.for_each([&](Handle<Connection> handle, Connection&) { drain_order_.push_back(handle); });
  for (std::size_t i = drain_order_.size(); i > 1; --i)
    std::swap(drain_order_[i - 1], drain_order_[env_.rng.below(i)]);
}

// Closes as many as the time that has passed of the drain period allows.
void Shard::step_drain() {
  const Millis period = drain_until_ - drain_began_;
  const Millis passed = std::min(period, env_.turn_now - drain_began_);
  const std::size_t due =
      drain_order_.size() * static_cast<std::size_t>(passed) / static_cast<std::size_t>(period);
  for (; drain_done_ < due; ++drain_done_) {
    Connection* connection = connections_.get(drain_order_[drain_done_]);
    // Come back when the drain is over, spread over a second period.
    if (connection)
      connection->drain(drain_until_ - env_.turn_now +
                        static_cast<Millis>(env_.rng.below(static_cast<std::uint64_t>(period) + 1)));
  }
}

wire::Inflater& Shard::inflater() {
  if (!inflater_) inflater_.emplace(15, false);
  return *inflater_;
}

wire::Deflater& Shard::deflater() {
  if (!deflater_) deflater_.emplace(settings_.deflate.level, 15, false);
  return *deflater_;
}

std::unique_ptr<MessageCoder> Shard::make_coder(const wire::DeflateParams& params) {
  return std::make_unique<MessageCoder>(params, deflater(), settings_.deflate);
}

void Shard::adopt_coder(MessageCoder& coder) { coder.adopt(deflater(), settings_.deflate); }

}  // namespace hubbub
