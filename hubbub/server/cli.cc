#include "hubbub/server/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "hubbub/base/version.h"
#include "hubbub/server/bench_command.h"

namespace hubbub {
namespace {

using Command = CommandLine::Command;

constexpr const char* kAbout =
    "hubbub: a WebSocket hub with sessions, JSON-RPC 2.0 and topics.\n\n"
    "Start here:\n"
    "  hubbub serve                               on 127.0.0.1:8080, then open http://127.0.0.1:8080/\n"
    "  hubbub serve --listen 127.0.0.1:9000 --set limits.message_bytes=1MiB\n"
    "  hubbub bench echo                          load on that server: rate, latencies, CPU\n"
    "  hubbub check-config hubbub.toml            every mistake at once, each with its line\n";

constexpr const char* kFooter =
    "Configuration: defaults, then the TOML file, then HUBBUB_* variables, then flags; later wins. `hubbub "
    "keys` lists\n"
    "every key. limits.message_bytes is HUBBUB_LIMITS_MESSAGE_BYTES in the environment.\n"
    "Without access.allow the hub listens on loopback only and says what to set to go further.\n\n"
    "Signals: SIGTERM and SIGINT drain (server.drain_period), a second one exits at once.\n\n"
    "Exit codes:\n"
    "  0   done\n"
    "  1   something failed while running\n"
    "  2   the command line was not understood\n"
    "  69  cannot listen on the address\n"
    "  78  mistakes in the configuration\n\n"
    "Manual: docs/configuration.md, docs/operations.md, docs/protocol.md, docs/bench.md";

constexpr const char* kServeFooter =
    "Examples:\n"
    "  hubbub serve\n"
    "  hubbub serve --config /etc/hubbub.toml --log-format json\n"
    "  hubbub serve --listen 0.0.0.0:8080 --set 'access.allow=session.*,topic.*,ping,echo' \\\n"
    "               --set access.origins=https://app.example.com\n"
    "  HUBBUB_LIMITS_RATE_PER_S=50 hubbub serve\n\n"
    "Endpoints: /ws (WebSocket), /healthz, /readyz, /metrics, / (a page to try things).";

constexpr const char* kCheckFooter =
    "The environment counts too, as it does for serve. Exit code: 0 if the configuration is valid, 78 if "
    "not.\n\n"
    "Examples:\n"
    "  hubbub check-config hubbub.toml\n"
    "  hubbub check-config --print --set limits.batch_items=10 hubbub.toml";

constexpr const char* kKeysFooter = "Values and sources are explained in docs/configuration.md.";

// What CLI11 fills in.
struct Options {
  std::string listen, config, log_level, log_format, check_file;
  std::vector<std::string> sets;
  bool echo = false, print = false, markdown = false;
  BenchArguments bench;
};

void add_set_option(CLI::App& app, Options& options) {
  app.add_option("--set", options.sets, "Set a configuration key; may be repeated, the last wins")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
}

void add_serve(CLI::App& app, Options& options) {
  CLI::App* const serve = app.add_subcommand("serve", "Run the hub until SIGTERM or SIGINT");
  serve->add_option("--listen", options.listen, "Where to listen [127.0.0.1:8080]; port 0: any free one")
      ->type_name("HOST:PORT");
  serve->add_option("--config", options.config, "TOML file with the configuration")->type_name("FILE");
  add_set_option(*serve, options);
  serve->add_option("--log-level", options.log_level, "debug, info, warn or error [info]")
      ->type_name("LEVEL");
  serve->add_option("--log-format", options.log_format, "text or json [text]")->type_name("FORMAT");
  serve->add_flag(
      "--echo", options.echo,
      "Conformance tool: echo every message, text and binary, without sessions and JSON-RPC; messages up to "
      "64 MiB and no rate limit unless set");
  serve->footer(kServeFooter);
}

void add_others(CLI::App& app, Options& options) {
  CLI::App* const check =
      app.add_subcommand("check-config", "Check a configuration file as serve would, and exit");
  check->add_option("file", options.check_file, "TOML file")->required()->type_name("FILE");
  add_set_option(*check, options);
  check->add_flag("--print", options.print, "Show the configuration that results, as TOML");
  check->footer(kCheckFooter);
  CLI::App* const keys =
      app.add_subcommand("keys", "List every configuration key with its default and meaning");
  keys->add_flag("--markdown", options.markdown, "As docs/configuration.md");
  keys->footer(kKeysFooter);
  app.add_subcommand("version", "Print the version")->footer("");
}

ProgramResult usage_error(std::string_view text) {
  return {ExitCode::usage, "", fmt::format("hubbub: {}\nTry `hubbub --help`.\n", text)};
}

// The "KEY=VALUE" of --set; nullopt without a key or an equals sign.
std::optional<std::pair<std::string, std::string>> split_setting(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

// --set first, then the flags of their own: the order of precedence, whatever the order of arguments.
std::expected<CommandLine, ProgramResult> to_command_line(const CLI::App& app, const Options& options,
                                                          Environment environment) {
  CommandLine out{.echo = options.echo, .print = options.print, .markdown = options.markdown};
  out.sources.environment = std::move(environment);
  for (const std::string& set : options.sets) {
    auto setting = split_setting(set);
    if (!setting) return std::unexpected(usage_error(fmt::format("--set {}: must be KEY=VALUE", set)));
    out.sources.settings.push_back(std::move(*setting));
  }
  const CLI::App& chosen = *app.get_subcommands().front();
  if (chosen.get_name() == "serve") {
    if (chosen.count("--config") > 0) out.sources.file_path = options.config;
    for (const auto& [flag, value] : {std::pair("--listen", &options.listen),
                                      {"--log-level", &options.log_level},
                                      {"--log-format", &options.log_format}})
      if (chosen.count(flag) > 0) out.sources.settings.emplace_back(flag, *value);
  } else if (chosen.get_name() == "bench") {
    out.command = Command::bench;
    auto bench = read_bench(chosen, options.bench);
    if (!bench) return std::unexpected(usage_error(fmt::format("bench: {}", bench.error())));
    out.bench = std::move(*bench);
  } else if (chosen.get_name() == "check-config") {
    out.command = Command::check_config;
    out.sources.file_path = options.check_file;
  } else {
    out.command = chosen.get_name() == "keys" ? Command::keys : Command::version;
  }
  return out;
}

ProgramResult check_config(const CommandLine& command_line) {
  const auto config = load_config(command_line.sources);
  if (!config) return {ExitCode::configuration, "", format_mistakes(config.error())};
  if (command_line.print) return {ExitCode::ok, describe_config(*config), ""};
  return {ExitCode::ok,
          fmt::format("{}: configuration is valid\n", command_line.sources.file_path.value_or("")), ""};
}

}  // namespace

Environment hubbub_environment(const char* const* environ_block) {
  Environment out;
  for (; environ_block != nullptr && *environ_block != nullptr; ++environ_block) {
    const std::string_view entry = *environ_block;
    const std::size_t equals = entry.find('=');
    if (equals != std::string_view::npos && entry.starts_with("HUBBUB_"))
      out.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return out;
}

std::expected<CommandLine, ProgramResult> parse_command_line(const std::vector<std::string>& arguments,
                                                             Environment environment) {
  try {
    Options options;
    CLI::App app(kAbout, "hubbub");
    app.footer(kFooter);
    app.set_version_flag("--version", std::string(version_text()), "Print the version and exit");
    app.require_subcommand(0, 1);
    add_serve(app, options);
    add_bench(app, options.bench);
    add_others(app, options);
    if (arguments.empty()) return std::unexpected(ProgramResult{ExitCode::usage, "", app.help()});
    try {
      // CLI11 takes the arguments from the back.
      app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
      return std::unexpected(ProgramResult{ExitCode::ok, app.help(), ""});
    } catch (const CLI::CallForVersion&) {
      return std::unexpected(ProgramResult{ExitCode::ok, fmt::format("{}\n", version_text()), ""});
    } catch (const CLI::ParseError& error) {
      return std::unexpected(usage_error(error.what()));
    }
    if (app.get_subcommands().empty()) return std::unexpected(usage_error("no command given"));
    return to_command_line(app, options, std::move(environment));
  } catch (const std::exception& error) {
    return std::unexpected(usage_error(error.what()));
  }
}

ProgramResult run_offline(const CommandLine& command_line) {
  switch (command_line.command) {
    case Command::check_config:
      return check_config(command_line);
    case Command::keys:
      return {ExitCode::ok, command_line.markdown ? config_reference_markdown() : config_reference_text(),
              ""};
    case Command::version:
      return {ExitCode::ok, fmt::format("{}\n", version_text()), ""};
    case Command::serve:
    case Command::bench:
      break;
  }
  const auto config = serve_config(command_line);
  return config ? ProgramResult{} : config.error();
}

std::expected<Config, ProgramResult> serve_config(const CommandLine& command_line) {
  auto config = load_config(command_line.sources, command_line.echo ? echo_defaults() : Config{});
  if (!config)
    return std::unexpected(ProgramResult{ExitCode::configuration, "", format_mistakes(config.error())});
  return std::move(*config);
}

std::string format_mistakes(const std::vector<Mistake>& mistakes) {
  std::string out;
  for (const Mistake& mistake : mistakes) out += mistake.line() + '\n';
  return out + fmt::format("hubbub: {} mistake{} in the configuration\n", mistakes.size(),
                           mistakes.size() == 1 ? "" : "s");
}

std::string_view version_text() {
  static const std::string text = "hubbub " + std::string(kVersion);
  return text;
}

}  // namespace hubbub
