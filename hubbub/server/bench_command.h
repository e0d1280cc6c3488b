// The options of `hubbub bench` on the command line. Apart from cli.cc because they are many, and because a
// second program could take them.
#pragma once

#include <string>

#include "hubbub/load/options.h"

namespace CLI {
class App;
}

namespace hubbub {

// What CLI11 fills in. It stays where it is from add_bench() until after parsing.
struct BenchArguments {
  load::Options options;
  std::string mode;
  std::string duration, warmup, timeout, bytes;
  std::string subscribe, publish, payload;
  bool escapes = false;
};

// Adds the subcommand.
void add_bench(CLI::App& app, BenchArguments& arguments);

// After parsing: `app` is the subcommand. The error names the option.
[[nodiscard]] load::Outcome<load::Options> read_bench(const CLI::App& app, BenchArguments arguments);

}  // namespace hubbub
