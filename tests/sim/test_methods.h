// Methods that only the simulation has: counter.add {session, seq} writes into the ledger that it ran and
// answers at once; slow.add does the same and answers when the simulation lets it.
#pragma once

#include <cstdint>
#include <vector>

#include "hubbub/base/clock.h"
#include "hubbub/base/rng.h"
#include "hubbub/core/call.h"
#include "hubbub/core/hub.h"
#include "hubbub/core/method_table.h"
#include "tests/sim/ledger.h"

namespace hubbub::sim {

struct AddResult {
  std::uint64_t seq;
};

// An answer of slow.add that is due at `at`.
struct SlowAnswer {
  Millis at = 0;
  std::uint64_t seq = 0;
  Handle<Session> session;
  Reply<AddResult> reply;
};

class SlowAnswers {
 public:
  SlowAnswers(Clock& clock, Rng& rng) : clock_(clock), rng_(rng) {}
  void add(Call& call, std::uint64_t seq);
  // Answers what is due; everything if `all`.
  void answer(Hub& hub, bool all);

 private:
  Clock& clock_;
  Rng& rng_;
  std::vector<SlowAnswer> waiting_;
};

// All outlive the table.
void add_test_methods(MethodTable& table, Ledger& ledger, SlowAnswers& slow);

}  // namespace hubbub::sim
