#include "hubbub/wire/json_number.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "hubbub/wire/json_scan.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub::wire {
namespace {

using scan::is_digit;

// As text, so that any parser reads exactly json.h's kNumberTooLarge.
constexpr std::string_view kLargest = "1.7976931348623157e308";

// The parts of a token that follows RFC 8259 section 6.
struct NumberParts {
  std::string_view integer;   // digits before the point
  std::string_view fraction;  // digits behind it
  std::string_view exponent;  // digits behind 'e' and its sign
  bool exponent_negative = false;
  bool plain = true;  // neither fraction nor exponent
};

constexpr bool number_byte(char c) noexcept {
  return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

std::string_view take_digits(std::string_view& rest) {
  std::size_t count = 0;
  while (count < rest.size() && is_digit(rest[count])) ++count;
  const std::string_view digits = rest.substr(0, count);
  rest.remove_prefix(count);
  return digits;
}

bool take_exponent(std::string_view& rest, NumberParts& parts) {
  rest.remove_prefix(1);  // 'e'
  parts.exponent_negative = rest.starts_with('-');
  if (parts.exponent_negative || rest.starts_with('+')) rest.remove_prefix(1);
  parts.exponent = take_digits(rest);
  return !parts.exponent.empty();
}

bool split_number(std::string_view token, NumberParts& parts) {
  std::string_view rest = token;
  if (rest.starts_with('-')) rest.remove_prefix(1);
  parts.integer = take_digits(rest);
  if (parts.integer.empty() || (parts.integer.size() > 1 && parts.integer.front() == '0')) return false;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    parts.plain = false;
    parts.fraction = take_digits(rest);
    if (parts.fraction.empty()) return false;
  }
  if (rest.starts_with('e') || rest.starts_with('E')) {
    parts.plain = false;
    if (!take_exponent(rest, parts)) return false;
  }
  return rest.empty();
}

bool integer_too_large(std::string_view token) {
  const char* const end = token.data() + token.size();
  if (token.starts_with('-')) {
    std::int64_t value = 0;
    return std::from_chars(token.data(), end, value).ec == std::errc::result_out_of_range;
  }
  std::uint64_t value = 0;
  return std::from_chars(token.data(), end, value).ec == std::errc::result_out_of_range;
}

// The power of ten of the first digit that is not 0, without the exponent part; false if all digits are 0.
bool leading_power(const NumberParts& parts, std::int64_t& power) {
  const auto not_zero = [](char c) { return c != '0'; };
  if (parts.integer.front() != '0') {
    power = static_cast<std::int64_t>(parts.integer.size()) - 1;
    return true;
  }
  const auto first = std::ranges::find_if(parts.fraction, not_zero);
  power = -1 - (first - parts.fraction.begin());
  return first != parts.fraction.end();
}

std::int64_t exponent_of(const NumberParts& parts) {
  constexpr std::int64_t kFar = std::int64_t{1} << 60;  // no text is long enough to bring it back into range
  std::int64_t value = 0;
  const char* const begin = parts.exponent.data();
  const auto read = std::from_chars(begin, begin + parts.exponent.size(), value);
  if (read.ec == std::errc::result_out_of_range) value = kFar;
  value = std::min(value, kFar);
  return parts.exponent_negative ? -value : value;
}

// from_chars tells "out of range" without saying on which side of double's range the number is; its power of
// ten does.
bool float_too_large(std::string_view token, const NumberParts& parts) {
  std::int64_t power = 0;
  if (!leading_power(parts, power) || power + exponent_of(parts) < 308) return false;
  double value = 0;
  return std::from_chars(token.data(), token.data() + token.size(), value).ec ==
         std::errc::result_out_of_range;
}

bool too_large(std::string_view token) {
  NumberParts parts;
  if (!split_number(token, parts)) return false;
  return parts.plain ? integer_too_large(token) : float_too_large(token, parts);
}

}  // namespace

bool replace_huge_numbers(std::string_view text, std::string& out, std::size_t& size) {
  out.clear();
  std::size_t copied = 0;  // text before this position is in `out`
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      at = scan::skip_string(text, at);
      if (at == scan::kNowhere) break;
    } else if (c != '-' && !is_digit(c)) {
      ++at;
    } else {
      std::size_t end = at;
      while (end < text.size() && number_byte(text[end])) ++end;
      if (too_large(text.substr(at, end - at))) {
        out.append(text, copied, at - copied);
        if (c == '-') out += '-';
        out += kLargest;
        copied = end;
      }
      at = end;
    }
  }
  if (copied == 0) return false;
  out.append(text, copied);
  size = out.size();
  out.append(kReadPadding, ' ');
  return true;
}

}  // namespace hubbub::wire
