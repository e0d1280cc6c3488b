// Uses the installed library as an application does: a typed method, a hook, a log of its own, start, post,
// stop.
#include <boost/describe/class.hpp>
#include <cstdint>
#include <cstdio>
#include <future>
#include <mutex>
#include <string>
#include <utility>

#include "hubbub/base/version.h"
#include "hubbub/server/server.h"

namespace {

struct Sum {
  std::int64_t a = 0, b = 0;
};
BOOST_DESCRIBE_STRUCT(Sum, (), (a, b))

// Keeps the events' names.
class EventLog final : public hubbub::Log {
 public:
  void write(hubbub::LogLevel, std::string_view event, std::initializer_list<hubbub::LogField>) override {
    const std::lock_guard lock(mutex_);
    events_ += std::string(event) + '\n';
  }
  [[nodiscard]] bool enabled(hubbub::LogLevel level) const override {
    return level >= hubbub::LogLevel::info;
  }
  [[nodiscard]] bool has(std::string_view event) {
    const std::lock_guard lock(mutex_);
    return events_.find(std::string(event) + '\n') != std::string::npos;
  }

 private:
  std::mutex mutex_;
  std::string events_;
};

int failures = 0;

void check(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", promise);
  ++failures;
}

}  // namespace

int main() {
  EventLog log;
  hubbub::Config config;
  config.listen.port = 0;
  config.drain_period_ms = 10;
  hubbub::Server server(config, &log);
  server.methods()
      .add<Sum, std::int64_t>("sum", [](hubbub::Call&, const Sum& params) { return params.a + params.b; })
      .summary("Adds two integers.");
  server.on_session_end([](hubbub::Hub&, hubbub::Session&) {});
  check(server.methods().find("sum") != nullptr, "an added method is found");
  check(server.methods().find("echo") != nullptr, "the hub's own methods are in");
  check(!server.post([](hubbub::Hub&) {}), "post() is refused before start()");

  const auto address = server.start();
  if (!address) {
    std::fprintf(stderr, "cannot start: %s\n", std::string(address.error().message()).c_str());
    return 1;
  }
  check(address->starts_with("127.0.0.1:") && !address->ends_with(":0"),
        "start() gives the address as bound");
  check(log.has("listening"), "the server speaks to the log it was given");

  std::promise<std::size_t> topics;
  const bool posted = server.post([&](hubbub::Hub& hub) {
    hub.publish("news", std::string("hello"));
    hub.publish("not a topic's name", std::string("hello"));
    topics.set_value(hub.counts().topics);
  });
  check(posted && topics.get_future().get() == 1, "post() runs on the hub");
  check(log.has("publish failed"), "a publication that fails is logged");

  server.stop();
  check(!server.post([](hubbub::Hub&) {}), "post() is refused after stop()");
  if (failures == 0) std::printf("hubbub %s serves its consumer\n", std::string(hubbub::kVersion).c_str());
  return failures == 0 ? 0 : 1;
}
