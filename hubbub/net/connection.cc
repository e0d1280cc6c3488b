#include "hubbub/net/connection.h"

#include <algorithm>
#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/core/outbox.h"
#include "hubbub/wire/utf8.h"

namespace hubbub {
namespace {

// Uncounted frames waiting above which a client is not read from: it makes us answer and does not read the
// answers.
constexpr std::size_t kUncountedBytesMax = 64 * 1024;
// RFC 6455 section 7.4.1: the Close frame had no code; there was no Close frame.
constexpr std::uint16_t kNoCloseCode = 1005;
constexpr std::uint16_t kCutCode = 1006;

std::span<char> as_span(std::string& text) { return {text.data(), text.size()}; }

}  // namespace

Connection::Connection(ConnectionHost& host, const Env& env, Socket socket, const Address& peer,
                       std::unique_ptr<Error> refusal)
    : host_(host),
      env_(env),
      socket_(socket),
      refused_at_accept_(refusal != nullptr),
      peer_(peer),
      refusal_(std::move(refusal)),
      timer_([](void* self, Millis now) { static_cast<Connection*>(self)->on_timer(now); }, this),
      opened_at_(env.now()),
      last_life_at_(env.now()),
      last_input_at_(env.now()) {
  arm(env.now() + env.limits.head_deadline_ms);
}

Connection::~Connection() = default;

// --- Link

void Connection::send_uncounted(FrameRef frame) {
  if (phase_ == Phase::doomed || fin_sent_) return;
  if (closing_ && !closing_->close) return;  // nothing may follow a Close frame (section 5.5.1)
  queue_.push(std::move(frame));
  wake();
}

void Connection::close(std::uint16_t code, std::string_view reason, CloseMode mode, FrameRef farewell) {
  if (phase_ != Phase::open) return;
  count_close(code);
  begin_close(code, reason, mode, std::move(farewell));
}

void Connection::release_outbox() {
  if (const Outbox* outbox = endpoint_->outbox()) queue_.release(*outbox, coder_.get(), true);
}

void Connection::supersede() {
  // No more messages follow, and behind a Close frame none may.
  if (const Outbox* outbox = endpoint_->outbox()) queue_.release(*outbox, coder_.get(), false);
  endpoint_->on_superseded();
  const ErrorInfo& info = error_info(Errc::superseded);
  close(info.close_code, info.text, CloseMode::now, endpoint_->farewell(info.close_code, info.text, -1));
  wake();
}

void Connection::begin_close(std::uint16_t code, std::string_view reason, CloseMode mode, FrameRef farewell) {
  phase_ = Phase::closing;
  close_code_ = code;
  close_reason_ = std::make_unique<std::string>(wire::utf8_prefix(reason, wire::kCloseReasonMax));
  closing_ =
      std::make_unique<Closing>(Closing{std::move(farewell), wire::make_close_frame(code, reason), mode});
  arm(env_.now() + env_.limits.close_deadline_ms);
  if (paused_) host_.want_read(*this);  // the peer's Close may be behind what is held
  wake();
  endpoint_->on_closing();
}

// --- Input

void Connection::on_event(const IoEvent& event) {
  if (phase_ == Phase::doomed) return;
  if (event.ended) peer_ended_ = true;
  if (event.writable && blocked_) {
    blocked_ = false;
    last_life_at_ = env_.now();  // it took what was in its way
    wake();
  }
  if (event.readable) host_.want_read(*this);
}

bool Connection::wants_input() const {
  switch (phase_) {
    case Phase::head:
      return queue_.empty();  // one answer at a time, however many requests were piped in
    case Phase::open:
      return queue_.uncounted_bytes() <= kUncountedBytesMax && endpoint_->accepts_input();
    case Phase::closing:
    case Phase::finishing:
      return true;
    case Phase::doomed:
      return false;
  }
  return false;
}

void Connection::read_some(std::span<char> buffer) {
  if (paused_) {
    if (!wants_input()) return;
    paused_ = false;
    use_held();
    if (paused_) return;
  }
  for (std::size_t budget = env_.limits.read_bytes_per_turn;;) {
    if (!wants_input()) {
      paused_ = true;  // after_write() asks again
      return;
    }
    const ReadResult got = host_.io().read(socket_, buffer);
    if (got.status == IoStatus::would_block) return;
    if (got.status == IoStatus::eof) return on_eof();
    if (got.status != IoStatus::ok) return doom("reset");
    bytes_in_ += got.bytes;
    env_.stats.bytes_in += got.bytes;
    last_life_at_ = last_input_at_ = env_.now();
    on_bytes(buffer.first(got.bytes));
    if (phase_ == Phase::doomed || paused_) return;         // what is held comes first
    if (got.bytes < buffer.size() && !peer_ended_) return;  // the socket is empty: the next edge will tell
    if (got.bytes >= budget) return host_.want_read(*this);
    budget -= got.bytes;
  }
}

void Connection::use_held() {
  if (held_.empty()) return;
  if (phase_ == Phase::head) return serve_head();
  std::string held = std::exchange(held_, {});
  held_bytes_.set(0);
  const std::size_t size = held.size();
  held.resize(size + wire::kReadPadding);
  on_bytes(as_span(held).first(size));
}

void Connection::on_eof() {
  peer_ended_ = true;
  // A client may send its request and FIN together; it still gets the answer. A WebSocket without a Close
  // frame is just gone.
  if (phase_ == Phase::head && !queue_.empty()) return finish();
  if (phase_ == Phase::finishing && !fin_sent_) return;  // after_write() ends it
  doom("peer closed");
}

void Connection::on_bytes(std::span<char> bytes) {
  switch (phase_) {
    case Phase::head:
      held_.append(bytes.data(), bytes.size());
      held_bytes_.set(held_.capacity());
      return serve_head();
    case Phase::open:
    case Phase::closing:
      return feed(bytes);
    case Phase::finishing:
    case Phase::doomed:
      return;  // read only so that closing the socket does not reset what we sent
  }
}

void Connection::feed(std::span<char> bytes) {
  while (phase_ == Phase::open || phase_ == Phase::closing) {
    if (!wants_input()) return hold(bytes);
    const wire::DecoderEvent event = decoder_->next(bytes);
    if (event.kind == wire::DecoderEvent::Kind::need_more) return;
    on_frame(event);
  }
}

void Connection::hold(std::span<const char> bytes) {
  held_.assign(bytes.data(), bytes.size());
  held_bytes_.set(held_.capacity());
  paused_ = true;
}

void Connection::on_frame(const wire::DecoderEvent& event) {
  using Kind = wire::DecoderEvent::Kind;
  switch (event.kind) {
    case Kind::need_more:
      return;
    case Kind::text:
    case Kind::binary:
      if (phase_ != Phase::open) return;  // after our Close nothing can be answered any more
      ++messages_in_;
      return event.kind == Kind::text ? endpoint_->on_text(event.payload)
                                      : endpoint_->on_binary(event.payload);
    case Kind::ping:
      // RFC 6455 section 5.5.3; none after our own Close frame.
      if (phase_ == Phase::open) send_uncounted(wire::make_frame(wire::Opcode::pong, event.payload));
      return;
    case Kind::pong:
      return;  // any byte counts as life: last_life_at_
    case Kind::close:
      return on_peer_close(event.close_code, event.payload);
    case Kind::error:
      if (event.error == Errc::message_too_big) env_.stats.hit(LimitHit::message_bytes);
      env_.stats.error(event.error);
      const std::uint16_t code = error_info(event.error).close_code;
      close(code, event.payload, CloseMode::after_outbox, endpoint_->farewell(code, event.payload, -1));
      return finish();
  }
}

void Connection::on_peer_close(std::uint16_t code, std::string_view reason) {
  if (phase_ == Phase::open) {
    // A peer's own codes are counted together: it could invent two thousand, or feign ours.
    count_close(code < 3000 ? code : std::uint16_t{0});
    // The echo of the peer's code completes the handshake (section 5.5.1).
    begin_close(code == kNoCloseCode ? std::uint16_t{0} : code, {}, CloseMode::after_outbox, {});
    close_code_ = code;
    close_reason_ = std::make_unique<std::string>(reason);
  }
  finish();
}

// --- Output

bool Connection::gather(std::vector<iovec>& parts) {
  if (phase_ == Phase::doomed || blocked_ || fin_sent_) return false;
  queue_close_frame();
  const std::size_t before = parts.size();
  const bool outbox_open = phase_ == Phase::open || (closing_ && closing_->mode == CloseMode::after_outbox);
  queue_.gather(endpoint_ ? endpoint_->outbox() : nullptr, outbox_open, coder_.get(),
                env_.limits.write_bytes_per_turn, parts);
  if (parts.size() > before) return true;
  after_write();
  return false;
}

// The Close frame goes out when its turn has come: at once, or when the outbox is empty.
void Connection::queue_close_frame() {
  if (!closing_ || !closing_->close) return;
  const Outbox* outbox = endpoint_ ? endpoint_->outbox() : nullptr;
  if (closing_->mode == CloseMode::after_outbox && outbox && outbox->writable()) return;
  if (closing_->farewell) queue_.push(std::move(closing_->farewell));
  queue_.push(std::move(closing_->close));
  closing_->mode = CloseMode::now;
}

void Connection::on_written(const WriteOp& op) {
  if (op.status == IoStatus::failed) return doom("reset");
  bytes_out_ += op.written;
  env_.stats.bytes_out += op.written;
  ++env_.stats.writes;
  if (op.written > 0) stalled_at_ = 0;
  messages_out_ += queue_.written(op.written, op.parts, endpoint_.get());
  if (op.status == IoStatus::would_block) {
    blocked_ = true;
    if (stalled_at_ == 0) stalled_at_ = env_.now();
    if (phase_ == Phase::open) arm_open();
  }
  after_write();
}

void Connection::after_write() {
  queue_close_frame();  // now, if the outbox is empty: before a busy topic fills it again
  const Outbox* outbox = endpoint_ ? endpoint_->outbox() : nullptr;
  const bool outbox_open = phase_ == Phase::open || (closing_ && closing_->mode == CloseMode::after_outbox);
  const bool more =
      !queue_.empty() || (closing_ && closing_->close) || (outbox_open && outbox && outbox->writable());
  if (more && !blocked_) wake();
  if (phase_ == Phase::finishing && !more && !fin_sent_) {
    fin_sent_ = true;
    host_.io().shutdown_write(socket_);
    if (peer_ended_) return doom({});
  }
  // Input that waited for room may go on.
  if (paused_ && wants_input()) host_.want_read(*this);
}

void Connection::finish() {
  if (phase_ == Phase::finishing || phase_ == Phase::doomed) return;
  // One deadline from the first wish to close to the last byte.
  if (phase_ != Phase::closing) arm(env_.now() + env_.limits.close_deadline_ms);
  phase_ = Phase::finishing;
  forget_held();
  wake();
}

void Connection::drain(Millis retry_after_ms) {
  const ErrorInfo& info = error_info(Errc::restart);
  if (phase_ == Phase::open)
    close(info.close_code, info.text, CloseMode::after_outbox,
          endpoint_->farewell(info.close_code, info.text, retry_after_ms));
  else if (phase_ == Phase::head)
    finish();
}

void Connection::doom(std::string_view why) {
  if (phase_ == Phase::doomed) return;
  if (!close_reason_ || close_reason_->empty()) close_reason_ = std::make_unique<std::string>(why);
  phase_ = Phase::doomed;
  timer_.cancel();
  host_.doom(*this);
}

void Connection::reap() {
  if (!endpoint_) return;
  const std::string served = endpoint_->label();
  endpoint_->on_gone();
  if (socket_ == kNoSocket) return;  // it goes on at another shard
  if (close_code_ == kCutCode) count_close(kCutCode);
  env_.log.info("connection closed",
                {{"connection", id_},
                 {"remote", remote()},
                 {"session", served},
                 {"code", close_code_},
                 {"reason", close_reason_ ? std::string_view(*close_reason_) : std::string_view()},
                 {"duration_ms", env_.now() - opened_at_},
                 {"messages_in", messages_in_},
                 {"messages_out", messages_out_},
                 {"bytes_in", bytes_in_},
                 {"bytes_out", bytes_out_}});
}

void Connection::count_close(std::uint16_t code) { env_.stats.closes.count(code); }

// --- Time

void Connection::arm(Millis deadline) { env_.timers.arm(timer_, deadline); }

void Connection::arm_open() {
  Millis next = ping_at_;
  if (pong_by_) next = std::min(next, pong_by_);
  if (stalled_at_) {
    const Millis stall = stalled_at_ + env_.limits.write_stall_ms;
    next = next ? std::min(next, stall) : stall;
  }
  if (next && (!timer_.armed() || timer_.deadline() > next)) arm(next);
}

void Connection::on_timer(Millis now) {
  switch (phase_) {
    case Phase::head: {
      const bool idle = held_.empty() && queue_.empty();
      if (idle || refusal_ || !queue_.empty()) return doom("no request in time");
      env_.stats.hit(LimitHit::head_deadline);
      return respond(
          wire::http_refusal(limit_error(Errc::head_deadline, "limits.head_deadline",
                                         "the request head did not arrive within limits.head_deadline")),
          false);
    }
    case Phase::open:
      return on_open_timer(now);
    case Phase::closing:
    case Phase::finishing:
      if (!fin_sent_) env_.stats.hit(LimitHit::close_deadline);
      return doom("close deadline");
    case Phase::doomed:
      return;
  }
}

Millis Connection::together(Millis at, Millis interval) {
  constexpr Millis kGrid = 128;
  return interval >= 40 * kGrid ? at - at % kGrid : at;
}

void Connection::on_open_timer(Millis now) {
  if (stalled_at_ && now >= stalled_at_ + env_.limits.write_stall_ms) {
    stalled_at_ = 0;
    return endpoint_->on_stalled();
  }
  // A byte that came after the ping is as good as a pong: the peer lives.
  if (pong_by_ && last_life_at_ >= pong_by_ - env_.limits.pong_deadline_ms) pong_by_ = 0;
  if (pong_by_ && now >= pong_by_) {
    env_.stats.hit(LimitHit::pong);
    const ErrorInfo& info = error_info(Errc::no_pong);
    return close(info.close_code, info.text, CloseMode::now,
                 endpoint_->farewell(info.close_code, info.text, -1));
  }
  if (ping_at_ && now >= ping_at_) {
    send_uncounted(host_.ping_frame());
    const auto interval = static_cast<std::uint64_t>(env_.limits.ping_interval_ms);
    // Up to a tenth earlier than the interval: never later, for proxies count on it.
    ping_at_ = together(now + static_cast<Millis>(interval - env_.rng.below(interval / 10 + 1)),
                        env_.limits.ping_interval_ms);
    // While one is not answered its deadline stands.
    if (env_.limits.pong_deadline_ms > 0 && !pong_by_) pong_by_ = now + env_.limits.pong_deadline_ms;
  }
  arm_open();
}

}  // namespace hubbub
