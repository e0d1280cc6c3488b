#include "hubbub/server/config.h"

#include <gtest/gtest.h>

#include "config_testing.h"

namespace hubbub {
namespace {

using namespace config_testing;

// --- Sources

TEST(ConfigSources, none_gives_the_defaults) {
  const Config config = from_settings({});
  EXPECT_EQ(config.listen.text(), "127.0.0.1:8080");
  EXPECT_EQ(config.drain_period_ms, 10'000);
  EXPECT_EQ(config.limits.message_bytes, 65536u);
  EXPECT_EQ(config.log_level, LogLevel::info);
  EXPECT_FALSE(config.access.configured());
}

TEST(ConfigSources, file_sets_keys_of_every_type) {
  const Config config = from_file(R"(
[server]
listen = "[::1]:9000"
drain_period = "1m"
[limits]
message_bytes = "1MiB"
batch_items = 7
rate_per_s = 2.5
ip_exempt_loopback = false
head_bytes = 4096
[heartbeat]
ping = "54s"
pong = "6s"
[outbox]
flush_delay = 0
[access]
allow = ["session.*", "ping"]
origins = "https://a.example, https://b.example"
[compression]
enabled = true
level = 6
min_bytes = "1KB"
context_takeover = true
[log]
level = "debug"
format = "json"
)");
  EXPECT_EQ(config.listen.text(), "[::1]:9000");
  EXPECT_EQ(config.drain_period_ms, 60'000);
  EXPECT_EQ(config.limits.message_bytes, 1u << 20);
  EXPECT_EQ(config.limits.batch_items, 7u);
  EXPECT_EQ(config.limits.rate_per_s, 2.5);
  EXPECT_FALSE(config.limits.ip_exempt_loopback);
  EXPECT_EQ(config.limits.head_bytes, 4096u);
  EXPECT_EQ(config.limits.ping_interval_ms, 54'000);
  EXPECT_EQ(config.limits.pong_deadline_ms, 6'000);
  EXPECT_EQ(config.access.allow, (Lines{"session.*", "ping"}));
  EXPECT_EQ(config.access.origins, (Lines{"https://a.example", "https://b.example"}));
  EXPECT_EQ(config.compression.level, 6);
  EXPECT_EQ(config.compression.size_min, 1000u);
  EXPECT_TRUE(config.compression.context_takeover);
  EXPECT_EQ(config.log_level, LogLevel::debug);
  EXPECT_EQ(config.log_format, LogFormat::json);
}

TEST(ConfigSources, environment_and_flags_set_keys) {
  const auto config =
      load_config({.file_path = {},
                   .environment = {{"HUBBUB_LIMITS_MESSAGE_BYTES", "2KiB"}, {"PATH", "/bin"}},
                   .settings = {{"cors.origins", "https://a.example,*"}, {"--log-level", "error"}}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->limits.message_bytes, 2048u);
  EXPECT_EQ(config->cors_origins, (Lines{"https://a.example", "*"}));
  EXPECT_EQ(config->log_level, LogLevel::error);
}

TEST(ConfigSources, later_ones_win) {
  const TempFile file("[limits]\nbatch_items = 1\ntopics_per_session = 1\njson_depth = 11\n");
  const auto config = load_config(
      {.file_path = file.path(),
       .environment = {{"HUBBUB_LIMITS_TOPICS_PER_SESSION", "2"}, {"HUBBUB_LIMITS_JSON_DEPTH", "12"}},
       .settings = {{"limits.json_depth", "13"}, {"limits.json_depth", "14"}}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->limits.batch_items, 1u);
  EXPECT_EQ(config->limits.topics_per_session, 2u);
  EXPECT_EQ(config->limits.json_depth, 14u);
}

TEST(ConfigSources, defaults_of_the_caller_yield_to_every_source) {
  EXPECT_EQ(load_config({}, echo_defaults())->limits.message_bytes, std::size_t{64} << 20);
  EXPECT_EQ(load_config({}, echo_defaults())->limits.rate_per_s, 0);
  const ConfigSources sources{
      .file_path = {}, .environment = {}, .settings = {{"limits.message_bytes", "1KiB"}}};
  EXPECT_EQ(load_config(sources, echo_defaults())->limits.message_bytes, 1024u);
}

TEST(ConfigSources, an_empty_list_replaces_a_list) {
  const TempFile file("access.allow = [\"*\"]\n");
  const auto config =
      load_config({.file_path = file.path(), .environment = {}, .settings = {{"access.allow", ""}}});
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->access.configured());
}

TEST(ConfigSources, variables_of_others_are_passed_over) {
  EXPECT_EQ(variable_mistakes({{"HUBBUB_PORT", "tcp://10.0.0.1:80"},
                               {"HUBBUB_PORT_80_TCP_ADDR", "10.0.0.1"},
                               {"HUBBUB_SERVICE_HOST", "10.0.0.1"},
                               {"HUBBUB_BIN", "x"},
                               {"HUBBUB_TEST_ANYTHING", "x"},
                               {"HUBBUBX", "x"}}),
            Lines{});
}

// --- Mistakes

TEST(ConfigMistakes, unknown_keys_name_their_place_and_the_nearest_key) {
  EXPECT_EQ(file_mistakes("\n[limits]\nmesage_bytes = 1\n"),
            Lines{"FILE:3: limits.mesage_bytes: unknown key; did you mean limits.message_bytes?"});
  EXPECT_EQ(file_mistakes("[limit]\nbatch_items = 1\n"),
            Lines{"FILE:2: limit.batch_items: unknown key; did you mean limits.batch_items?"});
  EXPECT_EQ(file_mistakes("grace = '1s'\n"),
            Lines{"FILE:1: grace: unknown key; did you mean session.grace?"});
  EXPECT_EQ(set_mistakes({{"limits.ping", "1s"}}),
            Lines{"--set limits.ping=1s: unknown key; did you mean heartbeat.ping?"});
  EXPECT_EQ(set_mistakes({{"nothing.like.it", "1"}}),
            Lines{"--set nothing.like.it=1: unknown key; `hubbub keys` lists all"});
  EXPECT_EQ(variable_mistakes({{"HUBBUB_LIMITS_MESAGE_BYTES", "1"}}),
            Lines{"HUBBUB_LIMITS_MESAGE_BYTES: unknown variable; did you mean HUBBUB_LIMITS_MESSAGE_BYTES?"});
}

TEST(ConfigMistakes, values_out_of_range_name_the_range) {
  EXPECT_EQ(set_mistakes({{"limits.batch_items", "0"}}),
            Lines{"--set limits.batch_items=0: must be 1..10000"});
  EXPECT_EQ(set_mistakes({{"limits.batch_items", "10001"}}),
            Lines{"--set limits.batch_items=10001: must be 1..10000"});
  EXPECT_EQ(set_mistakes({{"limits.batch_items", "10000"}}), Lines{});
  EXPECT_EQ(set_mistakes({{"limits.message_bytes", "2GiB"}}),
            Lines{"--set limits.message_bytes=2GiB: must be 128..1GiB"});
  EXPECT_EQ(set_mistakes({{"heartbeat.ping", "5ms"}}),
            Lines{"--set heartbeat.ping=5ms: must be 10ms..24h, or 0 (off)"});
  EXPECT_EQ(set_mistakes({{"heartbeat.ping", "0"}}), Lines{});
  EXPECT_EQ(file_mistakes("limits.batch_items = 0\n"),
            Lines{"FILE:1: limits.batch_items: 0: must be 1..10000"});
}

TEST(ConfigMistakes, choices_name_what_there_is) {
  EXPECT_EQ(variable_mistakes({{"HUBBUB_LOG_LEVEL", "verbose"}}),
            Lines{"HUBBUB_LOG_LEVEL: \"verbose\": must be one of debug, info, warn, error"});
  EXPECT_EQ(set_mistakes({{"--log-format", "xml"}}), Lines{"--log-format xml: must be one of text, json"});
}

TEST(ConfigMistakes, units_are_required_of_durations) {
  const std::string rule = "must be a duration with its unit, such as 500ms, 25s, 2m or 1h (1ms..1h)";
  for (const char* bad :
       {"5", "5 s", "s", "5sec", "-5s", "1.5s", "99999999999999999999s", "9223372036854775807h", ""})
    EXPECT_EQ(set_mistakes({{"limits.open_deadline", bad}}),
              Lines{"--set limits.open_deadline=" + std::string(bad) + ": " + rule});
  EXPECT_EQ(file_mistakes("limits.open_deadline = 5\n"), Lines{"FILE:1: limits.open_deadline: 5: " + rule});
}

TEST(ConfigMistakes, toml_types_must_fit) {
  EXPECT_EQ(
      file_mistakes("[limits]\nbatch_items = \"5\"\nrate_per_s = true\nip_exempt_loopback = "
                    "\"true\"\nhead_bytes = 1.5\n"
                    "[log]\nlevel = 3\n[access]\nallow = [1, 2]\n[server]\nlisten = ['a']\n[heartbeat]\nping "
                    "= 1979-05-27\n"),
      (Lines{
          "FILE:2: limits.batch_items: \"5\": must be an integer without quotes; found a string",
          "FILE:3: limits.rate_per_s: true: must be a number without quotes; found a boolean",
          "FILE:4: limits.ip_exempt_loopback: \"true\": must be true or false without quotes; found a string",
          "FILE:5: limits.head_bytes: 1.5: must be a size in quotes, such as \"64KiB\", or an integer; found "
          "a "
          "number with a fraction",
          "FILE:7: log.level: 3: must be a string in quotes; found an integer",
          "FILE:9: access.allow: [ 1, 2 ]: must be an array of strings, such as [\"a\", \"b\"]; found "
          "another type",
          "FILE:11: server.listen: [ 'a' ]: must be a string in quotes; found an array",
          "FILE:13: heartbeat.ping: 1979-05-27: must be a duration in quotes, such as \"25s\"; found another "
          "type"}));
}

TEST(ConfigMistakes, toml_syntax_names_the_line) {
  const Lines mistakes = file_mistakes("[limits]\nbatch_items = = 1\n");
  ASSERT_EQ(mistakes.size(), 1u);
  EXPECT_TRUE(mistakes[0].starts_with("FILE:2: not valid TOML: ")) << mistakes[0];
}

TEST(ConfigMistakes, keys_given_twice_are_told) {
  const Lines repeated = file_mistakes("[limits]\nbatch_items = 1\nbatch_items = 2\n");
  ASSERT_EQ(repeated.size(), 1u);
  EXPECT_TRUE(repeated[0].starts_with("FILE:3: not valid TOML: ")) << repeated[0];
  // Two TOML keys, one key of ours.
  EXPECT_EQ(file_mistakes("\"limits.batch_items\" = 1\n[limits]\nbatch_items = 2\n"),
            Lines{"FILE:3: limits.batch_items: given twice; first on line 1"});
}

TEST(ConfigMistakes, unreadable_files_are_told) {
  const auto result =
      load_config({.file_path = "/nonexistent/hubbub.toml", .environment = {}, .settings = {}});
  EXPECT_EQ(lines(result), Lines{"/nonexistent/hubbub.toml: cannot be read: No such file or directory"});
  const auto directory = load_config({.file_path = "/", .environment = {}, .settings = {}});
  EXPECT_EQ(lines(directory), Lines{"/: cannot be read: Is a directory"});
}

TEST(ConfigMistakes, sections_nobody_knows_are_told_even_when_empty) {
  EXPECT_EQ(file_mistakes("[limits]\n[nonsense]\n"), Lines{"FILE:2: nonsense: unknown section"});
}

TEST(ConfigMistakes, come_all_at_once_in_the_order_of_the_sources) {
  const TempFile file("[limits]\nbatch_items = 0\nmesage_bytes = 1\n[log]\nlevel = \"loud\"\n");
  const auto result = load_config(
      {.file_path = file.path(),
       .environment = {{"HUBBUB_LOG_FORMAT", "xml"}, {"HUBBUB_NONSENSE", "1"}},
       .settings = {
           {"limits.json_depth", "many"}, {"server.shards", "4000"}, {"outbox.soft_bytes", "2MiB"}}});
  EXPECT_EQ(lines(result, file.path()),
            (Lines{"FILE:2: limits.batch_items: 0: must be 1..10000",
                   "FILE:3: limits.mesage_bytes: unknown key; did you mean limits.message_bytes?",
                   "FILE:5: log.level: \"loud\": must be one of debug, info, warn, error",
                   "HUBBUB_LOG_FORMAT: \"xml\": must be one of text, json",
                   "HUBBUB_NONSENSE: unknown variable; `hubbub keys` lists all",
                   "--set limits.json_depth=many: must be a whole number (4..1024)",
                   "--set server.shards=4000: must be a whole number from 0 to 1024",
                   "--set outbox.soft_bytes=2MiB: outbox.soft_bytes must not be above outbox.hard_bytes; "
                   "outbox.soft_bytes is 2MiB, outbox.hard_bytes is 1MiB: change one of them"}));
}

TEST(ConfigMistakes, rules_between_keys_name_the_place_that_was_set) {
  EXPECT_EQ(file_mistakes("outbox.hard_bytes = \"128KiB\"\n"),
            Lines{"FILE:1: outbox.soft_bytes: outbox.soft_bytes must not be above outbox.hard_bytes; "
                  "outbox.soft_bytes is "
                  "256KiB, outbox.hard_bytes is 128KiB: change one of them"});
  EXPECT_EQ(variable_mistakes({{"HUBBUB_LIMITS_RATE_BURST", "0"}}),
            Lines{"HUBBUB_LIMITS_RATE_BURST: limits.rate_burst must be at least 1 while limits.rate_per_s is "
                  "on (0 turns it "
                  "off); limits.rate_burst is 0, limits.rate_per_s is 100: change one of them"});
  EXPECT_EQ(set_mistakes({{"limits.rate_burst", "0"}, {"limits.rate_per_s", "0"}}), Lines{});
}

TEST(ConfigMistakes, control_characters_in_values_are_shown_escaped) {
  EXPECT_EQ(variable_mistakes({{"HUBBUB_LOG_LEVEL", "a\x1b[2J\n"}}),
            Lines{"HUBBUB_LOG_LEVEL: \"a\\x1b[2J\\x0a\": must be one of debug, info, warn, error"});
  EXPECT_EQ(set_mistakes({{"--log-level", "a\nb"}}),
            Lines{"--log-level a\\x0ab: must be one of debug, info, warn, error"});
}

TEST(ConfigMistakes, lists_name_the_item_that_is_wrong) {
  EXPECT_EQ(set_mistakes({{"access.allow", "ping,a*b"}}),
            Lines{"--set access.allow=ping,a*b: \"a*b\" must be a method name, or the beginning of one with "
                  "* at the end; outside TOML a list is written a,b"});
  EXPECT_EQ(set_mistakes({{"access.allow", R"(["ping"])"}}).size(), 1u) << "a TOML list is no method's name";
  const Lines origin = file_mistakes("access.origins = [\"https://app.example.com/\"]\n");
  ASSERT_EQ(origin.size(), 1u);
  EXPECT_NE(origin[0].find("\"https://app.example.com/\" must be an origin such as"), std::string::npos)
      << origin[0];
}

TEST(ConfigMistakes, a_trusted_proxy_must_be_an_address_or_a_network) {
  EXPECT_EQ(file_mistakes("[proxy]\ntrusted = [\"10.0.0.0/8\", \"::1\"]\nheader = \"forwarded\"\n"), Lines{});
  for (const std::string bad : {"10.0.0.1/8", "proxy.example.com", "*", "10.0.0.1:80"}) {
    const Lines lines = set_mistakes({{"proxy.trusted", bad}});
    ASSERT_EQ(lines.size(), 1u) << bad;
    EXPECT_NE(lines[0].find("such as 10.0.0.0/8"), std::string::npos) << lines[0];
  }
}

TEST(ConfigMistakes, features_that_are_not_there_yet_take_only_off) {
  EXPECT_EQ(set_mistakes({{"proxy.protocol", "v2"}}),
            Lines{"--set proxy.protocol=v2: not available in this version: remove it"});
  EXPECT_EQ(
      file_mistakes("[tls]\ncert = \"a.pem\"\n[proxy]\nprotocol = \"v1\"\n[memory]\nbudget = 5\n").size(),
      3u);
  EXPECT_EQ(file_mistakes("[tls]\ncert = \"\"\nkey = \"\"\n[proxy]\nprotocol = \"off\"\n"
                          "[memory]\nbudget = 0\n"),
            Lines{});
}

}  // namespace
}  // namespace hubbub
