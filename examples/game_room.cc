// A game room with the server in charge. Players only say where they want to go (game.steer, a notification);
// 20 times a second the room moves everybody and publishes where they are. Who steps on the coin scores.
// The threads of the metronome and of the worker post to the hub's thread, so nothing here needs a lock.
//   game_room [HOST:PORT], then call game.join {name}, send game.steer {dx, dy}, call game.hint
//   and hear topic.message {topic: "game", offset, data: {tick, coin_x, coin_y, players}}
#include <algorithm>
#include <boost/describe/class.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>

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

struct Player {
  std::string name;
  int x = 0, y = 0, score = 0;
  Direction going{};  // not described: stays here
};
BOOST_DESCRIBE_STRUCT(Player, (), (name, x, y, score))

struct State {
  std::uint64_t tick = 0;
  int coin_x = kSize / 2, coin_y = kSize / 2;
  std::map<std::string, Player> players{};  // by session code
};
BOOST_DESCRIBE_STRUCT(State, (), (tick, coin_x, coin_y, players))

class Room {
 public:
  Result<State> join(Call& call, const Join& params) {
    if (const auto at = call.hub().subscribe(call.session(), "game"); !at) return std::unexpected(at.error());
    state_.players.try_emplace(call.session().code().text(), Player{params.name});  // again: nothing changes
    return state_;
  }

  // Only the last word before a tick counts, so a client that sends more moves no faster.
  void steer(Call& call, const Direction& going) {
    if (Player* player = find(call)) player->going = going;
  }

  // Stands for a long computation: takes a copy of what it needs to the worker and answers from there.
  Result<hubbub::Deferred> hint(Call& call, const NoParams&) {
    const Player* player = find(call);
    if (!player) return reject(1, "join first");
    const int dx = state_.coin_x - player->x, dy = state_.coin_y - player->y;
    worker_.post([reply = call.defer<Direction>(), dx, dy]() mutable {
      reply.send({std::clamp(dx, -1, 1), std::clamp(dy, -1, 1)});
    });
    return hubbub::Deferred{};
  }

  void leave(Hub&, Session& session) { state_.players.erase(session.code().text()); }

  void tick(Hub& hub) {
    if (state_.players.empty()) return;
    ++state_.tick;
    for (auto& [code, player] : state_.players) {
      player.x = std::clamp(player.x + player.going.dx, 0, kSize - 1);
      player.y = std::clamp(player.y + player.going.dy, 0, kSize - 1);
      if (player.x != state_.coin_x || player.y != state_.coin_y) continue;
      ++player.score;
      state_.coin_x = (state_.coin_x + 7) % kSize;
      state_.coin_y = (state_.coin_y + 3) % kSize;
    }
    hub.publish("game", state_);  // written once, shared by all
  }

 private:
  Player* find(Call& call) {
    const auto found = state_.players.find(call.session().code().text());
    return found == state_.players.end() ? nullptr : &found->second;
  }

  State state_;
  Worker worker_;
};

int main(int argc, char** argv) {
  hubbub::Config defaults;
  defaults.limits.grace_ms = 5'000;  // a player who is cut off has that long to come back
  defaults.access.allow = {"game.*", "session.*", "ping", "rpc.discover", "$/cancelRequest"};
  Room room;
  hubbub::Server server(options(argc, argv, defaults));
  server.methods().add<Join, State>("game.join", std::bind_front(&Room::join, &room));
  server.methods().add<Direction, void>("game.steer", std::bind_front(&Room::steer, &room));
  server.methods().add<NoParams, Direction>("game.hint", std::bind_front(&Room::hint, &room));
  server.on_session_end(std::bind_front(&Room::leave, &room));
  const std::jthread metronome([&](const std::stop_token& stop) {
    for (auto next = std::chrono::steady_clock::now(); !stop.stop_requested();
         std::this_thread::sleep_until(next += kTick))
      server.post(std::bind_front(&Room::tick, &room));
  });
  return server.run();
}
