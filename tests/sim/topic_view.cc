#include "tests/sim/topic_view.h"

#include <algorithm>

#include "tests/sim/marks.h"
#include "tests/sim/violation.h"

namespace hubbub::sim {

void TopicView::on_subscribed(const SubscribeWish& wish, const TopicPosition& position,
                              std::optional<bool> recovered, std::uint64_t& unknown) {
  demand(recovered.has_value() == wish.since.has_value(), "`recovered` answers `since`", topic_);
  if (answered()) {
    active_ = unsure_ = true;
    epoch_ = position.epoch;
    early_first_ = 0;
    return;
  }
  if (active_ && !unsure_) {
    demand(position.epoch == epoch_, "a topic with subscribers keeps its epoch", topic_);
    if (!jump_ && next_ <= position.offset && position.offset + 1 - next_ <= unknown) {
      unknown -= position.offset + 1 - next_;
      next_ = position.offset + 1;
    }
    demand(jump_ || next_ > position.offset, "what was published before the answer came before it:", topic_,
           next_, position.offset);
    demand(wish.batched || jump_ || next_ == position.offset + 1,
           "a subscriber is as far as its topic:", topic_, next_, position.offset);
  }
  const bool burst = early() && (wish.since || wish.last > 0);
  const bool came_early = early();
  const bool fresh = !active_ || unsure_;
  active_ = true;
  epoch_ = position.epoch;
  // What came before the answer of a batch, and what was lost then, cannot be told apart.
  unsure_ = wish.batched && (unsure_ || burst);
  if (unsure_) {
    early_first_ = 0;
    return;
  }
  if (wish.since) {
    const bool same = wish.since->epoch == position.epoch;
    marks().hit(*recovered ? Mark::subscribed_since : Mark::subscribed_since_lost);
    demand(!*recovered || same, "nothing is recovered of another epoch", topic_);
    // A mirror that is behind begins where it stands.
    next_ = same ? std::min(wish.since->offset, position.offset) + 1 : 1;
    jump_ = !*recovered;
    jump_low_ = next_;
    jump_high_ = position.offset;
  } else if (wish.last > 0) {
    marks().hit(Mark::subscribed_last);
    jump_ = true;
    jump_low_ = position.offset >= wish.last ? position.offset - wish.last + 1 : 1;
    jump_high_ = position.offset;
    next_ = position.offset + 1;
  } else if (came_early) {
    demand(early_first_ == position.offset + 1, "live messages go on from the position told:", topic_,
           early_first_, position.offset);
  } else if (fresh) {
    next_ = position.offset + 1;
    jump_ = false;
  }
  early_first_ = 0;
}

void TopicView::on_unsubscribed(bool was_subscribed) {
  if (answered()) return;
  demand(unsure_ || was_subscribed == active_, "`unsubscribed` tells the truth", topic_);
  active_ = false;
  jump_ = false;
  unsure_ = false;
}

void TopicView::lose_track(bool surely) {
  if (surely) answered();
  unsure_ = true;
}

bool TopicView::answered() {
  if (pending_ > 0) --pending_;
  const bool overlap = overlap_;
  if (pending_ == 0) early_ = overlap_ = false;
  return overlap;
}

void TopicView::step(std::uint64_t offset, std::uint64_t& unknown) {
  if (unsure_) {
    active_ = true;
    next_ = offset;
    jump_ = false;
    // Sure again only with the next answer: a lost unsubscribe and what came before it look alike.
  } else if (!active_) {
    demand(early_, "a topic.message without a subscription", topic_, offset);
    if (early_first_ == 0) early_first_ = next_ = offset;
  }
  if (jump_ && offset <= jump_high_) {
    demand(offset >= jump_low_, "a replay begins where it was asked to:", topic_, offset, jump_low_);
    next_ = offset;
  } else if (jump_) {
    next_ = std::max(next_, jump_high_ + 1);
  }
  jump_ = false;
  if (offset > next_ && offset - next_ <= unknown) {
    unknown -= offset - next_;
    next_ = offset;
  }
  demand(offset == next_, "offsets grow by one:", topic_, "came", offset, "expected", next_);
  ++next_;
}

void TopicView::on_message(std::uint64_t offset, std::string_view data, std::uint64_t& unknown) {
  step(offset, unknown);
  if (!epoch_.empty() && active_ && !unsure_) ledger_.saw_publication(topic_, epoch_, offset, data);
}

void TopicView::on_missing(std::uint64_t offset, std::uint64_t& unknown) { step(offset, unknown); }

}  // namespace hubbub::sim
