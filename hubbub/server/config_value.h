// Values as people write them: durations with units, sizes with units, numbers in ranges, lists. Each parser
// gives the value or the rest of the sentence "this value ...": "must be 1..10000". Nothing throws.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/base/clock.h"

namespace hubbub::conf {

// A value as its source gave it, before anybody knows what it is for.
struct RawValue {
  enum class Shape : std::uint8_t { text, string, integer, real, boolean, array, other };

  Shape shape = Shape::text;       // text: environment and command line; the others are TOML's types
  std::string text;                // the value; of an array or another type, how to show it
  std::vector<std::string> items;  // array: its strings

  // For mistakes: strings in quotes with control characters escaped, others as they are, at most 60 bytes.
  [[nodiscard]] std::string shown() const;
  // "a string", "an integer": for mistakes about the type.
  [[nodiscard]] std::string_view shape_name() const;
};

template <class T>
using Parsed = std::expected<T, std::string>;

// The bounds of a number, in its unit. `zero_means` allows 0 although it is below `min`.
struct Range {
  double min = 0;
  double max = 0;
  std::string_view zero_means;
};

enum class Unit : std::uint8_t { count, per_s, bytes, ms };

// "25s", "500ms", "2m", "1h"; "0" needs no unit. Milliseconds.
[[nodiscard]] Parsed<Millis> parse_duration(std::string_view text);
// "64KiB", "16MiB", "2GiB" (powers of 1024), "64KB", "16MB", "2GB" (powers of 1000), "1000", "1000B". Without
// case.
[[nodiscard]] Parsed<std::int64_t> parse_bytes(std::string_view text);
// Decimal digits.
[[nodiscard]] Parsed<std::int64_t> parse_count(std::string_view text);
// Decimal, a fraction allowed, never negative.
[[nodiscard]] Parsed<double> parse_rate(std::string_view text);
// "true" or "false".
[[nodiscard]] Parsed<bool> parse_flag(std::string_view text);
// Parts between commas, blanks around them removed, empty parts left out.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

// The largest unit that loses nothing; the parsers above read it back.
[[nodiscard]] std::string format_duration(Millis value);
[[nodiscard]] std::string format_bytes(std::int64_t value);
[[nodiscard]] std::string format_number(double value, Unit unit);

// "1KiB..1GiB, or 0 (off)".
[[nodiscard]] std::string format_range(const Range& range, Unit unit);
// An error "must be RANGE" when the value is outside.
[[nodiscard]] Parsed<void> check_range(double value, const Range& range, Unit unit);

// The candidate that `word` was probably meant to be, or "". A dotted word also finds a key by its last part.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       const std::vector<std::string_view>& candidates);

}  // namespace hubbub::conf
