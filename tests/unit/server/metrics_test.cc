#include "hubbub/server/metrics.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <sstream>

#include "hubbub/base/version.h"
#include "tests/unit/server/server_world.h"

namespace hubbub::sim {
namespace {

// The value of one sample: name with labels as written.
std::optional<double> sample(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name + ' ')) return std::stod(line.substr(name.size() + 1));
  return std::nullopt;
}

TEST(Metrics, count_what_happened) {
  World world({}, routes());
  SimClient reader(world);
  SimClient writer(world);
  reader.open();
  writer.open();
  reader.ask(1, "topic.subscribe", R"({"topic":"t"})");
  writer.ask(2, "topic.publish", R"({"topic":"t","data":1})");
  writer.ask(3, "no.such.method");
  reader.sync();
  const std::string text = render_metrics(world.shard->node());
  EXPECT_EQ(sample(text, "hubbub_connections"), 2);
  EXPECT_EQ(sample(text, "hubbub_connections_accepted_total"), 2);
  EXPECT_EQ(sample(text, "hubbub_handshakes_total"), 2);
  EXPECT_EQ(sample(text, "hubbub_sessions{state=\"attached\"}"), 2);
  EXPECT_EQ(sample(text, "hubbub_sessions{state=\"detached\"}"), 0);
  EXPECT_EQ(sample(text, "hubbub_topics"), 1);
  EXPECT_EQ(sample(text, "hubbub_subscriptions"), 1);
  EXPECT_EQ(sample(text, "hubbub_messages_received_total"), 3);
  EXPECT_EQ(sample(text, "hubbub_messages_sent_total"), 4);
  EXPECT_EQ(sample(text, "hubbub_publishes_total"), 1);
  EXPECT_EQ(sample(text, "hubbub_deliveries_total"), 1);
  EXPECT_EQ(sample(text, "hubbub_errors_total{error=\"method_not_found\"}"), 1);
  EXPECT_EQ(sample(text, "hubbub_received_bytes_total"), static_cast<double>(world.stats().bytes_in));
  EXPECT_EQ(sample(text, "hubbub_sent_bytes_total"),
            static_cast<double>(reader.received() + writer.received()));
  EXPECT_EQ(sample(text, "hubbub_draining"), 0);
  EXPECT_GT(sample(text, "hubbub_resident_bytes").value_or(0), 1e6);
  EXPECT_EQ(sample(text, "hubbub_build_info{version=\"" + std::string(kVersion) + "\"}"), 1);
}

TEST(Metrics, closes_are_counted_by_code_and_a_peer_cannot_invent_labels) {
  World world({}, routes());
  for (std::uint16_t code = 3000; code < 3200; ++code) {
    SimClient client(world);
    client.open();
    client.close(code);
    client.sync();
    client.end();
    world.settle();
  }
  SimClient good(world);
  good.open();
  good.close(1000);
  good.sync();
  const std::string text = render_metrics(world.shard->node());
  EXPECT_EQ(sample(text, "hubbub_closes_total{code=\"0\"}"), 200);
  EXPECT_EQ(sample(text, "hubbub_closes_total{code=\"1000\"}"), 1);
  EXPECT_EQ(world.stats().closes.size(), 2U);
}

TEST(Metrics, every_limit_has_its_counter_from_the_start) {
  World world({}, routes());
  const std::string text = render_metrics(world.shard->node());
  for (const LimitInfo& limit : limit_table()) {
    if (limit.metric.empty()) continue;
    EXPECT_EQ(sample(text, "hubbub_limit_hits_total{limit=\"" + std::string(limit.metric) + "\"}"), 0)
        << limit.key;
  }
}

TEST(Metrics, follow_the_text_format) {
  World world({}, routes());
  std::istringstream lines(render_metrics(world.shard->node()));
  std::set<std::string> families;
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(families.insert(family).second) << family << " stands twice";
      EXPECT_TRUE(family.starts_with("hubbub_"));
      EXPECT_GT(line.size(), 7 + family.size() + 5) << family << " has no help";
    } else if (line.starts_with("# TYPE ")) {
      const bool counter = line.ends_with(" counter");
      EXPECT_EQ(counter, family.ends_with("_total")) << line;
    } else if (!line.empty()) {
      EXPECT_TRUE(line.starts_with(family)) << line;
    }
  }
}

}  // namespace
}  // namespace hubbub::sim
