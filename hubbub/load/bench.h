// `hubbub bench`: runs one mode and prints what it found.
#pragma once

#include "hubbub/load/options.h"
#include "hubbub/load/report.h"

namespace hubbub::load {

// Runs to the end; the error is why there is nothing to report. Options are complete().
[[nodiscard]] Outcome<Report> run_mode(const Options& options);

// The same for people: result on stdout, complaints on stderr. Returns the exit code: 0 if all went well, 1
// if anything was wrong or missing.
[[nodiscard]] int run_bench(const Options& options);

}  // namespace hubbub::load
