// Presence: who joined and who left one topic since its watchers were last told. Exists only while somebody
// watches. Changes are gathered for presence.interval and told in one shared frame, so a crowd coming and
// going costs each watcher one message an interval.
//
// Invariants (check_invariants): a code is pending at most once; one who joined and left meanwhile (or left
// and came back) is not pending at all, unless somebody asked for the members in between and would keep a
// ghost. So what is pending is bounded by those who are members or were one since it was last told; while
// something is pending the timer is armed. Who watches is the topic's business.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hubbub/base/frame.h"
#include "hubbub/base/timer_wheel.h"
#include "hubbub/core/session_code.h"

namespace hubbub {

struct Env;

class Presence {
 public:
  // `flush` is called with `context` when it is time to tell: to call take().
  Presence(const Env& env, Timer::Fire flush, void* context) : env_(env), timer_(flush, context) {}

  void joined(SessionCode code) { change(code, true); }
  void left(SessionCode code) { change(code, false); }
  // A change that nobody can name any more: the next notification says that there were more.
  void untold();
  // Somebody was told who is there now.
  void asked() { asked_order_ = next_order_; }
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }

  // topic.presence {topic, count, joined?, left?, more?}: those pending, in the order in which it happened
  // and at most presence.list of each kind; `more` if that is not all. They are forgotten. Null if there are
  // none.
  [[nodiscard]] FrameRef take(std::string_view topic, std::size_t count);
  // {topic, count, more: true}, for those whom a notification did not reach.
  [[nodiscard]] static FrameRef unlisted(std::string_view topic, std::size_t count);

  void check_invariants() const;

 private:
  struct Change {
    SessionCode code;
    std::uint64_t order = 0;  // of the latest change
    bool was = false;         // a member when this was last told
    bool joined = false;      // a member now
    bool shown = false;       // somebody asked and was told the opposite of `was`
  };
  void change(SessionCode code, bool joined);
  void arm();
  // Appends `,"joined":[…]` or `,"left":[…]`, or nothing. Returns false if there were more than the list
  // takes.
  bool append_list(std::string& out, bool joined) const;

  const Env& env_;
  boost::unordered_flat_map<std::uint64_t, Change> pending_;  // by SessionCode::key()
  std::uint64_t next_order_ = 0;
  std::uint64_t asked_order_ = 0;  // changes before this one have been shown
  bool untold_ = false;
  Timer timer_;
};

}  // namespace hubbub
