#include "hubbub/core/session_tokens.h"

#include <cstring>

#include "hubbub/base/assert.h"

namespace hubbub {
namespace {

std::uint64_t fingerprint(const Sha256& token) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, token.data(), sizeof bits);
  return bits;
}

}  // namespace

TokenMatch SessionTokens::match(const Sha256& presented, bool previous_good) const {
  const bool is_current = equal_constant_time(presented, current_);
  const bool has_previous = past_ && past_->has_previous;
  const bool is_previous = equal_constant_time(presented, has_previous ? past_->previous : Sha256{});
  bool is_replaced = false;
  if (past_)
    for (const std::uint64_t token : past_->replaced) is_replaced |= token == fingerprint(presented);
  if (is_current) return TokenMatch::current;
  if (has_previous && is_previous) return previous_good ? TokenMatch::previous : TokenMatch::replaced;
  return is_replaced ? TokenMatch::replaced : TokenMatch::none;
}

void SessionTokens::rotate(TokenMatch shown, const Sha256& next) {
  HUBBUB_ASSERT(shown == TokenMatch::current || shown == TokenMatch::previous);
  if (!past_) past_ = std::make_unique<Past>();
  if (shown == TokenMatch::previous) {
    // The answer with the current one was lost: nobody should ever show it.
    remember(current_);
  } else {
    if (past_->has_previous) remember(past_->previous);
    past_->previous = current_;
    past_->has_previous = true;
  }
  current_ = next;
}

void SessionTokens::confirm() {
  if (confirmed()) return;
  remember(past_->previous);
  past_->has_previous = false;
}

void SessionTokens::remember(const Sha256& token) {
  if (past_->replaced.size() == kRememberedMax) past_->replaced.erase(past_->replaced.begin());
  past_->replaced.push_back(fingerprint(token));
}

}  // namespace hubbub
