#include "hubbub/core/session_code.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/core/words.h"

namespace hubbub {
namespace {

constexpr std::size_t kCodeBytesMax = 64;

std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (error != std::errc{} || end != text.data() + text.size() || leading_zero) return std::nullopt;
  if (number >= SessionCode::kLongNumbers) return std::nullopt;
  return number;
}

}  // namespace

SessionCode::SessionCode(std::size_t adjective, std::size_t animal, std::uint32_t number)
    : key_(std::uint64_t{adjective} << 48 | std::uint64_t{animal} << 32 | number) {
  HUBBUB_ASSERT(adjective < kWordsPerList && animal < kWordsPerList && number < kLongNumbers);
}

std::optional<SessionCode> SessionCode::parse(std::string_view text) {
  if (text.size() > kCodeBytesMax) return std::nullopt;
  std::array<char, kCodeBytesMax> buffer;
  std::transform(text.begin(), text.end(), buffer.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  const std::string_view lower(buffer.data(), text.size());
  const std::size_t first = lower.find('-');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = lower.find('-', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto adjective = adjective_index(lower.substr(0, first));
  const auto animal = animal_index(lower.substr(first + 1, second - first - 1));
  const auto number = parse_number(lower.substr(second + 1));
  if (!adjective || !animal || !number) return std::nullopt;
  return SessionCode(*adjective, *animal, *number);
}

std::string SessionCode::text() const {
  std::string out(adjective(key_ >> 48));
  out += '-';
  out += animal((key_ >> 32) & 0xFFFF);
  out += '-';
  out += std::to_string(number());
  return out;
}

SessionCode SessionCodes::draw(Rng& rng, Millis now, const std::function<bool(SessionCode)>& taken,
                               const std::function<bool(SessionCode)>& ours) {
  rotate(now);
  constexpr int kShortTries = 32;
  for (int tries = 0;;) {
    const bool use_short = tries < kShortTries && resting() < kRestingMax;
    const std::uint32_t numbers = use_short ? SessionCode::kShortNumbers : SessionCode::kLongNumbers;
    const SessionCode code(rng.below(kWordsPerList), rng.below(kWordsPerList),
                           static_cast<std::uint32_t>(rng.below(numbers)));
    if (!ours(code)) continue;
    ++tries;
    if (code.is_short() && (young_.contains(code.key()) || old_.contains(code.key()))) continue;
    if (!taken(code)) return code;
  }
}

void SessionCodes::retire(SessionCode code, Millis now) {
  rotate(now);
  // A short code must rest; a long one is one of 10^12 and is not drawn again in practice.
  if (code.is_short()) young_.insert(code.key());
}

void SessionCodes::rotate(Millis now) {
  if (now - young_since_ < kRestMs) return;
  // After a pause of two generations nothing rests any more.
  old_ = now - young_since_ < 2 * kRestMs ? std::move(young_) : boost::unordered_flat_set<std::uint64_t>{};
  young_ = {};
  young_since_ = now;
}

}  // namespace hubbub
