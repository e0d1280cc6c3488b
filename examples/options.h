// The command line of the examples: [HOST:PORT], by default 127.0.0.1:8080. Everything else is set as for the
// program, by HUBBUB_* environment variables (docs/configuration.md).
#pragma once

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "hubbub/server/cli.h"
#include "hubbub/server/config.h"

extern char** environ;

// `defaults` with what the user says on top. Ends the program if that cannot be understood.
inline hubbub::Config options(int argc, char** argv, hubbub::Config defaults = {}) {
  hubbub::ConfigSources sources;
  sources.environment = hubbub::hubbub_environment(environ);
  if (argc > 1) sources.settings.emplace_back("--listen", argv[1]);
  auto config = hubbub::load_config(sources, std::move(defaults));
  if (config) return *std::move(config);
  std::fputs(hubbub::format_mistakes(config.error()).c_str(), stderr);
  std::exit(static_cast<int>(hubbub::ExitCode::configuration));
}
