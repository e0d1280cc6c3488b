#include "hubbub/load/report.h"

#include <gtest/gtest.h>

#include "hubbub/load/dialect.h"

namespace hubbub::load {
namespace {

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

Report sample() {
  Report report;
  report.window.messages = 200;
  report.window.seconds = 2;
  report.window.latency.record(5000);
  return report;
}

TEST(Report, says_null_where_no_process_was_named) {
  const std::string json = report_json(Options{}, sample());
  EXPECT_TRUE(holds(json, R"("messages_per_s":100,"server":{"cpu_us_per_message":null,"cpu_share":null,)"));
  EXPECT_TRUE(holds(json, R"("rss_bytes":null)"));
  EXPECT_TRUE(holds(json, R"("errors":0,"error":null)"));
  EXPECT_TRUE(holds(json, R"("p50":5.00)"));
  EXPECT_TRUE(json.ends_with("}\n"));
}

TEST(Report, escapes_what_servers_say) {
  EXPECT_EQ(failure_json({.url_text = "ws://x"}, "got \"a\\b\"\n\x01"),
            "{\"mode\":\"echo\",\"url\":\"ws://x\",\"error\":\"got \\\"a\\\\b\\\"\\u000a\\u0001\"}\n");
}

TEST(Report, tells_memory_a_connection_also_if_it_shrank) {
  Options options{.connections = 10};
  options.pids = {1};
  Report report = sample();
  report.rss_before = 2000;
  report.rss_open = 1000;
  EXPECT_TRUE(holds(report_json(options, report), R"("rss_per_connection":-100)"));
}

TEST(Window, the_generator_is_the_bottleneck_if_it_alone_has_no_time_left) {
  Window window;
  window.own_share = 0.99;
  window.server_share = 0.5;
  EXPECT_TRUE(window.generator_bound());
  window.server_share = 0.99;
  EXPECT_FALSE(window.generator_bound());
  window.server_share.reset();
  EXPECT_TRUE(window.generator_bound());
  window.own_share = 0.5;
  EXPECT_FALSE(window.generator_bound());
  window.wait_share = 0.48;  // it wanted a core and got none
  EXPECT_TRUE(window.generator_bound());
}

TEST(Options, defaults_depend_on_the_mode) {
  EXPECT_EQ(complete({.mode = Mode::echo})->connections, 100U);
  EXPECT_EQ(complete({.mode = Mode::fan_out})->connections, 1000U);
  EXPECT_EQ(complete({.mode = Mode::connect})->in_flight, 64U);
  EXPECT_EQ(complete({.mode = Mode::resume})->upgrade.subprotocol, "hubbub.v1");
  EXPECT_EQ(complete({.mode = Mode::echo})->stalled, 0U);
}

TEST(Options, that_do_not_go_together_are_named) {
  const auto refused = [](const Options& options) {
    return complete(options) ? "" : complete(options).error();
  };
  EXPECT_TRUE(holds(refused({.url_text = "http://x"}), "--url http://x"));
  EXPECT_TRUE(holds(refused({.mode = Mode::resume, .dialect = Dialect::raw}), "resume"));
  EXPECT_TRUE(holds(refused({.dialect = Dialect::raw, .ack_every = 1}), "--ack-every"));
  EXPECT_TRUE(holds(refused({.mode = Mode::echo, .call = true}), "--call"));
  EXPECT_TRUE(holds(refused({.mode = Mode::echo, .close = true}), "--close"));
  EXPECT_TRUE(holds(refused({.mode = Mode::idle, .rate = 5}), "--rate"));
  EXPECT_TRUE(holds(refused({.mode = Mode::fan_out, .stream = true, .publishers = 2}), "--stream"));
}

TEST(Dialect, messages_of_a_run_have_one_length) {
  for (const Dialect dialect : {Dialect::hubbub, Dialect::raw}) {
    const Options options{.dialect = dialect};
    for (const MessageTemplate& message : {echo_message(options), publication(options)}) {
      EXPECT_TRUE(message.has_number());
      EXPECT_EQ(message.text({.number = 0}).size(), message.text({.number = 89'999'999}).size());
    }
  }
}

TEST(Dialect, raw_echo_is_as_long_as_hubbubs_call) {
  EXPECT_EQ(echo_message({.dialect = Dialect::raw}).text({}).size(), echo_message({}).text({}).size());
}

}  // namespace
}  // namespace hubbub::load
