// SessionTokens: which tokens open one session. Only hashes are kept. Each resume replaces the token; the one
// before stays good until the client has shown that it got the new one, because a lost answer must not lock
// it out. A token that was replaced for good and comes again was copied by somebody: it is recognised, so
// that the session can be ended.
//
// Comparisons take the same time whatever matches. One thread. Costs 40 bytes until the first resume.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "hubbub/base/hash.h"

namespace hubbub {

enum class TokenMatch : std::uint8_t {
  none,
  current,
  previous,  // the one before, while it is good
  replaced,  // one of the last kRememberedMax before
};

class SessionTokens {
 public:
  static constexpr std::size_t kRememberedMax = 16;

  // `first` is the hash of the token's text.
  explicit SessionTokens(const Sha256& first) : current_(first) {}

  // `presented` is the hash of what the client showed. `previous_good` false: the one before is no good any
  // more.
  [[nodiscard]] TokenMatch match(const Sha256& presented, bool previous_good) const;
  // The client showed `shown` (current or previous) and is given the token with hash `next`.
  void rotate(TokenMatch shown, const Sha256& next);
  // The client has the current token: the one before is no good any more.
  void confirm();
  [[nodiscard]] bool confirmed() const { return !past_ || !past_->has_previous; }

 private:
  struct Past {
    Sha256 previous{};
    bool has_previous = false;
    // The first 64 bits of replaced tokens' hashes: enough to know one again, useless for making one.
    std::vector<std::uint64_t> replaced;
  };
  void remember(const Sha256& token);

  Sha256 current_;
  std::unique_ptr<Past> past_;
};

}  // namespace hubbub
