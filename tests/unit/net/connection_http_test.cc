// The head phase of a connection: requests, refusals, keep-alive, the opening handshake.
#include <gtest/gtest.h>

#include "hubbub/base/rng.h"
#include "tests/sim/sim_client.h"

namespace hubbub::sim {
namespace {

using wire::Opcode;

TEST(ConnectionHttp, a_handshake_opens_and_the_session_follows) {
  World world;
  SimClient client(world);
  client.open();
  EXPECT_EQ(client.status(), 101);
  EXPECT_NE(client.responses()[0].head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            std::string::npos);
  ASSERT_EQ(client.texts().size(), 1U);
  EXPECT_TRUE(client.text_with(R"("method":"session.opened")"));
  EXPECT_EQ(world.stats().handshakes, 1U);
}

TEST(ConnectionHttp, a_handshake_may_arrive_byte_by_byte) {
  World world;
  SimClient client(world);
  for (const char byte : upgrade_request()) {
    client.send({&byte, 1});
    world.settle();
  }
  client.sync();
  EXPECT_EQ(client.status(), 101);
  EXPECT_TRUE(client.text_with("session.opened"));
}

TEST(ConnectionHttp, frames_right_behind_the_handshake_are_served) {
  World world;
  SimClient client(world);
  client.send(upgrade_request() + client_frame(Opcode::text, call_text(1, "echo", "[1]")) +
              client_frame(Opcode::ping, "p") + client_frame(Opcode::text, call_text(2, "echo", "[2]")));
  client.sync();
  EXPECT_NE(client.reply(1).find("[1]"), std::string::npos);
  EXPECT_NE(client.reply(2).find("[2]"), std::string::npos);
  EXPECT_EQ(client.count(Opcode::pong), 1U);
}

TEST(ConnectionHttp, a_handshake_with_frames_behind_it_gives_the_same_however_it_is_cut) {
  const std::string stream = upgrade_request() + client_frame(Opcode::text, call_text(1, "echo", "[1]")) +
                             client_frame(Opcode::text, call_text(2, "echo", "[2]")) + client_close(1000);
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SeededRng rng(seed);
    World world;
    SimClient client(world);
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size =
          std::min(stream.size() - at, 1 + static_cast<std::size_t>(rng.below(1 + rng.below(300))));
      client.send(std::string_view(stream).substr(at, size));
      at += size;
      if (rng.below(2) == 0) world.settle();
    }
    client.sync();
    EXPECT_EQ(client.texts().size(), 3U) << "seed " << seed;
    EXPECT_EQ(client.close_code(), 1000) << "seed " << seed;
    EXPECT_FALSE(client.broken());
  }
}

// More than the read buffer holds, so that what was read first waits while more stands in the socket.
TEST(ConnectionHttp, thousands_of_frames_right_behind_the_handshake_are_answered_in_order) {
  constexpr std::size_t kCalls = 2000;
  for (const bool ends : {false, true}) {
    ShardSettings settings;
    settings.limits.rate_per_s = 0;
    World world(settings);
    SimClient client(world);
    std::string stream = upgrade_request();
    for (std::size_t i = 0; i < kCalls; ++i)
      stream += client_frame(Opcode::text, call_text(static_cast<int>(i), "echo", "[\"some words\"]"));
    ASSERT_GT(stream.size(), 2U * 64 * 1024);
    if (ends) stream += client_close(1000);
    client.send(stream);
    if (ends) client.end();
    client.sync();
    const auto texts = client.texts();
    ASSERT_EQ(texts.size(), kCalls + 1);
    EXPECT_NE(texts[0].find("session.opened"), std::string::npos);
    for (std::size_t i = 0; i < kCalls; ++i)
      ASSERT_NE(texts[i + 1].find("\"id\":" + std::to_string(i) + ','), std::string::npos) << i;
    EXPECT_EQ(client.close_code(), ends ? 1000 : 0);
    EXPECT_EQ(client.gone(), ends);
    EXPECT_FALSE(client.broken());
  }
}

TEST(ConnectionHttp, frames_right_behind_the_handshake_are_served_though_the_client_ends_without_close) {
  World world;
  SimClient other(world);
  other.open();
  SimClient client(world);
  std::string stream = upgrade_request();
  for (int i = 0; i < 10; ++i)
    stream +=
        client_frame(Opcode::text, call_text(i, "hub.broadcast", "{\"data\":" + std::to_string(i) + '}'));
  client.send(stream);
  client.end();
  client.sync();
  other.sync();
  ASSERT_EQ(other.texts_with("hub.message"), 10U);
  for (std::size_t i = 0; i < 10; ++i)
    EXPECT_NE(other.texts()[i + 1].find("\"data\":" + std::to_string(i)), std::string::npos);
  EXPECT_TRUE(client.gone());
}

TEST(ConnectionHttp, requests_piped_in_are_answered_one_at_a_time_and_in_order) {
  World world;
  SimClient client(world);
  client.socket().to_client_capacity = 64;  // the first answer does not fit
  client.send(
      "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\nGET /c HTTP/1.1\r\nHost: "
      "h\r\n\r\n");
  world.settle();
  EXPECT_EQ(world.sim_service().requests.size(), 1U);
  client.sync();
  ASSERT_EQ(client.responses().size(), 3U);
  EXPECT_EQ(client.responses()[0].body, "/a");
  EXPECT_EQ(client.responses()[1].body, "/b");
  EXPECT_EQ(client.responses()[2].body, "/c");
  EXPECT_FALSE(client.got_fin());
  client.open();
  EXPECT_TRUE(client.upgraded());
}

TEST(ConnectionHttp, thousands_of_requests_piped_in_hold_no_more_than_one_answer) {
  World world;
  SimClient client(world);
  client.socket().to_client_capacity = 256;
  std::string requests;
  for (int i = 0; i < 3000; ++i) requests += "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
  client.send(requests);
  world.settle();
  EXPECT_LE(world.frames(), 4);
  EXPECT_LE(world.sim_service().requests.size(), 4U);
  client.sync();
  EXPECT_EQ(client.responses().size(), 3000U);
}

TEST(ConnectionHttp, a_client_that_ends_right_after_its_request_still_gets_the_answer) {
  World world;
  SimClient client(world);
  client.get("/healthz");
  client.end();
  client.sync();
  ASSERT_EQ(client.responses().size(), 1U);
  EXPECT_EQ(client.responses()[0].body, "/healthz");
  EXPECT_TRUE(client.gone());
  EXPECT_FALSE(client.got_reset());
}

TEST(ConnectionHttp, an_answer_that_does_not_fit_the_socket_survives_the_clients_end) {
  World world;
  SimClient client(world);
  client.socket().to_client_capacity = 10;
  client.get("/healthz");
  client.end();
  client.sync();
  ASSERT_EQ(client.responses().size(), 1U);
  EXPECT_EQ(client.responses()[0].body, "/healthz");
}

TEST(ConnectionHttp, connection_close_and_http_10_end_after_the_answer) {
  for (const char* request :
       {"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET /a HTTP/1.0\r\n\r\n"}) {
    World world;
    SimClient client(world);
    client.send(request);
    client.sync();
    EXPECT_EQ(client.status(), 200);
    EXPECT_TRUE(client.got_fin());
    EXPECT_FALSE(client.gone()) << "waits for the client's end, so that no reset destroys the answer";
    client.end();
    world.settle();
    EXPECT_TRUE(client.gone());
  }
}

TEST(ConnectionHttp, a_request_with_a_body_is_answered_and_is_the_last) {
  World world;
  SimClient client(world);
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  client.sync();
  EXPECT_EQ(client.responses().size(), 1U) << "a body is never taken for a request";
  EXPECT_TRUE(client.got_fin());
}

struct Refusal {
  const char* name;
  std::string request;
  int status;
  const char* header;  // that the answer must have
};

class ConnectionRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(ConnectionRefusal, is_plain_http_and_ends_the_connection) {
  const Refusal& refusal = GetParam();
  for (const bool whole : {true, false}) {
    World world;
    SimClient client(world);
    for (std::size_t i = 0; i < refusal.request.size() && client.status() == 0;
         i += whole ? refusal.request.size() : 1) {
      client.send(std::string_view(refusal.request).substr(i, whole ? std::string::npos : 1));
      client.sync();
    }
    EXPECT_EQ(client.status(), refusal.status);
    ASSERT_FALSE(client.responses().empty());
    EXPECT_NE(client.responses()[0].head.find(refusal.header), std::string::npos)
        << client.responses()[0].head;
    EXPECT_FALSE(client.responses()[0].body.empty()) << "says what was wrong";
    EXPECT_TRUE(client.got_fin());
    EXPECT_EQ(world.stats().http_refused, 1U);
    EXPECT_EQ(world.stats().handshakes, 0U);
    client.end();
    world.settle();
    EXPECT_TRUE(client.gone());
    EXPECT_FALSE(client.got_reset());
  }
}

std::string without(std::string_view line) {
  std::string request = upgrade_request();
  const std::size_t from = request.find(line);
  request.erase(from, request.find("\r\n", from) + 2 - from);
  return request;
}

std::string replaced(std::string_view from, std::string_view to) {
  std::string request = upgrade_request();
  return request.replace(request.find(from), from.size(), to);
}

INSTANTIATE_TEST_SUITE_P(
    All, ConnectionRefusal,
    testing::Values(
        Refusal{"no_upgrade", "GET /ws HTTP/1.1\r\nHost: h\r\n\r\n", 426, "Sec-WebSocket-Version: 13"},
        Refusal{"old_version", replaced("Version: 13", "Version: 8"), 426, "Sec-WebSocket-Version: 13"},
        Refusal{"no_key", without("Sec-WebSocket-Key"), 400, "Connection: close"},
        Refusal{"bad_key", replaced("dGhlIHNhbXBsZSBub25jZQ==", "dGhl"), 400, "Connection: close"},
        Refusal{"no_connection_upgrade", without("Connection: Upgrade"), 400, "Connection: close"},
        Refusal{"post", replaced("GET", "POST"), 405, "Allow: GET"},
        Refusal{"no_host", without("Host"), 400, "Connection: close"},
        Refusal{"not_http", "\x16\x03\x01\x02 hello\r\n\r\n", 400, "Connection: close"},
        Refusal{"head_too_large", "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(9000, 'x'), 431,
                "Connection: close"}),
    [](const auto& instance) { return instance.param.name; });

TEST(ConnectionHttp, a_head_of_exactly_the_limit_is_served_and_one_byte_more_is_431_and_counted) {
  for (const std::size_t over : {0U, 1U}) {
    World world;
    SimClient client(world);
    std::string head = "GET /a HTTP/1.1\r\nHost: h\r\nX: ";
    head += std::string(Limits{}.head_bytes - head.size() - 4 + over, 'x') + "\r\n\r\n";
    client.send(head);
    client.sync();
    EXPECT_EQ(client.status(), over ? 431 : 200);
    EXPECT_EQ(world.hits(LimitHit::head_bytes), over);
  }
}

TEST(ConnectionHttp, half_a_head_is_answered_408_at_the_deadline) {
  World world;
  SimClient client(world);
  client.send("GET /ws HTTP/1.1\r\nHo");
  world.settle();
  // Bytes that trickle in buy no more time.
  for (int i = 0; i < 4; ++i) {
    world.advance(1000);
    client.send("s");
  }
  world.advance(999);
  EXPECT_EQ(client.sync().status(), 0);
  world.advance(1);
  EXPECT_EQ(client.sync().status(), 408);
  EXPECT_EQ(world.hits(LimitHit::head_deadline), 1U);
  EXPECT_TRUE(client.got_fin());
}

TEST(ConnectionHttp, a_silent_connection_is_closed_at_the_head_deadline) {
  World world;
  SimClient client(world);
  world.advance(Limits{}.head_deadline_ms - 1);
  EXPECT_FALSE(client.gone());
  world.advance(1);
  EXPECT_TRUE(client.gone());
  EXPECT_EQ(client.received(), 0U);
}

TEST(ConnectionHttp, an_idle_keep_alive_connection_is_closed_at_the_head_deadline) {
  World world;
  SimClient client(world);
  world.advance(3000);
  client.get("/a");
  client.sync();
  world.advance(Limits{}.head_deadline_ms - 1);
  EXPECT_FALSE(client.gone());
  world.advance(1);
  EXPECT_TRUE(client.gone());
}

TEST(ConnectionHttp, an_answer_nobody_reads_does_not_keep_its_connection) {
  World world;
  SimClient client(world);
  client.socket().to_client_capacity = 10;
  client.get("/a");
  world.advance(Limits{}.head_deadline_ms);
  EXPECT_TRUE(client.gone());
  EXPECT_EQ(world.shard->connections(), 0U);
}

TEST(ConnectionHttp, a_refused_client_that_never_ends_is_cut_at_the_close_deadline) {
  World world;
  SimClient client(world);
  client.send("nonsense\r\n\r\n");
  client.sync();
  EXPECT_TRUE(client.got_fin());
  for (int i = 0; i < 100; ++i) {
    client.send(std::string(1000, 'x'));  // keeps talking
    world.advance(Limits{}.close_deadline_ms / 100);
  }
  EXPECT_TRUE(client.gone());
}

TEST(ConnectionHttp, the_subprotocol_is_selected_and_its_first_message_awaited) {
  World world;
  SimClient client(world);
  client.open("Sec-WebSocket-Protocol: other, hubbub.v1\r\n");
  EXPECT_NE(client.responses()[0].head.find("Sec-WebSocket-Protocol: hubbub.v1"), std::string::npos);
  EXPECT_TRUE(client.frames().empty());
  EXPECT_NE(client.ask(1, "session.open", "{}").find("\"token\""), std::string::npos);
}

TEST(ConnectionHttp, no_session_open_in_time_is_4501) {
  World world;
  SimClient client(world);
  client.open("Sec-WebSocket-Protocol: hubbub.v1\r\n");
  world.advance(Limits{}.open_deadline_ms - 1);
  EXPECT_EQ(client.sync().close_code(), 0);
  world.advance(1);
  EXPECT_EQ(client.sync().close_code(), 4501);
  EXPECT_EQ(world.hits(LimitHit::open_deadline), 1U);
}

}  // namespace
}  // namespace hubbub::sim
