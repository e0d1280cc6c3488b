// The program: command line -> configuration -> server. All decisions are elsewhere.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "hubbub/load/bench.h"
#include "hubbub/server/cli.h"
#include "hubbub/server/server.h"

namespace {

int finish(const hubbub::ProgramResult& result) {
  std::fputs(result.out.c_str(), stdout);
  std::fputs(result.err.c_str(), stderr);
  return static_cast<int>(result.code);
}

int program(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto command_line = hubbub::parse_command_line(arguments, hubbub::hubbub_environment(environ));
  if (!command_line) return finish(command_line.error());
  if (command_line->command == hubbub::CommandLine::Command::bench)
    return hubbub::load::run_bench(command_line->bench);
  if (command_line->command != hubbub::CommandLine::Command::serve)
    return finish(hubbub::run_offline(*command_line));
  const auto config = hubbub::serve_config(*command_line);
  if (!config) return finish(config.error());
  hubbub::Server server(*config);
  if (command_line->echo) server.use_echo();
  return server.run();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return program(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "hubbub: %s\n", failure.what());
    return static_cast<int>(hubbub::ExitCode::failure);
  }
}
