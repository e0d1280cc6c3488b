// SimClient: the other end of a SimSocket. Speaks HTTP/1.1 and WebSocket, strictly enough to notice what a
// server must not do, and can misbehave in every way a test asks for.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/wire/ws_codec.h"
#include "tests/sim/sim_world.h"

namespace hubbub::sim {

struct ServerFrame {
  wire::Opcode opcode{};
  bool fin = false;
  bool rsv1 = false;
  std::string payload;
};

struct ServerResponse {
  int status = 0;
  std::string head;
  std::string body;
};

inline std::string upgrade_request(std::string_view extra_headers = {}, std::string_view path = "/ws") {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         std::string(extra_headers) + "\r\n";
}

inline std::string client_frame(wire::Opcode opcode, std::string_view payload, bool fin = true,
                                bool rsv1 = false) {
  std::string out;
  wire::append_client_frame(out, opcode, payload, 0x37FA213D, fin, rsv1);
  return out;
}

inline std::string client_close(std::uint16_t code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return client_frame(wire::Opcode::close, payload.append(reason));
}

inline std::string call_text(int id, std::string_view method, std::string_view params = {}) {
  std::string out =
      R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" + std::string(method) + '"';
  if (!params.empty()) out += R"(,"params":)" + std::string(params);
  return out + '}';
}

class SimClient {
 public:
  explicit SimClient(World& world, const Address& peer = Address::ipv4(127, 0, 0, 1, 50000))
      : SimClient(world.io, [&world] { world.settle(); }, peer) {}
  // Connects to the listener of `io`. `settle` lets the server run until nothing is left to do.
  SimClient(SimIo& io, std::function<void()> settle, const Address& peer = Address::ipv4(127, 0, 0, 1, 50000))
      : io_(&io), settle_(std::move(settle)), socket_(io.connect(peer)) {}

  // --- Doing

  void send(std::string_view bytes) { io_->client_sends(socket_, bytes); }
  void get(std::string_view path) { send("GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n"); }
  void upgrade(std::string_view extra_headers = {}, std::string_view path = "/ws") {
    send(upgrade_request(extra_headers, path));
  }
  void text(std::string_view payload) { send(client_frame(wire::Opcode::text, payload)); }
  void ping(std::string_view payload) { send(client_frame(wire::Opcode::ping, payload)); }
  void pong() { send(client_frame(wire::Opcode::pong, {})); }
  void call(int id, std::string_view method, std::string_view params = {}) {
    text(call_text(id, method, params));
  }
  void close(std::uint16_t code, std::string_view reason = {}) { send(client_close(code, reason)); }
  void end() { io_->client_ends(socket_); }
  void reset() { io_->client_resets(socket_); }
  // Reads what has come, at most `bytes`.
  void read(std::size_t bytes = kUnlimited) {
    const std::string fresh = io_->client_reads(socket_, bytes);
    received_ += fresh.size();
    pending_ += fresh;
    parse();
  }
  // Lets the server run and reads, until nothing happens any more.
  SimClient& sync() {
    do {
      settle_();
      read();
    } while (!socket_->to_client.empty() || !settled());
    return *this;
  }
  // Upgrades in plain mode and waits for session.opened.
  SimClient& open(std::string_view extra_headers = {}) {
    upgrade(extra_headers);
    return sync();
  }
  // Calls and waits: the text of the reply, "" if there was none.
  std::string ask(int id, std::string_view method, std::string_view params = {}) {
    call(id, method, params);
    sync();
    return reply(id);
  }

  // --- Seeing

  [[nodiscard]] const std::vector<ServerResponse>& responses() const { return responses_; }
  [[nodiscard]] int status() const { return responses_.empty() ? 0 : responses_.front().status; }
  [[nodiscard]] bool upgraded() const { return upgraded_; }
  [[nodiscard]] const std::vector<ServerFrame>& frames() const { return frames_; }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const ServerFrame& frame : frames_)
      if (frame.opcode == wire::Opcode::text) out.push_back(frame.payload);
    return out;
  }
  [[nodiscard]] std::size_t count(wire::Opcode opcode) const {
    return static_cast<std::size_t>(std::ranges::count(frames_, opcode, &ServerFrame::opcode));
  }
  [[nodiscard]] std::string reply(int id) const {
    const std::string member = R"("id":)" + std::to_string(id);
    for (const std::string& text : texts()) {
      const std::size_t end = text.find(member) + member.size();
      if (text.find(member) != text.npos && (text[end] == ',' || text[end] == '}')) return text;
    }
    return {};
  }
  [[nodiscard]] std::optional<std::string> text_with(std::string_view part) const {
    for (const std::string& text : texts())
      if (text.find(part) != text.npos) return text;
    return std::nullopt;
  }
  [[nodiscard]] std::size_t texts_with(std::string_view part) const {
    std::size_t n = 0;
    for (const std::string& text : texts()) n += text.find(part) != text.npos;
    return n;
  }
  // The code of the server's Close frame; 1005 if it had none, 0 if there was no frame.
  [[nodiscard]] std::uint16_t close_code() const {
    if (frames_.empty() || frames_.back().opcode != wire::Opcode::close) return 0;
    const std::string& payload = frames_.back().payload;
    if (payload.size() < 2) return 1005;
    return static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                      static_cast<unsigned char>(payload[1]));
  }
  [[nodiscard]] std::string close_reason() const {
    const bool with_code = close_code() != 0 && frames_.back().payload.size() >= 2;
    return with_code ? frames_.back().payload.substr(2) : std::string();
  }
  // "happy-panda-42" of session.opened or of the reply to session.open.
  [[nodiscard]] std::string code() const {
    const std::string text = text_with(R"("code":")").value_or("");
    const std::size_t from = std::min(text.size(), text.find(R"("code":")") + 8);
    return text.substr(from, text.find('"', from) - from);
  }
  [[nodiscard]] bool got_fin() const { return socket_->server_fin; }
  [[nodiscard]] bool got_reset() const { return socket_->server_reset; }
  // The server has let go of the socket.
  [[nodiscard]] bool gone() const { return socket_->server_closed; }
  // What came does not make sense: bytes of half a frame at the end, or bytes after a Close frame.
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool mid_frame() const { return !pending_.empty(); }
  [[nodiscard]] std::size_t received() const { return received_; }
  [[nodiscard]] SimSocket& socket() { return *socket_; }
  void forget_frames() { frames_.clear(); }

 private:
  [[nodiscard]] bool settled() {
    settle_();
    return socket_->to_client.empty();
  }

  void parse() {
    while (!upgraded_ && parse_response()) {
    }
    while (upgraded_ && parse_frame()) {
    }
  }

  bool parse_response() {
    const std::size_t end = pending_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    ServerResponse response;
    response.head = pending_.substr(0, end + 4);
    std::from_chars(response.head.data() + 9, response.head.data() + 12, response.status);
    std::size_t length = 0;
    if (const std::size_t at = response.head.find("Content-Length: "); at != std::string::npos)
      std::from_chars(response.head.data() + at + 16, response.head.data() + response.head.size(), length);
    if (pending_.size() < end + 4 + length) return false;
    response.body = pending_.substr(end + 4, length);
    pending_.erase(0, end + 4 + length);
    upgraded_ = response.status == 101;
    responses_.push_back(std::move(response));
    return true;
  }

  bool parse_frame() {
    if (pending_.size() < 2) return false;
    const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(pending_[i]); };
    std::uint64_t size = byte(1) & 0x7F;
    std::size_t header = 2;
    if (const std::size_t wide = size == 126 ? 2 : size == 127 ? 8 : 0; wide > 0) {
      if (pending_.size() < 2 + wide) return false;
      size = 0;
      for (std::size_t i = 0; i < wide; ++i) size = size << 8 | byte(2 + i);
      header += wide;
    }
    if (pending_.size() < header + size) return false;
    // No mask, no reserved bits but compression's, one whole message a frame, and nothing behind a Close
    // frame.
    broken_ = broken_ || (byte(1) & 0x80) != 0 || (byte(0) & 0x30) != 0 || (byte(0) & 0x80) == 0 ||
              close_code() != 0;
    frames_.push_back({static_cast<wire::Opcode>(byte(0) & 0x0F), (byte(0) & 0x80) != 0,
                       (byte(0) & 0x40) != 0, pending_.substr(header, static_cast<std::size_t>(size))});
    pending_.erase(0, header + static_cast<std::size_t>(size));
    return true;
  }

  SimIo* io_;
  std::function<void()> settle_;
  SimIo::SocketRef socket_;
  std::string pending_;  // received and not parsed
  std::vector<ServerResponse> responses_;
  std::vector<ServerFrame> frames_;
  bool upgraded_ = false;
  bool broken_ = false;
  std::size_t received_ = 0;
};

}  // namespace hubbub::sim
