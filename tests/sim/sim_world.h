// World: a whole shard, with hub, methods and service, on a SimIo. One thread, no sockets, no real clock:
// what happens is decided by the test and the seed alone.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hubbub/base/frame.h"
#include "hubbub/base/rng.h"
#include "hubbub/core/builtin_methods.h"
#include "hubbub/core/channel.h"
#include "hubbub/net/service.h"
#include "hubbub/net/shard.h"
#include "tests/sim/sim_io.h"

namespace hubbub::sim {

// Keeps every line: "connection closed connection=1 code=1000 …".
class SimLog final : public Log {
 public:
  void write(LogLevel, std::string_view event, std::initializer_list<LogField> fields) override {
    std::string line(event);
    for (const LogField& field : fields) {
      line += ' ' + std::string(field.name) + '=';
      std::visit([&line](const auto& value) { append(line, value); }, field.value);
    }
    lines.push_back(std::move(line));
  }
  [[nodiscard]] bool enabled(LogLevel level) const override { return level >= lowest; }
  [[nodiscard]] std::size_t count(std::string_view part) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(lines, [&](const std::string& line) { return line.find(part) != line.npos; }));
  }
  std::vector<std::string> lines;
  LogLevel lowest = LogLevel::info;  // what is below is not kept

 private:
  static void append(std::string& line, std::string_view value) { line += value; }
  static void append(std::string& line, bool value) { line += value ? "true" : "false"; }
  template <class Number>
  static void append(std::string& line, Number value) {
    line += std::to_string(value);
  }
};

// The smallest service: /ws is the hub, /ws?session=CODE on the shard that owns that session, /own an
// endpoint of the test's, anything else is answered with its path.
class SimService final : public Service {
 public:
  explicit SimService(Shard& shard) : shard_(shard) {
    handshake.subprotocols = {std::string(kSubprotocol)};
    handshake.deflate = shard.settings().deflate;
  }
  RequestOutcome on_request(const wire::HttpRequest& request, const Address&) override {
    requests.push_back(request.method + ' ' + request.path);
    if (request.path != "/ws" && request.path != "/own") {
      wire::HttpResponse response;
      response.content_type = "text/plain";
      response.body = request.path;
      return response;
    }
    auto agreed = wire::accept_handshake(request, handshake);
    if (!agreed) return wire::http_refusal(agreed.error());
    if (const auto code = SessionCode::parse(request.query_param("session")); code && !shard_.draining())
      if (const ShardId owner = shard_.node().owner_of(*code); owner != shard_.id()) {
        ++handed_over;
        return HandOver{owner};
      }
    if (request.path == "/own") return Upgrade{std::move(*agreed), make_endpoint()};
    const auto mode = agreed->subprotocol == kSubprotocol ? ChannelMode::v1 : ChannelMode::plain;
    return Upgrade{std::move(*agreed), std::make_unique<Channel>(shard_.dispatcher(), mode)};
  }
  std::function<std::unique_ptr<Endpoint>()> make_endpoint;
  std::vector<std::string> requests;
  wire::HandshakeSettings handshake;
  std::uint64_t handed_over = 0;  // connections, to the shards that own the sessions in their URLs

 private:
  Shard& shard_;
};

class World {
 public:
  using MakeService = std::function<std::unique_ptr<Service>(Shard&)>;

  explicit World(const ShardSettings& settings = {}, const MakeService& make = {}, std::uint64_t seed = 1)
      : io(clock), rng(seed) {
    frames_before_ = Frame::alive();
    add_builtin_methods(methods, dispatcher_);
    shard.emplace(settings, io, clock, rng, log, methods);
    shard->bind_thread();
    dispatcher_ = &shard->dispatcher();
    service = make ? make(*shard) : std::make_unique<SimService>(*shard);
    shard->set_service(*service);
    HUBBUB_ASSERT(shard->listen("127.0.0.1", 80).has_value());
    settle();
  }

  // Runs turns until nothing is left to do, then lets `ms` pass the same way. False once the shard has
  // drained.
  bool advance(Millis ms) {
    io.until = clock.now + ms;
    constexpr std::uint64_t kTurnsMax = 1'000'000;  // a shard that never rests is a bug
    const std::uint64_t before = turns;
    for (io.idle = false; !io.idle && running;) {
      HUBBUB_ASSERT(++turns - before < kTurnsMax);
      run_turn();
    }
    return running;
  }
  bool settle() { return advance(0); }
  // One turn and no more.
  void turn() {
    io.until = clock.now;
    ++turns;
    run_turn();
  }

  [[nodiscard]] const Stats& stats() const { return shard->env().stats; }
  [[nodiscard]] std::uint64_t hits(LimitHit limit) const {
    return stats().limit_hits[static_cast<std::size_t>(limit)];
  }
  [[nodiscard]] std::uint64_t closes(std::uint16_t code) const { return stats().closes.of(code); }
  [[nodiscard]] SimService& sim_service() { return static_cast<SimService&>(*service); }
  // Frames that live because of this world.
  [[nodiscard]] std::int64_t frames() const { return Frame::alive() - frames_before_; }

  SimClock clock;
  SimIo io;
  SeededRng rng;
  SimLog log;
  MethodTable methods;
  std::optional<Shard> shard;
  std::unique_ptr<Service> service;
  bool running = true;
  std::uint64_t turns = 0;
  std::function<void()> after_turn;  // may throw: then the world is of no more use

 private:
  void run_turn() {
    running = shard->run_once();
    shard->check_invariants();
    if (after_turn) after_turn();
  }

  Dispatcher* dispatcher_ = nullptr;
  std::int64_t frames_before_ = 0;
};

}  // namespace hubbub::sim
