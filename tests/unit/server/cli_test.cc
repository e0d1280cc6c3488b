#include "hubbub/server/cli.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace hubbub {
namespace {

using Command = CommandLine::Command;
using Arguments = std::vector<std::string>;
using Settings = std::vector<std::pair<std::string, std::string>>;

CommandLine parsed(const Arguments& arguments) {
  auto result = parse_command_line(arguments);
  EXPECT_TRUE(result) << result.error().err;
  return result.value_or(CommandLine{});
}

ProgramResult ended(const Arguments& arguments) {
  auto result = parse_command_line(arguments);
  EXPECT_FALSE(result);
  return result ? ProgramResult{} : result.error();
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST(CommandLine, serve_alone_changes_nothing) {
  const CommandLine line = parsed({"serve"});
  EXPECT_EQ(line.command, Command::serve);
  EXPECT_FALSE(line.echo);
  EXPECT_FALSE(line.sources.file_path);
  EXPECT_TRUE(line.sources.settings.empty());
}

TEST(CommandLine, serve_takes_all_its_flags) {
  const CommandLine line =
      parsed({"serve", "--log-format", "json", "--listen", "127.0.0.1:0", "--config", "a.toml", "--set",
              "limits.batch_items=3", "--log-level=debug", "--set", "access.allow=a,b=c", "--echo"});
  EXPECT_TRUE(line.echo);
  EXPECT_EQ(line.sources.file_path, "a.toml");
  EXPECT_EQ(line.sources.settings, (Settings{{"limits.batch_items", "3"},
                                             {"access.allow", "a,b=c"},
                                             {"--listen", "127.0.0.1:0"},
                                             {"--log-level", "debug"},
                                             {"--log-format", "json"}}));
}

TEST(CommandLine, set_takes_one_value_and_values_may_be_empty_or_in_brackets) {
  EXPECT_EQ(parsed({"serve", "--set", "access.allow="}).sources.settings, (Settings{{"access.allow", ""}}));
  EXPECT_EQ(parsed({"serve", "--set=server.listen=[::1]:8080"}).sources.settings,
            (Settings{{"server.listen", "[::1]:8080"}}));
  EXPECT_EQ(parsed({"serve", "--listen", "[::1]:8080"}).sources.settings,
            (Settings{{"--listen", "[::1]:8080"}}));
  EXPECT_EQ(ended({"serve", "--set", "a=1", "b=2"}).code, ExitCode::usage);
}

TEST(CommandLine, a_flag_of_its_own_wins_over_set) {
  const CommandLine line = parsed({"serve", "--listen", "127.0.0.1:1", "--set", "server.listen=127.0.0.1:2"});
  EXPECT_EQ(serve_config(line)->listen.text(), "127.0.0.1:1");
}

TEST(CommandLine, keeps_the_environment_it_is_given) {
  const auto line = parse_command_line({"serve"}, {{"HUBBUB_LOG_LEVEL", "warn"}});
  ASSERT_TRUE(line);
  EXPECT_EQ(serve_config(*line)->log_level, LogLevel::warn);
}

TEST(CommandLine, other_commands_are_understood) {
  EXPECT_EQ(parsed({"check-config", "a.toml"}).command, Command::check_config);
  EXPECT_EQ(parsed({"check-config", "a.toml"}).sources.file_path, "a.toml");
  EXPECT_EQ(parsed({"check-config", "--set", "log.level=warn", "a.toml", "--print"}).sources.settings.size(),
            1u);
  EXPECT_EQ(parsed({"keys"}).command, Command::keys);
  EXPECT_TRUE(parsed({"keys", "--markdown"}).markdown);
  EXPECT_EQ(parsed({"version"}).command, Command::version);
}

TEST(CommandLine, help_teaches_and_names_each_command) {
  const ProgramResult help = ended({"--help"});
  EXPECT_EQ(help.code, ExitCode::ok);
  EXPECT_EQ(help.err, "");
  for (const char* part : {"serve", "check-config", "keys", "version", "hubbub serve --listen", "HUBBUB_",
                           "Exit codes:", "78", "69", "SIGTERM", "docs/configuration.md"})
    EXPECT_TRUE(contains(help.out, part)) << part;
}

TEST(CommandLine, help_of_a_command_is_about_that_command) {
  for (const auto& arguments : {Arguments{"serve", "--help"}, Arguments{"serve", "-h"}}) {
    const ProgramResult help = ended(arguments);
    EXPECT_EQ(help.code, ExitCode::ok);
    for (const char* part : {"--listen", "HOST:PORT", "--config", "--set", "KEY=VALUE", "--log-level",
                             "--log-format", "--echo", "Conformance tool", "/ws"})
      EXPECT_TRUE(contains(help.out, part)) << part;
  }
}

TEST(CommandLine, without_a_command_shows_the_help_and_fails) {
  const ProgramResult none = ended({});
  EXPECT_EQ(none.code, ExitCode::usage);
  EXPECT_EQ(none.out, "");
  EXPECT_TRUE(contains(none.err, "check-config"));
}

TEST(CommandLine, tells_its_version) {
  const ProgramResult version = ended({"--version"});
  EXPECT_EQ(version.code, ExitCode::ok);
  EXPECT_EQ(version.out, std::string(version_text()) + "\n");
  EXPECT_TRUE(version_text().starts_with("hubbub "));
  EXPECT_EQ(run_offline(parsed({"version"})).out, version.out);
}

TEST(CommandLine, mistakes_of_usage_exit_2_and_point_to_the_help) {
  for (const Arguments& bad : {Arguments{"--nonsense"},
                               {"nonsense"},
                               {"serve", "--nonsense"},
                               {"serve", "extra"},
                               {"serve", "--listen"},
                               {"serve", "--set"},
                               {"serve", "--set", "novalue"},
                               {"serve", "--set", "=1"},
                               {"check-config"},
                               {"serve", "keys"}}) {
    const ProgramResult result = ended(bad);
    EXPECT_EQ(result.code, ExitCode::usage) << bad.back();
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(result.err.starts_with("hubbub: ")) << result.err;
    EXPECT_TRUE(contains(result.err, "hubbub --help")) << result.err;
  }
}

TEST(HubbubEnvironment, takes_the_variables_with_our_prefix) {
  const char* block[] = {"PATH=/bin",      "HUBBUB_LOG_LEVEL=warn", "HUBBUB_ACCESS_ALLOW=a=b",
                         "HUBBUB_NOTHING", "XHUBBUB_A=1",           nullptr};
  EXPECT_EQ(hubbub_environment(block),
            (Environment{{"HUBBUB_LOG_LEVEL", "warn"}, {"HUBBUB_ACCESS_ALLOW", "a=b"}}));
  EXPECT_TRUE(hubbub_environment(nullptr).empty());
}

class CheckConfig : public ::testing::Test {
 protected:
  void SetUp() override { path_ = ::testing::TempDir() + "hubbub_cli_" + std::to_string(getpid()) + ".toml"; }
  void TearDown() override { std::remove(path_.c_str()); }
  ProgramResult check(std::string_view text, Arguments more = {}) {
    std::ofstream(path_, std::ios::binary) << text;
    more.insert(more.begin(), {"check-config", path_});
    return run_offline(parsed(more));
  }
  std::string path_;
};

TEST_F(CheckConfig, says_that_a_good_file_is_valid) {
  const ProgramResult good = check("[log]\nlevel = \"warn\"\n");
  EXPECT_EQ(good.code, ExitCode::ok);
  EXPECT_EQ(good.out, path_ + ": configuration is valid\n");
  EXPECT_EQ(good.err, "");
}

TEST_F(CheckConfig, reports_every_mistake_of_a_bad_one) {
  const ProgramResult bad =
      check("[log]\nlevel = \"loud\"\n[limits]\nbatch_items = 0\n", {"--set", "log.format=xml"});
  EXPECT_EQ(bad.code, ExitCode::configuration);
  EXPECT_EQ(bad.out, "");
  EXPECT_EQ(bad.err, path_ + ":2: log.level: \"loud\": must be one of debug, info, warn, error\n" + path_ +
                         ":4: limits.batch_items: 0: must be 1..10000\n"
                         "--set log.format=xml: must be one of text, json\n"
                         "hubbub: 3 mistakes in the configuration\n");
}

TEST_F(CheckConfig, prints_what_results) {
  const ProgramResult good = check("[log]\nlevel = \"warn\"\n", {"--print"});
  EXPECT_TRUE(contains(good.out, "[log]\nlevel = \"warn\"\n")) << good.out;
}

TEST(Keys, lists_the_reference_in_both_forms) {
  EXPECT_EQ(run_offline(parsed({"keys"})).out, config_reference_text());
  EXPECT_EQ(run_offline(parsed({"keys", "--markdown"})).out, config_reference_markdown());
}

TEST(ServeConfig, gives_the_echo_tool_its_own_defaults) {
  EXPECT_EQ(serve_config(parsed({"serve", "--echo"}))->limits.message_bytes, std::size_t{64} << 20);
  EXPECT_EQ(
      serve_config(parsed({"serve", "--echo", "--set", "limits.message_bytes=1KiB"}))->limits.message_bytes,
      1024u);
  EXPECT_EQ(serve_config(parsed({"serve"}))->limits.message_bytes, std::size_t{64} << 10);
}

TEST(ServeConfig, fails_with_the_exit_code_of_configuration) {
  const auto bad = serve_config(parsed({"serve", "--listen", "0.0.0.0:80"}));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ExitCode::configuration);
  EXPECT_TRUE(contains(bad.error().err, "access.allow"));
  EXPECT_TRUE(contains(bad.error().err, "hubbub: 1 mistake in the configuration\n"));
}

}  // namespace
}  // namespace hubbub
