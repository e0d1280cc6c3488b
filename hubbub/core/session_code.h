// SessionCode: the human-friendly address of a session, `happy-panda-42`. An address and not a secret.
// Compared without case. SessionCodes draws new ones and keeps ended ones out of use for a day.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "hubbub/base/clock.h"
#include "hubbub/base/rng.h"

namespace hubbub {

// 8 bytes: indexes into the word lists and a number. Short codes have a number below kShortNumbers; longer
// ones are drawn when too many short ones are taken or resting.
class SessionCode {
 public:
  static constexpr std::uint32_t kShortNumbers = 100;
  static constexpr std::uint32_t kLongNumbers = 1'000'000;

  SessionCode() = default;
  SessionCode(std::size_t adjective, std::size_t animal, std::uint32_t number);
  // nullopt if the text is not a possible code.
  [[nodiscard]] static std::optional<SessionCode> parse(std::string_view text);

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::uint64_t key() const { return key_; }
  [[nodiscard]] bool is_short() const { return number() < kShortNumbers; }
  friend bool operator==(SessionCode, SessionCode) = default;

 private:
  [[nodiscard]] std::uint32_t number() const { return static_cast<std::uint32_t>(key_ & 0xFFFFFFFF); }
  std::uint64_t key_ = 0;  // adjective << 48 | animal << 32 | number
};

class SessionCodes {
 public:
  static constexpr Millis kRestMs = 24LL * 3600 * 1000;
  // Resting short codes above which new codes are long: 4 million cost about 40 MB.
  static constexpr std::size_t kRestingMax = 4'000'000;

  // A code of `ours` that `taken` does not claim and that has not been in use for kRestMs. `ours` is true of
  // many.
  [[nodiscard]] SessionCode draw(
      Rng& rng, Millis now, const std::function<bool(SessionCode)>& taken,
      const std::function<bool(SessionCode)>& ours = [](SessionCode) { return true; });
  // The session with that code has ended: the code rests.
  void retire(SessionCode code, Millis now);
  [[nodiscard]] std::size_t resting() const { return young_.size() + old_.size(); }

 private:
  void rotate(Millis now);
  // Two generations, each kRestMs long: what is in either rests; the older one is dropped whole.
  boost::unordered_flat_set<std::uint64_t> young_;
  boost::unordered_flat_set<std::uint64_t> old_;
  Millis young_since_ = 0;
};

}  // namespace hubbub
