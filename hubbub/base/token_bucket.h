// TokenBucket: `rate` tokens a second up to `burst`; 16 bytes. The caller keeps rate and burst (they are the
// same for all of a kind) and says the time.
#pragma once

#include <algorithm>
#include <cmath>

#include "hubbub/base/clock.h"

namespace hubbub {

class TokenBucket {
 public:
  TokenBucket(double burst, Millis now) : tokens_(burst), last_(now) {}

  // Takes one token if there is one.
  [[nodiscard]] bool take(double rate, double burst, Millis now) {
    refill(rate, burst, now);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }
  // Milliseconds until the next token, at least 1. Call after take() said no.
  [[nodiscard]] Millis wait_ms(double rate) const {
    return std::max<Millis>(1, static_cast<Millis>(std::ceil((1 - tokens_) * 1000 / rate)));
  }
  // True if the bucket is full again, so that forgetting it changes nothing.
  [[nodiscard]] bool full(double rate, double burst, Millis now) {
    refill(rate, burst, now);
    return tokens_ >= burst;
  }

 private:
  void refill(double rate, double burst, Millis now) {
    tokens_ = std::min(burst, tokens_ + static_cast<double>(now - last_) * rate / 1000);
    last_ = now;
  }
  double tokens_;
  Millis last_;
};

}  // namespace hubbub
