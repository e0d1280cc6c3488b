#include "tests/sim/sim_peer.h"

#include <algorithm>
#include <charconv>

#include "tests/sim/marks.h"
#include "tests/sim/violation.h"

namespace hubbub::sim {
namespace {
// One in so many texts goes in two fragments.
constexpr std::uint64_t kFragmentOneIn = 16;
}  // namespace

SimPeer::SimPeer(ShardedWorld& world, Rng& rng)
    : world_(world), rng_(rng), socket_(world.connect(Address::ipv4(127, 0, 0, 1, 50000))) {}

void SimPeer::upgrade(bool subprotocol, std::string_view session) {
  out_ += "GET /ws";
  if (!session.empty()) (out_ += "?session=") += session;
  out_ +=
      " HTTP/1.1\r\nHost: sim\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  if (subprotocol) out_ += "Sec-WebSocket-Protocol: hubbub.v1\r\n";
  out_ += "\r\n";
}

void SimPeer::text(std::string_view payload) {
  if (payload.size() > 1 && rng_.below(kFragmentOneIn) == 0) {
    const auto half = static_cast<std::size_t>(rng_.below(payload.size()));
    wire::append_client_frame(out_, wire::Opcode::text, payload.substr(0, half),
                              static_cast<std::uint32_t>(rng_.next()), false);
    return frame(wire::Opcode::continuation, payload.substr(half));
  }
  frame(wire::Opcode::text, payload);
}

void SimPeer::frame(wire::Opcode opcode, std::string_view payload) {
  wire::append_client_frame(out_, opcode, payload, static_cast<std::uint32_t>(rng_.next()));
}

void SimPeer::pump_out(std::size_t bytes) {
  if (cut_) return;
  const std::size_t size = std::min(bytes, out_.size());
  if (size > 0) {
    world_.io.client_sends(socket_, std::string_view(out_).substr(0, size));
    out_.erase(0, size);
    written_ += size;
  }
  if (!ended_ || !out_.empty() || fin_sent_) return;
  fin_sent_ = true;
  world_.io.client_ends(socket_);
}

void SimPeer::pump_in(std::size_t bytes) {
  if (!cut_) in_ += world_.io.client_reads(socket_, bytes);
}

void SimPeer::read_head() {
  const std::size_t end = in_.find("\r\n\r\n");
  if (end == std::string::npos) return;
  demand(in_.starts_with("HTTP/1.1 ") && end > 12, "the answer to an upgrade is HTTP");
  std::from_chars(in_.data() + 9, in_.data() + 12, status_);
  in_.erase(0, end + 4);
  if (status_ != 101) in_.clear();
}

std::optional<SimPeer::Frame> SimPeer::next() {
  if (status_ == 0) read_head();
  if (status_ != 101 || in_.size() < 2) return std::nullopt;
  const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(in_[i]); };
  demand(!closed_, "nothing follows a Close frame");
  demand((byte(0) & 0xF0) == 0x80 && (byte(1) & 0x80) == 0, "the server's frames are whole and not masked");
  std::uint64_t size = byte(1) & 0x7F;
  std::size_t header = 2;
  if (const std::size_t wide = size == 126 ? 2 : size == 127 ? 8 : 0; wide > 0) {
    if (in_.size() < header + wide) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < wide; ++i) size = size << 8 | byte(header + i);
    header += wide;
  }
  if (in_.size() < header + size) return std::nullopt;
  Frame frame{static_cast<wire::Opcode>(byte(0) & 0x0F), in_.substr(header, static_cast<std::size_t>(size))};
  in_.erase(0, header + static_cast<std::size_t>(size));
  closed_ = frame.opcode == wire::Opcode::close;
  return frame;
}

void SimPeer::cut(Cut kind) {
  if (cut_) return;
  // Any part of what was on its way still arrives.
  const auto arrives = static_cast<std::size_t>(rng_.below(out_.size() + 1));
  if (arrives < out_.size() && arrives > 0) marks().hit(Mark::cut_mid_message);
  const bool ended = fin_sent_;
  ended_ = false;
  pump_out(arrives);
  cut_ = true;
  out_.clear();
  in_.clear();
  if (kind == Cut::reset) {
    marks().hit(Mark::cut_by_reset);
    world_.io.client_resets(socket_);
  } else if (kind == Cut::fin) {
    marks().hit(Mark::cut_by_fin);
    if (!ended) world_.io.client_ends(socket_);
  } else {
    marks().hit(Mark::cut_silently);
  }
}

void SimPeer::half_close() {
  ended_ = true;
  marks().hit(Mark::half_closed);
}

bool SimPeer::ended() const {
  return cut_ || socket_->cut_off ||
         ((socket_->server_fin || socket_->server_closed) && socket_->to_client.empty());
}

}  // namespace hubbub::sim
