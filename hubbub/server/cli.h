// The command line: what to do, and the configuration sources that come with it. Nothing here prints or
// exits: results are values, so tests can look at them. CLI11 is included in cli.cc and bench_command.cc
// only.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/load/options.h"
#include "hubbub/server/config.h"

namespace hubbub {

// Exit codes of the program; the two high ones are sysexits.h's.
enum class ExitCode : int {
  ok = 0,
  failure = 1,        // something failed while running
  usage = 2,          // the command line was not understood
  unavailable = 69,   // EX_UNAVAILABLE: cannot listen
  configuration = 78  // EX_CONFIG: mistakes in the configuration
};

struct CommandLine {
  enum class Command : std::uint8_t { serve, bench, check_config, keys, version };

  Command command = Command::serve;
  ConfigSources sources{};
  bool echo = false;      // serve: the conformance tool
  bool print = false;     // check_config: show the effective configuration
  bool markdown = false;  // keys: as docs/configuration.md
  load::Options bench{};  // bench: complete
};

// A finished run: what to print where, and the exit code.
struct ProgramResult {
  ExitCode code = ExitCode::ok;
  std::string out;  // for stdout
  std::string err;  // for stderr
};

using Environment = std::vector<std::pair<std::string, std::string>>;

// The variables of `environ` (a null-terminated array of NAME=VALUE, or nullptr) whose name begins with
// HUBBUB_.
[[nodiscard]] Environment hubbub_environment(const char* const* environ_block);

// Reads the arguments after the program's name. The unexpected value is not always a failure: --help and
// --version end there too, with code ok. No arguments at all: the help, with code usage.
[[nodiscard]] std::expected<CommandLine, ProgramResult> parse_command_line(
    const std::vector<std::string>& arguments, Environment environment = {});

// Runs check_config, keys and version, which need no server; bench is not run here. For serve it does what
// serve does first: outcome configuration with all mistakes in `err`, or ok.
[[nodiscard]] ProgramResult run_offline(const CommandLine& command_line);

// The configuration serve should use: load_config with the defaults that --echo brings. The error is ready to
// print.
[[nodiscard]] std::expected<Config, ProgramResult> serve_config(const CommandLine& command_line);

// One mistake a line, and how many there are.
[[nodiscard]] std::string format_mistakes(const std::vector<Mistake>& mistakes);

// "hubbub 0.1.0"
[[nodiscard]] std::string_view version_text();

}  // namespace hubbub
