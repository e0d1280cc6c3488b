// A World that serves the program's own endpoints: what `hubbub serve` answers, without a socket.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "hubbub/server/routes.h"
#include "tests/sim/sim_client.h"

namespace hubbub::sim {

inline World::MakeService routes(RoutesSettings settings = {}) {
  return [settings = std::move(settings)](Shard& shard) { return std::make_unique<Routes>(shard, settings); };
}

// As `hubbub serve --echo`.
inline World::MakeService echo_routes() { return routes({.cors_origins = {}, .echo = true}); }

// One plain request on a connection of its own.
inline ServerResponse fetch(World& world, const std::string& path, const std::string& headers = {},
                            const std::string& method = "GET") {
  SimClient client(world);
  client.send(method + ' ' + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + "\r\n");
  client.sync();
  ServerResponse response = client.responses().empty() ? ServerResponse{} : client.responses().front();
  client.reset();
  world.settle();
  return response;
}

inline bool has(const ServerResponse& response, std::string_view part) {
  return response.head.find(part) != std::string::npos;
}

}  // namespace hubbub::sim
