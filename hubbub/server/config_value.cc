#include "hubbub/server/config_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

namespace hubbub::conf {
namespace {

constexpr std::size_t kShownBytesMax = 60;
constexpr std::size_t kNearestBytesMax = 100;  // bounds the work of nearest() on hostile words

struct UnitName {
  std::string_view name;
  std::int64_t factor;
};

constexpr auto kDurations =
    std::to_array<UnitName>({{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}});
constexpr auto kBinarySizes = std::to_array<UnitName>({{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}});
constexpr auto kSizes = std::to_array<UnitName>({{"gib", 1 << 30},
                                                 {"mib", 1 << 20},
                                                 {"kib", 1 << 10},
                                                 {"gb", 1'000'000'000},
                                                 {"mb", 1'000'000},
                                                 {"kb", 1000},
                                                 {"b", 1},
                                                 {"", 1}});

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// Digits at the front of `text`, which loses them. nullopt: none, or more than 63 bits.
std::optional<std::int64_t> take_digits(std::string_view& text) {
  std::int64_t value = 0;
  if (text.starts_with('-')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// A number and one of `units`; nullopt if it is not that or would not fit.
template <std::size_t N>
std::optional<std::int64_t> parse_with_unit(std::string_view text, const std::array<UnitName, N>& units) {
  const auto number = take_digits(text);
  if (!number) return std::nullopt;
  const auto unit = std::ranges::find(units, text, &UnitName::name);
  if (unit == units.end() || *number > std::numeric_limits<std::int64_t>::max() / unit->factor)
    return std::nullopt;
  return *number * unit->factor;
}

std::string_view last_part(std::string_view key) { return key.substr(key.rfind('.') + 1); }

// Levenshtein distance with one row.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replace, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string RawValue::shown() const {
  if (shape != Shape::text && shape != Shape::string) return text.substr(0, kShownBytesMax);
  std::string out = "\"";
  for (const char c : std::string_view(text).substr(0, kShownBytesMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte < 0x20 || byte >= 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + (text.size() > kShownBytesMax ? "\"..." : "\"");
}

std::string_view RawValue::shape_name() const {
  switch (shape) {
    case Shape::text:
      return "text";
    case Shape::string:
      return "a string";
    case Shape::integer:
      return "an integer";
    case Shape::real:
      return "a number with a fraction";
    case Shape::boolean:
      return "a boolean";
    case Shape::array:
      return "an array";
    case Shape::other:
      break;
  }
  return "another type";
}

Parsed<Millis> parse_duration(std::string_view text) {
  if (text == "0") return 0;
  if (const auto value = parse_with_unit(text, kDurations)) return *value;
  return std::unexpected("must be a duration with its unit, such as 500ms, 25s, 2m or 1h");
}

Parsed<std::int64_t> parse_bytes(std::string_view text) {
  if (const auto value = parse_with_unit(lower(text), kSizes)) return *value;
  return std::unexpected("must be a size such as 64KiB, 16MiB or 1000 (bytes)");
}

Parsed<std::int64_t> parse_count(std::string_view text) {
  const auto value = take_digits(text);
  if (!value || !text.empty()) return std::unexpected("must be a whole number");
  return *value;
}

Parsed<double> parse_rate(std::string_view text) {
  double value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, std::chars_format::fixed);
  if (error != std::errc() || end != last || !std::isfinite(value) || std::signbit(value))
    return std::unexpected("must be a number");
  return value;
}

Parsed<bool> parse_flag(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::unexpected("must be true or false");
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const std::size_t first = part.find_first_not_of(" \t");
    if (first == std::string_view::npos) continue;
    part = part.substr(first, part.find_last_not_of(" \t") - first + 1);
    out.emplace_back(part);
  }
  return out;
}

std::string format_duration(Millis value) {
  if (value == 0) return "0";
  const auto* const unit =
      std::ranges::find_if(kDurations, [&](const UnitName& u) { return value % u.factor == 0; });
  return fmt::format("{}{}", value / unit->factor, unit->name);
}

std::string format_bytes(std::int64_t value) {
  const auto* const unit =
      std::ranges::find_if(kBinarySizes, [&](const UnitName& u) { return value % u.factor == 0; });
  if (value == 0 || unit == kBinarySizes.end()) return fmt::format("{}", value);
  return fmt::format("{}{}", value / unit->factor, unit->name);
}

std::string format_number(double value, Unit unit) {
  if (unit == Unit::bytes) return format_bytes(static_cast<std::int64_t>(value));
  if (unit == Unit::ms) return format_duration(static_cast<Millis>(value));
  // A whole number without exponent: configuration reads none.
  if (value == std::floor(value)) return fmt::format("{}", static_cast<std::int64_t>(value));
  std::string text = fmt::format("{:.9f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

std::string format_range(const Range& range, Unit unit) {
  std::string text = fmt::format("{}..{}", format_number(range.min, unit), format_number(range.max, unit));
  if (!range.zero_means.empty()) text += fmt::format(", or 0 ({})", range.zero_means);
  return text;
}

Parsed<void> check_range(double value, const Range& range, Unit unit) {
  if (value >= range.min && value <= range.max) return {};
  if (value == 0 && !range.zero_means.empty()) return {};
  return std::unexpected("must be " + format_range(range, unit));
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.size() > kNearestBytesMax) return {};
  const std::size_t far_at = std::clamp<std::size_t>(word.size() / 4, 1, 3);
  std::string_view best;
  std::size_t best_distance = far_at + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t d = distance(word, candidate);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  if (!best.empty()) return best;
  // The right name in the wrong section.
  const auto moved = std::ranges::find(candidates, last_part(word), last_part);
  return moved == candidates.end() ? std::string_view{} : *moved;
}

}  // namespace hubbub::conf
