// A game room with the server in charge. Players only say where they want to go (game.steer, a notification: no reply);
// 20 times a second the room moves everybody and publishes where they are. Who steps on the coin scores.
// The metronome's thread and the worker's never touch the room: they post to the hub's thread, so nothing needs a lock.
//
//   game_room [HOST:PORT], then call game.join {name}, send game.steer {dx, dy}, ask game.hint
//   and hear topic.message {topic: "game", offset, data: {tick, coin, players}}
#include <algorithm>
#include <boost/describe/class.hpp>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "examples/options.h"
#include "examples/worker.h"
#include "hubbub/core/rules.h"
#include "hubbub/server/server.h"

using hubbub::Call, hubbub::Hub, hubbub::NoParams, hubbub::Result, hubbub::Session, hubbub::reject;

constexpr int kSize = 20;  // the field is kSize x kSize
constexpr std::chrono::milliseconds kTick{50};

struct Join {
  std::string name;
  static constexpr auto rules() { return hubbub::rules(hubbub::length(&Join::name, 1, 24)); }
};
BOOST_DESCRIBE_STRUCT(Join, (), (name))

struct Direction {
  int dx = 0, dy = 0;
  static constexpr auto rules() {
    return hubbub::rules(hubbub::in_range(&Direction::dx, -1, 1), hubbub::in_range(&Direction::dy, -1, 1));
  }
};
BOOST_DESCRIBE_STRUCT(Direction, (), (dx, dy))

struct Point {
  int x = 0, y = 0;
  bool operator==(const Point&) const = default;
};
BOOST_DESCRIBE_STRUCT(Point, (), (x, y))

struct Player {
  std::string name;
  Point at{};
  int score = 0;
  Direction going{};  // not described: stays here
};
BOOST_DESCRIBE_STRUCT(Player, (), (name, at, score))

struct State {
  std::uint64_t tick = 0;
  Point coin{kSize / 2, kSize / 2};
  std::vector<Player> players{};
};
BOOST_DESCRIBE_STRUCT(State, (), (tick, coin, players))

class Room {
 public:
  Result<Point> join(Call& call, const Join& params) {
    const auto [player, added] = players_.try_emplace(key(call.session()), Player{params.name});
    if (!added) return reject(1, "you play already");
    if (const auto at = call.hub().subscribe(call.session(), "game"); !at) return std::unexpected(at.error());
    return player->second.at;
  }

  // Only the last word before a tick counts, so a client that sends more moves no faster.
  void steer(Call& call, const Direction& going) {
    if (Player* player = find(call.session())) player->going = going;
  }

  // Stands for a long computation: takes a copy of what it needs to the worker and answers from there.
  Result<hubbub::Deferred> hint(Call& call, Worker& worker) {
    const Player* player = find(call.session());
    if (!player) return reject(2, "join first");
    worker.post([reply = call.defer<Direction>(), from = player->at, to = state_.coin]() mutable {
      reply.send({std::clamp(to.x - from.x, -1, 1), std::clamp(to.y - from.y, -1, 1)});
    });
    return hubbub::Deferred{};
  }

  void leave(const Session& session) { players_.erase(key(session)); }

  void tick(Hub& hub) {
    if (players_.empty()) return;
    ++state_.tick;
    state_.players.clear();
    for (auto& [_, player] : players_) {
      player.at = {std::clamp(player.at.x + player.going.dx, 0, kSize - 1),
                   std::clamp(player.at.y + player.going.dy, 0, kSize - 1)};
      if (player.at == state_.coin) {
        ++player.score;
        state_.coin = {place_(dice_), place_(dice_)};
      }
      state_.players.push_back(player);
    }
    hub.publish("game", state_);  // written once, shared by all
  }

 private:
  static std::uint64_t key(const Session& session) { return session.handle().bits(); }
  Player* find(const Session& session) {
    const auto found = players_.find(key(session));
    return found == players_.end() ? nullptr : &found->second;
  }

  std::map<std::uint64_t, Player> players_;  // by session
  State state_;
  std::minstd_rand dice_;
  std::uniform_int_distribution<int> place_{0, kSize - 1};
};

int main(int argc, char** argv) {
  hubbub::Config defaults;
  defaults.limits.grace_ms = 5'000;  // a player who is cut off has that long to come back
  defaults.access.allow = {"game.*", "session.*", "ping", "rpc.discover", "$/cancelRequest"};
  Room room;
  Worker worker;
  hubbub::Server server(options(argc, argv, defaults));
  auto& methods = server.methods();
  methods.add<Join, Point>("game.join", [&](Call& call, const Join& params) { return room.join(call, params); });
  methods.add<Direction, void>("game.steer", [&](Call& call, const Direction& going) { room.steer(call, going); });
  methods.add<NoParams, Direction>("game.hint", [&](Call& call, const NoParams&) { return room.hint(call, worker); });
  server.on_session_end([&](Hub&, Session& session) { room.leave(session); });
  const std::jthread metronome([&](const std::stop_token& stop) {
    for (auto next = std::chrono::steady_clock::now(); !stop.stop_requested(); std::this_thread::sleep_until(next += kTick))
      server.post([&](Hub& hub) { room.tick(hub); });
  });
  return server.run();
}
