#include "memory_io.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/load/client_frame.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub::bench {
namespace {

constexpr Socket kListener = 0;
constexpr std::size_t kFirstId = 10;
constexpr std::string_view kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr std::string_view kReplyHead = R"({"jsonrpc":"2.0","id":)";
constexpr std::string_view kResultHead = R"(,"result":)";
constexpr std::string_view kNoticeHead = R"({"jsonrpc":"2.0","method":)";
constexpr std::string_view kAckHead = R"({"jsonrpc":"2.0","method":"session.ack")";
constexpr std::string_view kCodeHead = R"("code":")";

std::int64_t nanos(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

std::int64_t measure_clock_cost() {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < 1000; ++i) {
    const auto before = std::chrono::steady_clock::now();
    least = std::min(least, nanos(std::chrono::steady_clock::now() - before));
  }
  return least;
}

// The slot that a result answers; kSlotsMax: it is none.
std::size_t slot_of(std::string_view text) {
  constexpr std::size_t kAt = kReplyHead.size();
  if (!text.starts_with(kReplyHead) || !text.substr(kAt + 2).starts_with(kResultHead))
    return Script::kSlotsMax;
  const auto digit = [text](std::size_t at) { return static_cast<std::size_t>(text[at] - '0'); };
  return digit(kAt) * 10 + digit(kAt + 1) - kFirstId;
}

}  // namespace

void Script::add(std::size_t slot, std::string_view method, std::string_view params) {
  HUBBUB_ASSERT(slot < kSlotsMax);
  if (slot >= frames_.size()) frames_.resize(slot + 1);
  std::string text = R"({"jsonrpc":"2.0","id":)" + std::to_string(kFirstId + slot) + R"(,"method":")";
  text.append(method).append(R"(","params":)").append(params).append("}");
  load::append_client_frame(frames_[slot].emplace_back(), wire::Opcode::text, text);
}

// Adds the time of its life to the clients', in a sampled turn.
class MemoryIo::Timed {
 public:
  explicit Timed(MemoryIo& io) : io_(io) {
    if (io_.sampling_) began_ = std::chrono::steady_clock::now();
  }
  ~Timed() {
    if (io_.sampling_)
      io_.in_clients_ns_ += nanos(std::chrono::steady_clock::now() - began_) - io_.clock_cost_ns_;
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  MemoryIo& io_;
  Instant began_;
};

MemoryIo::MemoryIo(std::size_t clients, std::size_t ack_every)
    : clients_(clients),
      ack_every_(ack_every),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      clock_cost_ns_(measure_clock_cost()) {
  HUBBUB_ASSERT(wake_ >= 0);
  for (Client& client : clients_) client.unsent = kUpgrade;
  queued_.reserve(clients);
  events_.reserve(clients + 1);
}

MemoryIo::~MemoryIo() { ::close(wake_); }

void MemoryIo::start(const std::vector<ScriptRef>& scripts, bool again) {
  HUBBUB_ASSERT(scripts.size() == clients_.size() && counts_.in_flight == 0);
  again_ = again;
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    Client& client = clients_[i];
    client.script = scripts[i];
    client.turn.assign(client.script->slots(), 0);
    client.ready.reserve(client.script->slots());
    for (std::size_t slot = 0; slot < client.script->slots(); ++slot)
      client.ready.push_back(static_cast<std::uint8_t>(slot));
    counts_.in_flight += client.script->slots();
    if (!client.ready.empty()) queue(client);
  }
}

// --- The turn

std::span<const IoEvent> MemoryIo::wait(Millis timeout) {
  end_turn();
  if (queued_.empty() && listener_tag_ == 0 && timeout != 0) sleep(timeout);
  begin_turn();
  const Timed timed(*this);
  events_.clear();
  if (listener_tag_ != 0) events_.push_back({.tag = std::exchange(listener_tag_, 0), .readable = true});
  for (const std::size_t index : queued_) {
    clients_[index].queued = false;
    events_.push_back({.tag = clients_[index].tag, .readable = true});
  }
  queued_.clear();
  return events_;
}

void MemoryIo::sleep(Millis timeout) {
  pollfd waiting{wake_, POLLIN, 0};
  constexpr Millis kLongest = 1000;
  ::poll(&waiting, 1, static_cast<int>(timeout < 0 ? kLongest : std::min(timeout, kLongest)));
  std::uint64_t woken = 0;
  // Nothing to read: it was not woken.
  [[maybe_unused]] const auto got = ::read(wake_, &woken, sizeof woken);
}

void MemoryIo::wake() {
  const std::uint64_t one = 1;
  // Fails only when the counter is about to overflow: the shard will wake all the same.
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

void MemoryIo::begin_turn() {
  ++counts_.turns;
  sampling_ = counts_.turns % kSampledTurns == 0;
  if (!sampling_) return;
  in_clients_ns_ = 0;
  turn_began_ = std::chrono::steady_clock::now();
}

void MemoryIo::end_turn() {
  if (!sampling_) return;
  sampling_ = false;
  counts_.sampled_ns += static_cast<std::uint64_t>(nanos(std::chrono::steady_clock::now() - turn_began_));
  counts_.client_ns += static_cast<std::uint64_t>(std::max<std::int64_t>(0, in_clients_ns_));
}

void MemoryIo::queue(Client& client) {
  if (client.queued) return;
  client.queued = true;
  queued_.push_back(static_cast<std::size_t>(&client - clients_.data()));
}

// --- Opening

Result<Listening> MemoryIo::listen(const std::string&, std::uint16_t, bool) {
  return Listening{kListener, "memory"};
}

AcceptResult MemoryIo::accept(Socket) {
  if (accepted_ == clients_.size()) return {IoStatus::would_block, kNoSocket, {}};
  const auto port = static_cast<std::uint16_t>(++accepted_);
  return {IoStatus::ok, static_cast<Socket>(accepted_), Address::ipv4(127, 0, 0, 1, port)};
}

bool MemoryIo::watch(Socket socket, std::uint64_t tag) {
  if (socket == kListener) {
    listener_tag_ = tag;
    return true;
  }
  client(socket).tag = tag;
  queue(client(socket));
  return true;
}

void MemoryIo::hear_opening(Client& client, std::string_view bytes) {
  client.heard += bytes;
  const std::size_t head = client.heard.find("\r\n\r\n");
  if (head == std::string::npos) return;
  load::ServerFrame frame;
  const std::string_view rest = std::string_view(client.heard).substr(head + 4);
  if (load::parse_server_frame(rest, frame) != load::FrameStatus::complete) return;
  const std::size_t code = frame.payload.find(kCodeHead);
  if (code == std::string_view::npos) return bad(client.heard);
  const std::string_view from = frame.payload.substr(code + kCodeHead.size());
  client.code = from.substr(0, from.find('"'));
  client.open = true;
  ++counts_.opened;
  std::string().swap(client.heard);
}

// --- Calls and answers

ReadResult MemoryIo::read(Socket socket, std::span<char> buffer) {
  const Timed timed(*this);
  Client& from = client(socket);
  std::size_t filled = 0;
  const auto give = [&](std::string_view bytes) {
    if (bytes.size() > buffer.size() - filled) return false;
    std::memcpy(buffer.data() + filled, bytes.data(), bytes.size());
    filled += bytes.size();
    return true;
  };
  if (!from.unsent.empty() && give(from.unsent)) from.unsent.clear();
  std::size_t given = 0;
  for (const std::uint8_t slot : from.ready) {
    const auto& frames = from.script->frames(slot);
    std::uint8_t& turn = from.turn[slot];
    if (!give(frames[turn])) break;
    turn = static_cast<std::uint8_t>(turn + 1U == frames.size() ? 0 : turn + 1);
    ++given;
  }
  from.ready.erase(from.ready.begin(), from.ready.begin() + static_cast<std::ptrdiff_t>(given));
  // The reader takes less than it asked for as the end of it all.
  if (!from.ready.empty()) queue(from);
  return filled > 0 ? ReadResult{IoStatus::ok, filled} : ReadResult{IoStatus::would_block};
}

void MemoryIo::write(std::span<WriteOp> ops) {
  const Timed timed(*this);
  for (WriteOp& op : ops) {
    Client& to = client(op.socket);
    for (const iovec& part : op.parts) {
      hear(to, {static_cast<const char*>(part.iov_base), part.iov_len});
      op.written += part.iov_len;
    }
    op.status = IoStatus::ok;
  }
}

void MemoryIo::hear(Client& client, std::string_view bytes) {
  if (!client.open) return hear_opening(client, bytes);
  load::ServerFrame frame;
  for (; !bytes.empty(); bytes.remove_prefix(frame.size)) {
    if (load::parse_server_frame(bytes, frame) != load::FrameStatus::complete) return bad(bytes);
    if (frame.opcode == static_cast<std::uint8_t>(wire::Opcode::ping)) continue;
    if (frame.opcode != static_cast<std::uint8_t>(wire::Opcode::text)) return bad(bytes);
    hear_text(client, frame.payload);
  }
}

void MemoryIo::hear_text(Client& client, std::string_view text) {
  if (text.starts_with(kAckHead)) return;  // tells what the server has; it is not counted itself
  ++client.received;
  if (ack_every_ > 0 && client.received % ack_every_ == 0) acknowledge(client);
  if (text.starts_with(kNoticeHead)) {
    ++counts_.notices;
    return;
  }
  const std::size_t slot = slot_of(text);
  if (!client.script || slot >= client.script->slots()) return bad(text);
  ++counts_.replies;
  call_again(client, slot);
}

void MemoryIo::call_again(Client& client, std::size_t slot) {
  if (!again_) {
    --counts_.in_flight;
    return;
  }
  client.ready.push_back(static_cast<std::uint8_t>(slot));
  queue(client);
}

void MemoryIo::acknowledge(Client& client) {
  const std::string text = R"({"jsonrpc":"2.0","method":"session.ack","params":{"received":)" +
                           std::to_string(client.received) + "}}";
  load::append_client_frame(client.unsent, wire::Opcode::text, text);
  queue(client);
}

void MemoryIo::bad(std::string_view what) {
  if (counts_.bad == 0) first_bad_ = what.substr(0, 400);
  ++counts_.bad;
}

}  // namespace hubbub::bench
