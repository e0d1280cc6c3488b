// Exhaustive runs: small scripts, each run with its I/O operation 0, 1, 2, … failing in one way, until it
// passes without reaching the fault; after each, everybody must settle and nothing may be missing.
#pragma once

#include <string>

namespace hubbub::sim {

// Prints a line for each script and a summary; the exit code. `reproduce` is kept up to date for a crash.
[[nodiscard]] int run_exhaustive(bool verbose, std::string& reproduce);

}  // namespace hubbub::sim
