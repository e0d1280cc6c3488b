// Values, protected mode, and the table of keys with what is made of it.
#include "hubbub/server/config_keys.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "config_testing.h"

namespace hubbub {
namespace {

using namespace config_testing;
using conf::config_keys;
using conf::ConfigKey;

// --- Values

TEST(ConfigValues, durations_and_sizes_take_units) {
  for (const auto& [text, ms] : std::initializer_list<std::pair<const char*, Millis>>{
           {"500ms", 500}, {"25s", 25'000}, {"2m", 120'000}, {"1h", 3'600'000}, {"90s", 90'000}})
    EXPECT_EQ(from_settings({{"limits.open_deadline", text}}).limits.open_deadline_ms, ms) << text;
  for (const auto& [text, bytes] :
       std::initializer_list<std::pair<const char*, std::size_t>>{{"1000", 1000},
                                                                  {"1000B", 1000},
                                                                  {"64KiB", 65536},
                                                                  {"64kib", 65536},
                                                                  {"64KB", 64000},
                                                                  {"16MiB", 16777216},
                                                                  {"16MB", 16000000},
                                                                  {"1GiB", 1073741824},
                                                                  {"1GB", 1000000000}})
    EXPECT_EQ(from_settings({{"limits.message_bytes", text}}).limits.message_bytes, bytes) << text;
  for (const char* bad : {"64K", "64 KiB", "KiB", "-1", "1.5MiB", "99999999999GiB", "0x400", ""})
    EXPECT_EQ(set_mistakes({{"limits.message_bytes", bad}}).size(), 1u) << bad;
}

TEST(ConfigValues, rates_take_fractions_and_no_tricks) {
  EXPECT_EQ(from_settings({{"limits.rate_per_s", "0.5"}}).limits.rate_per_s, 0.5);
  for (const char* bad : {"nan", "inf", "-1", "-0", "1e3", "1,5", "", "5/s", "0x1"})
    EXPECT_EQ(set_mistakes({{"limits.rate_per_s", bad}}).size(), 1u) << bad;
}

TEST(ConfigValues, flags_are_true_or_false) {
  EXPECT_FALSE(from_settings({{"compression.enabled", "false"}}).compression.enabled);
  EXPECT_EQ(set_mistakes({{"compression.enabled", "yes"}}),
            Lines{"--set compression.enabled=yes: must be true or false"});
}

TEST(ConfigValues, addresses_are_ip_addresses_with_ports) {
  for (const auto& [text, canonical] :
       std::initializer_list<std::pair<const char*, const char*>>{{"127.0.0.1:0", "127.0.0.1:0"},
                                                                  {"localhost:8080", "127.0.0.1:8080"},
                                                                  {"[::1]:65535", "[::1]:65535"},
                                                                  {"[0:0::1]:80", "[::1]:80"},
                                                                  {"0.0.0.0:80", "0.0.0.0:80"},
                                                                  {"[::]:80", "[::]:80"}}) {
    const auto address = parse_listen_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), canonical);
  }
  for (const char* bad :
       {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80", "[::1]",
        "[::1", "example.com:80", "127.0.0.1:8o", "[127.0.0.1]:80", "1.2.3:80", "[:80"})
    EXPECT_FALSE(parse_listen_address(bad)) << bad;
}

// --- Protected mode

TEST(ProtectedMode, takes_loopback_addresses_without_rules) {
  for (const char* address : {"127.0.0.1:80", "127.1.2.3:80", "[::1]:80", "localhost:80"})
    EXPECT_EQ(set_mistakes({{"--listen", address}}), Lines{}) << address;
}

TEST(ProtectedMode, refuses_every_other_address_and_says_what_to_set) {
  for (const char* address :
       {"0.0.0.0:80", "[::]:80", "192.168.1.1:80", "[2001:db8::1]:80", "128.0.0.1:80"}) {
    const Lines mistakes = set_mistakes({{"--listen", address}});
    ASSERT_EQ(mistakes.size(), 1u) << address;
    EXPECT_TRUE(mistakes[0].starts_with("--listen " + std::string(address) + ": protected mode: "))
        << mistakes[0];
    for (const char* next : {"access.allow = [\"session.*\"", "access.origins = ", "127.0.0.1:80"})
      EXPECT_NE(mistakes[0].find(next), std::string::npos) << mistakes[0];
  }
}

TEST(ProtectedMode, ends_with_access_rules) {
  EXPECT_EQ(set_mistakes({{"--listen", "0.0.0.0:80"}, {"access.allow", "ping"}}), Lines{});
}

TEST(ProtectedMode, is_not_left_by_origins_or_an_empty_list) {
  EXPECT_EQ(set_mistakes({{"--listen", "0.0.0.0:80"}, {"access.origins", "*"}}).size(), 1u);
  EXPECT_EQ(set_mistakes({{"--listen", "0.0.0.0:80"}, {"access.allow", " , "}}).size(), 1u);
}

// --- The table

TEST(ConfigKeys, are_unique_by_name_variable_and_flag) {
  std::set<std::string> names;
  std::set<std::string> variables;
  for (const ConfigKey& key : config_keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_TRUE(variables.insert(key.variable()).second) << key.variable();
    EXPECT_FALSE(key.help.empty()) << key.name;
    EXPECT_FALSE(key.values.empty()) << key.name;
  }
}

TEST(ConfigKeys, read_their_own_defaults_back) {
  for (const ConfigKey& key : config_keys()) {
    Config config;
    const std::string text = key.get(config);
    EXPECT_TRUE(key.apply(config, {conf::RawValue::Shape::text, text, {}})) << key.name << "=" << text;
    EXPECT_EQ(key.get(config), text) << key.name;
  }
}

TEST(ConfigKeys, show_the_defaults_that_the_table_of_limits_tells) {
  for (const LimitInfo& info : limit_table()) {
    const ConfigKey* key = conf::find_key(info.key);
    ASSERT_NE(key, nullptr) << info.key;
    EXPECT_EQ(key->get(Config{}), info.default_text) << info.key;
  }
}

TEST(ConfigKeys, include_every_promised_one) {
  for (const char* name : {"server.listen",
                           "server.shards",
                           "server.drain_period",
                           "limits.message_bytes",
                           "limits.rate_per_s",
                           "limits.rate_burst",
                           "limits.ip_connections",
                           "limits.ip_connects_per_s",
                           "limits.connections",
                           "session.grace",
                           "replay.messages",
                           "replay.bytes",
                           "replay.age",
                           "history.messages",
                           "history.bytes",
                           "history.age",
                           "presence.interval",
                           "presence.members",
                           "presence.list",
                           "outbox.soft_bytes",
                           "outbox.hard_bytes",
                           "outbox.flush_delay",
                           "heartbeat.ping",
                           "heartbeat.pong",
                           "access.origins",
                           "access.allow",
                           "proxy.protocol",
                           "proxy.trusted",
                           "proxy.header",
                           "tls.cert",
                           "tls.key",
                           "memory.budget",
                           "log.level",
                           "log.format"})
    EXPECT_NE(conf::find_key(name), nullptr) << name;
}

TEST(DescribeConfig, is_read_back_to_the_same) {
  const Config config = from_settings({{"access.allow", "session.*,ping"},
                                       {"server.listen", "[::]:0"},
                                       {"limits.rate_per_s", "0.25"},
                                       {"limits.message_bytes", "1MiB"},
                                       {"heartbeat.ping", "0"},
                                       {"compression.enabled", "false"},
                                       {"log.format", "json"},
                                       {"cors.origins", "*"}});
  const std::string text = describe_config(config);
  EXPECT_EQ(describe_config(from_file(text)), text);
  EXPECT_NE(text.find("[limits]\n"), std::string::npos);
  EXPECT_NE(text.find("message_bytes = \"1MiB\"\n"), std::string::npos);
  EXPECT_NE(text.find("allow = [\"session.*\", \"ping\"]\n"), std::string::npos);
}

TEST(ConfigReference, names_every_key) {
  const std::string markdown = config_reference_markdown();
  const std::string text = config_reference_text();
  for (const ConfigKey& key : config_keys()) {
    EXPECT_NE(markdown.find("| `" + key.name + "` |"), std::string::npos) << key.name;
    EXPECT_NE(text.find("\n" + key.name + " = "), std::string::npos) << key.name;
  }
}

TEST(ConfigReference, is_the_committed_document) {
  const auto path = std::filesystem::path(HUBBUB_SOURCE_DIR) / "docs/configuration.md";
  std::ostringstream committed;
  committed << std::ifstream(path).rdbuf();
  EXPECT_EQ(committed.str(), config_reference_markdown())
      << "run: hubbub keys --markdown > docs/configuration.md";
}

}  // namespace
}  // namespace hubbub
