// Sessions that are cut off at any byte, in either direction, and resumed at another connection: every
// message is had once and every call runs once.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/sim_client.h"
#include "tests/unit/core/core_fixture.h"

namespace hubbub::sim {
namespace {

using test::at;
using wire::Opcode;

constexpr int kMessages = 6;
constexpr std::string_view kDeflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

// What a client knows of its session: `"code":"…","token":"…","epoch":"…"`.
std::string credentials(const SimClient& client) {
  const std::string opened = client.texts().at(0);
  std::string out;
  for (const std::string name : {"code", "token", "epoch"})
    out += '"' + name + "\":" + at(opened, "/params/session/" + name) + ',';
  return out;
}

std::string resume_params(const std::string& credentials, std::size_t received) {
  return '{' + credentials + R"("received":)" + std::to_string(received) + '}';
}

// The counted messages that came: what the test's broadcasts and calls make.
std::vector<std::string> counted(const SimClient& client) {
  std::vector<std::string> out;
  for (const std::string& text : client.texts())
    if (text.find("hub.message") != text.npos || text.find(R"("result":[)") != text.npos) out.push_back(text);
  return out;
}

ShardSettings without_rate_limit() {
  ShardSettings settings;
  settings.limits.rate_per_s = 0;
  return settings;
}

struct ConnectionResume : testing::Test {
  World world{without_rate_limit()};
  SimClient other{world};
  void SetUp() override { other.open(); }
  void TearDown() override {
    EXPECT_FALSE(other.broken());
    world.shard.reset();
    EXPECT_EQ(world.frames(), 0);
    EXPECT_EQ(world.io.sockets_open(), 0U);
  }
  // Message i is "…[i,i,i,…]", of different sizes.
  void broadcast() {
    for (int i = 1; i <= kMessages; ++i) {
      std::string data = "[" + std::to_string(i);
      for (int n = 0; n < i * 10; ++n) data += ',' + std::to_string(i);
      other.call(i, "hub.broadcast", R"({"data":)" + data + "]}");
    }
    world.settle();
    other.read();
  }
  // A client whose socket takes `bytes` of the messages that are broadcast, and no more.
  void open_and_fill(SimClient& client, std::size_t bytes) {
    client.open();
    client.socket().to_client_capacity = bytes;
    broadcast();
    client.read();
    client.socket().to_client_capacity = 0;
  }
  void expect_all(std::vector<std::string> first, const std::vector<std::string>& second) {
    first.insert(first.end(), second.begin(), second.end());
    ASSERT_EQ(first.size(), static_cast<std::size_t>(kMessages));
    for (int i = 1; i <= kMessages; ++i)
      EXPECT_EQ(at(first[static_cast<std::size_t>(i - 1)], "/params/data/0"), std::to_string(i));
  }
};

TEST_F(ConnectionResume, cut_at_any_byte_of_what_the_server_writes_each_message_comes_once) {
  for (std::size_t bytes = 1; bytes < 900; bytes += 13) {
    SCOPED_TRACE(bytes);
    SimClient client(world);
    open_and_fill(client, bytes);
    const auto before = counted(client);
    const std::string own = credentials(client);
    client.reset();
    world.settle();
    SimClient back(world);
    back.open();
    EXPECT_EQ(at(back.ask(9, "session.resume", resume_params(own, before.size())), "/result/recovered"),
              "true");
    expect_all(before, counted(back));
    EXPECT_FALSE(back.broken());
    back.ask(10, "session.close");
    back.close(1000);
    back.end();
    world.settle();
  }
}

TEST_F(ConnectionResume, a_connection_whose_session_is_taken_over_finishes_its_frame_and_closes_with_4512) {
  for (std::size_t bytes = 1; bytes < 900; bytes += 29) {
    SCOPED_TRACE(bytes);
    SimClient client(world);
    open_and_fill(client, bytes);
    const auto before = counted(client);
    const std::string own = credentials(client);
    SimClient back(world);
    back.open();
    EXPECT_EQ(at(back.ask(9, "session.resume", resume_params(own, before.size())), "/result/recovered"),
              "true");
    expect_all(before, counted(back));
    client.socket().to_client_capacity = kUnlimited;
    client.sync();
    EXPECT_EQ(client.close_code(), 4512);
    EXPECT_EQ(client.texts_with("session.closing"), 1U);
    EXPECT_FALSE(client.broken());
    EXPECT_LE(counted(client).size(), before.size() + 1)
        << "the frame that was half on the wire, and no more";
    client.call(1, "hub.broadcast", R"({"data":"too late"})");
    client.close(4512);
    client.end();
    world.settle();
    EXPECT_TRUE(client.gone());
    EXPECT_EQ(back.sync().texts_with("too late"), 0U);
    EXPECT_FALSE(back.ask(10, "echo", "[1]").empty()) << "the old connection's end is nothing to the session";
    back.ask(11, "session.close");
    back.close(1000);
    back.end();
    world.settle();
  }
}

TEST_F(ConnectionResume, cut_at_any_byte_of_what_the_client_writes_each_call_runs_once) {
  std::vector<std::string> calls;
  std::string stream;
  for (int i = 1; i <= kMessages; ++i) {
    const std::string data =
        R"(["call )" + std::to_string(i) + std::string(static_cast<std::size_t>(i * 20), 'x') + "\"]";
    calls.push_back(client_frame(Opcode::text, call_text(i, "echo", data)));
    stream += calls.back();
  }
  for (std::size_t bytes = 0; bytes <= stream.size(); bytes += 11) {
    SCOPED_TRACE(bytes);
    const std::uint64_t before = world.stats().calls;
    SimClient client(world);
    client.open();
    const std::string own = credentials(client);
    client.send(stream.substr(0, bytes));
    world.settle();
    client.reset();  // with all answers in it
    world.settle();
    SimClient back(world);
    back.open();
    const std::string reply = back.ask(99, "session.resume", resume_params(own, 0));
    const std::size_t received = std::stoul(at(reply, "/result/received"));
    std::size_t whole = 0;
    for (std::size_t end = 0; whole < calls.size() && (end += calls[whole].size()) <= bytes;) ++whole;
    EXPECT_EQ(received, whole);
    for (std::size_t i = received; i < calls.size(); ++i) back.send(calls[i]);
    back.sync();
    EXPECT_EQ(counted(back).size(), calls.size());
    for (int i = 1; i <= kMessages; ++i) EXPECT_FALSE(back.reply(i).empty()) << i;
    EXPECT_EQ(world.stats().calls - before, calls.size());
    back.ask(100, "session.close");
    back.close(1000);
    back.end();
    world.settle();
  }
}

TEST_F(ConnectionResume, a_peer_with_compression_context_may_resume_at_the_connection_it_has) {
  SimClient client(world);
  client.open();
  const std::string own = credentials(client);
  client.reset();
  world.settle();
  broadcast();
  SimClient back(world);
  back.open(kDeflate);
  back.call(9, "session.resume", resume_params(own, 0));
  back.sync();
  EXPECT_FALSE(back.broken());
  EXPECT_EQ(world.stats().sessions_resumed, 1U);
}

// What a proxy does that keeps connections to the hub.
TEST_F(ConnectionResume, an_old_connection_that_is_upgraded_late_is_not_taken_for_a_late_request) {
  SimClient pooled(world);
  pooled.get("/healthz");
  pooled.sync();
  ASSERT_EQ(pooled.status(), 200);
  SimClient client(world);
  client.open();
  const std::string own = credentials(client);
  client.reset();
  SimClient unanswered(world);
  unanswered.open();
  unanswered.call(9, "session.resume", resume_params(own, 0));
  world.settle();
  unanswered.reset();
  world.settle();
  pooled.open();
  EXPECT_EQ(at(pooled.ask(10, "session.resume", resume_params(own, 0)), "/result/resumed"), "true");
}

TEST_F(ConnectionResume, a_clean_close_detaches_and_the_session_can_be_resumed) {
  SimClient client(world);
  client.open();
  const std::string own = credentials(client);
  client.close(1001);
  client.end();
  client.sync();
  EXPECT_TRUE(client.gone());
  broadcast();
  SimClient back(world);
  back.open();
  EXPECT_EQ(at(back.ask(9, "session.resume", resume_params(own, 0)), "/result/replayed/ring"),
            std::to_string(kMessages));
  expect_all({}, counted(back));
}

TEST_F(ConnectionResume, while_the_old_connection_is_still_closing_the_session_is_taken_over) {
  SimClient client(world);
  client.open();
  const std::string own = credentials(client);
  client.socket().to_client_capacity = 100;
  broadcast();
  client.close(1001);
  world.settle();
  EXPECT_FALSE(client.gone()) << "its last bytes do not fit";
  broadcast();
  SimClient back(world);
  back.open();
  back.ask(9, "session.resume", resume_params(own, 0));
  EXPECT_EQ(counted(back).size(), 2U * kMessages);
  client.socket().to_client_capacity = kUnlimited;
  client.sync();
  EXPECT_FALSE(client.broken());
  EXPECT_EQ(client.close_code(), 1001);
}

}  // namespace
}  // namespace hubbub::sim
