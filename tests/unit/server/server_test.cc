// The server as a library, in this process: real threads and one real listener on a free port; nobody
// connects.
#include "hubbub/server/server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <future>
#include <sstream>
#include <string>
#include <thread>

#include "hubbub/base/log.h"
#include "hubbub/server/spd_log.h"

namespace hubbub {
namespace {

Config on_a_free_port(const std::string& host = "127.0.0.1") {
  Config config;
  config.listen = {.host = host, .port = 0};
  return config;
}

// The number behind `name=` in a log.
std::size_t number_in(const std::string& log, const std::string& name) {
  const std::size_t at = log.find(name + '=');
  return at == std::string::npos ? 0 : std::stoul(log.substr(at + name.size() + 1));
}

TEST(Server, run_ends_with_0_when_another_thread_stops_the_server) {
  const auto pipe_before = std::signal(SIGPIPE, SIG_DFL);
  NullLog log;
  Server server(on_a_free_port(), &log);
  auto ran = std::async(std::launch::async, [&server] { return server.run(); });
  while (!server.post([](Hub&) {})) std::this_thread::yield();
  server.stop();
  const bool ended = ran.wait_for(std::chrono::seconds(30)) == std::future_status::ready;
  if (!ended) std::raise(SIGTERM);
  EXPECT_TRUE(ended) << "run() still waits for a signal";
  EXPECT_EQ(ran.get(), 0);
  EXPECT_FALSE(server.post([](Hub&) {}));
  std::signal(SIGPIPE, pipe_before);
}

TEST(Server, may_be_stopped_before_it_starts_and_by_two_at_once) {
  NullLog log;
  Server server(on_a_free_port(), &log);
  server.stop();
  ASSERT_TRUE(server.start().has_value()) << "that did nothing";
  std::jthread other([&server] { server.stop(); });
  server.stop();
  EXPECT_FALSE(server.post([](Hub&) {}));
  server.stop();
}

TEST(Server, without_access_rules_other_addresses_than_loopback_are_refused_with_what_to_set) {
  NullLog log;
  for (const std::string host : {"0.0.0.0", "::", "192.0.2.1"}) {
    Server server(on_a_free_port(host), &log);
    const auto started = server.start();
    ASSERT_FALSE(started.has_value()) << host;
    const std::string& why = started.error().detail;
    for (const std::string_view word : {"access.allow", "access.origins", "loopback"})
      EXPECT_NE(why.find(word), std::string::npos) << why;
    EXPECT_NE(why.find(host), std::string::npos) << why;
    EXPECT_FALSE(server.post([](Hub&) {}));
  }
}

TEST(Server, access_rules_open_other_addresses) {
  NullLog log;
  Config config = on_a_free_port("0.0.0.0");
  config.access.allow = {"session.*"};
  Server server(config, &log);
  const auto started = server.start();
  ASSERT_TRUE(started.has_value()) << started.error().detail;
  EXPECT_TRUE(started->starts_with("0.0.0.0:")) << *started;
  server.stop();
}

TEST(Server, connections_leave_descriptors_for_the_server_and_for_those_it_refuses) {
  const auto connections_max = [](std::size_t wanted) {
    std::ostringstream out;
    SpdLog log(LogLevel::info, LogFormat::text, out);
    Config config = on_a_free_port();
    config.limits.connections = wanted;
    Server server(config, &log);
    EXPECT_TRUE(server.start().has_value());
    server.stop();
    return number_in(out.str(), "connections_max");
  };
  const std::size_t most = connections_max(0);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const std::size_t descriptors = static_cast<std::size_t>(limit.rlim_cur);  // start() raised it
  EXPECT_GT(most, 0u);
  EXPECT_LT(most + std::min<std::size_t>(256, descriptors / 4), descriptors);
  EXPECT_EQ(connections_max(5), 5u);
  EXPECT_EQ(connections_max(descriptors), most) << "more than there can be";
}

}  // namespace
}  // namespace hubbub
