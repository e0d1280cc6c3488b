#include "hubbub/server/routes.h"

#include <gtest/gtest.h>

#include "tests/unit/server/server_world.h"

namespace hubbub::sim {
namespace {

ShardSettings with_access(AccessRules access) {
  ShardSettings settings;
  settings.access = std::move(access);
  return settings;
}

int upgrade_status(World& world, const std::string& headers, const std::string& path = "/ws") {
  SimClient client(world);
  client.upgrade(headers, path);
  client.sync();
  return client.status();
}

TEST(Routes, health_readiness_and_metrics_are_plain_uncached_text) {
  World world({}, routes());
  for (const auto& [path, body] : {std::pair{"/healthz", "ok\n"}, std::pair{"/readyz", "ready\n"}}) {
    const ServerResponse response = fetch(world, path);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, body);
    EXPECT_TRUE(has(response, "Cache-Control: no-store"));
    EXPECT_TRUE(has(response, "Content-Type: text/plain"));
  }
  const ServerResponse metrics = fetch(world, "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_TRUE(has(metrics, "Content-Type: text/plain; version=0.0.4"));
  EXPECT_NE(metrics.body.find("hubbub_connections "), std::string::npos);
}

TEST(Routes, a_draining_server_is_alive_and_not_ready_and_refuses_upgrades_with_retry_after) {
  World world({}, routes());
  SimClient holder(world);
  holder.open();
  world.shard->begin_drain();
  EXPECT_EQ(fetch(world, "/readyz").status, 503);
  EXPECT_EQ(fetch(world, "/healthz").status, 200);
  SimClient late(world);
  late.open();
  EXPECT_EQ(late.status(), 503);
  EXPECT_TRUE(has(late.responses()[0], "Retry-After: "));
}

TEST(Routes, a_path_that_is_not_there_is_404_and_keeps_the_connection) {
  World world({}, routes());
  SimClient client(world);
  client.get("/nothing");
  client.get("/healthz");
  client.sync();
  ASSERT_EQ(client.responses().size(), 2U);
  EXPECT_EQ(client.responses()[0].status, 404);
  EXPECT_EQ(client.responses()[1].status, 200);
}

TEST(Routes, head_is_answered_without_body_and_other_methods_with_405) {
  World world({}, routes());
  SimClient client(world);
  client.send("HEAD /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  world.settle();
  const std::string answer = client.socket().to_client;
  EXPECT_NE(answer.find("Content-Length: 3"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
  const ServerResponse deleted = fetch(world, "/healthz", {}, "DELETE");
  EXPECT_EQ(deleted.status, 405);
  EXPECT_TRUE(has(deleted, "Allow: "));
  EXPECT_EQ(fetch(world, "/ws", {}, "PUT").status, 405);
}

TEST(Routes, the_page_is_served_with_its_policy) {
  World world({}, routes());
  const ServerResponse page = fetch(world, "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(has(page, "Content-Type: text/html"));
  EXPECT_TRUE(has(page, "Content-Security-Policy: default-src 'none'"));
  EXPECT_TRUE(has(page, "X-Content-Type-Options: nosniff"));
  EXPECT_NE(page.body.find("<!doctype html>"), std::string::npos);
}

TEST(Routes, ws_without_an_upgrade_is_426_and_says_the_version) {
  World world({}, routes());
  const ServerResponse response = fetch(world, "/ws");
  EXPECT_EQ(response.status, 426);
  EXPECT_TRUE(has(response, "Sec-WebSocket-Version: 13"));
  EXPECT_TRUE(has(response, "Upgrade: websocket"));
}

TEST(Routes, only_ws_upgrades) {
  World world({}, routes());
  EXPECT_EQ(upgrade_status(world, "", "/ws"), 101);
  EXPECT_EQ(upgrade_status(world, "", "/ws?session=happy-panda-42"), 101);
  EXPECT_EQ(upgrade_status(world, "", "/other"), 404);
  EXPECT_EQ(upgrade_status(world, "", "/healthz"), 200);
}

TEST(RoutesOrigin, in_protected_mode_pages_of_this_machine_pass_and_others_do_not) {
  World world({}, routes());
  EXPECT_EQ(upgrade_status(world, ""), 101) << "no browser";
  EXPECT_EQ(upgrade_status(world, "Origin: http://localhost:3000\r\n"), 101);
  EXPECT_EQ(upgrade_status(world, "Origin: http://127.0.0.1:8080\r\n"), 101);
  EXPECT_EQ(upgrade_status(world, "Origin: https://evil.example\r\n"), 403);
  EXPECT_EQ(upgrade_status(world, "Origin: null\r\n"), 403);
  EXPECT_EQ(world.log.count("origin refused"), 2U);
}

TEST(RoutesOrigin, listed_origins_pass_once_access_is_configured) {
  World world(with_access({.allow = {"*"}, .origins = {"https://app.example.com"}}), routes());
  EXPECT_EQ(upgrade_status(world, "Origin: https://app.example.com\r\n"), 101);
  EXPECT_EQ(upgrade_status(world, "Origin: http://127.0.0.1\r\n"), 101) << "the host itself";
  EXPECT_EQ(upgrade_status(world, "Origin: https://app.example.com.evil.example\r\n"), 403);
}

TEST(RoutesCors, only_listed_origins_may_read_plain_endpoints) {
  World closed({}, routes());
  EXPECT_FALSE(has(fetch(closed, "/healthz", "Origin: https://a.example\r\n"), "Access-Control"));
  World world({}, routes({.cors_origins = {"https://a.example"}}));
  const ServerResponse listed = fetch(world, "/healthz", "Origin: https://a.example\r\n");
  EXPECT_TRUE(has(listed, "Access-Control-Allow-Origin: https://a.example"));
  EXPECT_TRUE(has(listed, "Vary: Origin"));
  const ServerResponse other = fetch(world, "/healthz", "Origin: https://b.example\r\n");
  EXPECT_FALSE(has(other, "Access-Control-Allow-Origin"));
  EXPECT_TRUE(has(other, "Vary: Origin"));
  const ServerResponse preflight = fetch(world, "/healthz", "Origin: https://a.example\r\n", "OPTIONS");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_TRUE(has(preflight, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS"));
}

TEST(RoutesSessions, a_node_with_all_its_sessions_answers_503) {
  ShardSettings settings;
  settings.limits.sessions = 1;
  World world(settings, routes());
  SimClient first(world);
  EXPECT_EQ(first.open().status(), 101);
  SimClient second(world);
  EXPECT_EQ(second.open().status(), 503);
  EXPECT_TRUE(has(second.responses()[0], "Retry-After: "));
  EXPECT_NE(second.responses()[0].body.find("limits.sessions"), std::string::npos);
  EXPECT_EQ(world.hits(LimitHit::sessions), 1U) << "refused before the upgrade counts like refused after it";
}

TEST(RoutesFull, a_full_node_still_tells_its_health_and_metrics) {
  ShardSettings settings;
  settings.connections_max = 1;
  World world(settings, routes());
  SimClient holder(world);
  holder.open();
  for (const std::string path : {"/healthz", "/readyz", "/metrics"}) {
    const ServerResponse response = fetch(world, path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_TRUE(has(response, "Connection: close")) << path << ": its place is somebody else's";
  }
  EXPECT_NE(fetch(world, "/metrics").body.find("hubbub_connections "), std::string::npos);
  for (const std::string path : {"/", "/ws", "/nothing"}) {
    const ServerResponse response = fetch(world, path);
    EXPECT_EQ(response.status, 503) << path;
    EXPECT_TRUE(has(response, "Connection: close") && has(response, "Retry-After: ")) << path;
  }
  EXPECT_EQ(upgrade_status(world, ""), 503);
  EXPECT_EQ(upgrade_status(world, "", "/healthz"), 200) << "as on a node with room";
  world.shard->begin_drain();
  EXPECT_EQ(fetch(world, "/readyz").status, 503);
}

TEST(RoutesFull, one_more_request_on_a_refused_connection_is_not_answered) {
  ShardSettings settings;
  settings.connections_max = 1;
  World world(settings, routes());
  SimClient holder(world);
  holder.open();
  SimClient client(world);
  client.get("/healthz");
  client.get("/healthz");
  client.sync();
  EXPECT_EQ(client.responses().size(), 1U);
  EXPECT_TRUE(client.got_fin());
}

TEST(RoutesFull, an_address_with_too_many_connections_gets_429_on_every_path) {
  ShardSettings settings;
  settings.limits.ip_connections = 1;
  World world(settings, routes());
  SimClient holder(world, Address::ipv4(203, 0, 113, 5, 1));
  holder.open();
  std::uint16_t port = 2;
  for (const std::string_view path : {"/healthz", "/readyz", "/metrics", "/", "/ws"}) {
    SimClient client(world, Address::ipv4(203, 0, 113, 5, port++));
    client.get(path);
    client.sync();
    EXPECT_EQ(client.status(), 429) << path;
    EXPECT_TRUE(client.got_fin());
  }
}

TEST(RoutesEcho, every_path_upgrades_to_the_echo_tool_and_plain_endpoints_stay) {
  World world({}, echo_routes());
  SimClient client(world);
  client.upgrade("Sec-WebSocket-Protocol: hubbub.v1\r\n", "/any/where");
  client.sync();
  EXPECT_EQ(client.status(), 101);
  EXPECT_FALSE(has(client.responses()[0], "Sec-WebSocket-Protocol")) << "it does not speak it";
  client.text("{\"not\":\"json-rpc\"}");
  client.sync();
  ASSERT_EQ(client.frames().size(), 1U);
  EXPECT_EQ(client.frames()[0].payload, "{\"not\":\"json-rpc\"}");
  EXPECT_EQ(fetch(world, "/healthz").status, 200);
}

}  // namespace
}  // namespace hubbub::sim
