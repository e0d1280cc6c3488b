// StopSignals: SIGTERM and SIGINT as something to wait for. Handlers and a pipe instead of a blocked mask: a
// thread that an application made earlier has no such mask, and would take the signal's default action, which
// ends the process undrained.
#pragma once

#include <csignal>

#include "hubbub/base/clock.h"

namespace hubbub {

// While it lives the two signals are caught; afterwards they do what they did before. One at a time in a
// process.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // The next signal's number.
  [[nodiscard]] int wait();
  // The same, or 0 if none comes in that time.
  [[nodiscard]] int wait_for(Millis timeout);

 private:
  struct sigaction before_term_;
  struct sigaction before_int_;
  int read_end_ = -1;
};

}  // namespace hubbub
