// The writing half of json.h: strings, numbers and times appended to text that is being built.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <iterator>

#include "hubbub/wire/json.h"
#include "hubbub/wire/json_scan.h"

namespace hubbub::wire {
namespace {

void append_escape(std::string& out, char c) {
  constexpr std::string_view kPlain = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  if (const std::size_t index = kPlain.find(c); index != std::string_view::npos) {
    out += '\\';
    out += kLetters[index];
    return;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

template <class Number>
void append_number(std::string& out, Number value) {
  char digits[32];  // the longest is a double: 24 characters
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
  out.append(digits, end);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0;;) {
    const std::size_t stop = scan::find_escape(text, at);
    out.append(text, at, stop - at);
    if (stop == text.size()) break;
    append_escape(out, text[stop]);
    at = stop + 1;
  }
  out += '"';
}

void append_json_int(std::string& out, std::int64_t value) { append_number(out, value); }
void append_json_uint(std::string& out, std::uint64_t value) { append_number(out, value); }

void append_json_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
  } else if (value == 0 && std::signbit(value)) {
    out += "-0.0";  // "-0" would be read as an integer, which has no negative zero
  } else {
    append_number(out, value);
  }
}

std::string format_time(std::int64_t wall_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(wall_ms)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss<milliseconds> clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace hubbub::wire
