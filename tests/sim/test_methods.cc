#include "tests/sim/test_methods.h"

#include <boost/describe/class.hpp>
#include <utility>

#include "tests/sim/marks.h"

namespace hubbub::sim {

struct AddParams {
  std::uint32_t session;
  std::uint64_t seq;
};
BOOST_DESCRIBE_STRUCT(AddParams, (), (session, seq))
BOOST_DESCRIBE_STRUCT(AddResult, (), (seq))

void SlowAnswers::add(Call& call, std::uint64_t seq) {
  const auto delay = static_cast<Millis>(rng_.below(rng_.below(4) == 0 ? 5000 : 200));
  waiting_.push_back({clock_.now_ms() + delay, seq, call.session().handle(), call.defer<AddResult>()});
}

void SlowAnswers::answer(Hub& hub, bool all) {
  for (SlowAnswer& answer : std::exchange(waiting_, {})) {
    if (!all && answer.at > clock_.now_ms()) {
      waiting_.push_back(std::move(answer));
      continue;
    }
    const Session* session = hub.get(answer.session);
    if (session && session->state() == SessionState::detached) marks().hit(Mark::reply_after_cut);
    answer.reply.send(AddResult{answer.seq});
  }
}

void add_test_methods(MethodTable& table, Ledger& ledger, SlowAnswers& slow) {
  table.add<AddParams, AddResult>("counter.add", [&ledger](Call& call, const AddParams& params) {
    ledger.executed(params.session, params.seq, call.session().code().text());
    return AddResult{params.seq};
  });
  table.add<AddParams, AddResult>("slow.add",
                                  [&ledger, &slow](Call& call, const AddParams& params) -> Deferred {
                                    ledger.executed(params.session, params.seq, call.session().code().text());
                                    slow.add(call, params.seq);
                                    return {};
                                  });
}

}  // namespace hubbub::sim
