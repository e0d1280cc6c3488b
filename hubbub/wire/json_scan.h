// Searches in JSON text, eight bytes at a time: where a string ends, where the next bracket stands. Internal
// to the layer's JSON files. Every function stays inside `text` whatever its bytes are; positions are offsets
// into `text`, and kNowhere says that the text ends first.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace hubbub::wire::scan {

inline constexpr std::size_t kNowhere = std::string_view::npos;

using Word = std::uint64_t;
inline constexpr Word kOnes = 0x0101010101010101ULL;
inline constexpr Word kHighs = 0x8080808080808080ULL;

// Each of these marks the high bit of matching bytes. A borrow may mark bytes above the first match as well,
// so only the lowest mark counts.
[[nodiscard]] constexpr Word mark_equal(Word word, char byte) noexcept {
  const Word difference = word ^ (kOnes * static_cast<unsigned char>(byte));
  return (difference - kOnes) & ~difference & kHighs;
}
[[nodiscard]] constexpr Word mark_below(Word word, unsigned char bound) noexcept {
  return (word - kOnes * bound) & ~word & kHighs;
}

// The first position at or after `at` whose byte matches, or text.size(). `mark` and `match` say the same of
// a word and of a byte.
template <class Mark, class Match>
[[nodiscard]] inline std::size_t find_first(std::string_view text, std::size_t at, Mark mark,
                                            Match match) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    for (; at + sizeof(Word) <= text.size(); at += sizeof(Word)) {
      Word word;
      std::memcpy(&word, text.data() + at, sizeof word);
      if (const Word marks = mark(word)) return at + static_cast<std::size_t>(std::countr_zero(marks)) / 8;
    }
  }
  while (at < text.size() && !match(text[at])) ++at;
  return at;
}

// What ends a run of plain string bytes: a quote, a backslash or a control character.
[[nodiscard]] constexpr bool needs_escape(char c) noexcept {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}
[[nodiscard]] inline std::size_t find_escape(std::string_view text, std::size_t at) noexcept {
  return find_first(
      text, at,
      [](Word word) { return mark_equal(word, '"') | mark_equal(word, '\\') | mark_below(word, 0x20); },
      needs_escape);
}

// The next quote or bracket of any kind. '[' and ']' differ from '{' and '}' in bit 0x20 only.
[[nodiscard]] inline std::size_t find_bracket(std::string_view text, std::size_t at) noexcept {
  constexpr Word kFold = kOnes * 0x20;
  return find_first(
      text, at,
      [](Word word) {
        return mark_equal(word, '"') | mark_equal(word | kFold, '{') | mark_equal(word | kFold, '}');
      },
      [](char c) { return c == '"' || (c | 0x20) == '{' || (c | 0x20) == '}'; });
}

[[nodiscard]] constexpr bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_open(char c) noexcept { return c == '{' || c == '['; }
[[nodiscard]] inline std::size_t skip_space(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

// `at` is inside a string: the position behind its closing quote.
[[nodiscard]] inline std::size_t leave_string(std::string_view text, std::size_t at) noexcept {
  for (;; at += 2) {
    at = find_escape(text, at);
    if (at >= text.size()) return kNowhere;
    if (text[at] == '"') return at + 1;
    if (text[at] != '\\') return kNowhere;  // a control character: not valid JSON
  }
}
// `at` is a quote: the position behind the string's closing quote.
[[nodiscard]] inline std::size_t skip_string(std::string_view text, std::size_t at) noexcept {
  return leave_string(text, at + 1);
}

inline constexpr std::size_t kBlock = 64;
inline constexpr std::size_t kBackslash = 0;  // a result of take_block

// Bit i: byte i of the word is `byte` (exact, unlike mark_equal). The product moves the eight marks next to
// each other.
[[nodiscard]] constexpr Word bits_equal(Word word, char byte) noexcept {
  const Word difference = word ^ (kOnes * static_cast<unsigned char>(byte));
  const Word marks = ~(((difference & ~kHighs) + ~kHighs) | difference) & kHighs;
  return ((marks >> 7) * 0x0102040810204080ULL) >> 56;
}

// Takes kBlock bytes at once, with a branch for a closing bracket only where it may end the container: where
// brackets and quotes stand close, several times as fast as going from one to the next. Returns the offset
// behind the bracket that brings depth to 0, kNowhere if the container goes on behind the block, or
// kBackslash with nothing changed: blocks that hold one are not for this function.
[[nodiscard]] inline std::size_t take_block(const char* block, std::size_t& depth, bool& in_string) noexcept {
  constexpr Word kFold = kOnes * 0x20;
  Word quotes = 0, opens = 0, closes = 0, backslashes = 0;
  for (unsigned i = 0; i < kBlock / sizeof(Word); ++i) {
    Word word;
    std::memcpy(&word, block + i * sizeof word, sizeof word);
    backslashes |= mark_equal(word, '\\');
    quotes |= bits_equal(word, '"') << (8 * i);
    opens |= bits_equal(word | kFold, '{') << (8 * i);
    closes |= bits_equal(word | kFold, '}') << (8 * i);
  }
  if (backslashes != 0) return kBackslash;
  Word inside = quotes;  // becomes: bit i is set if an odd number of quotes stands at or before i
  for (unsigned shift = 1; shift < 64; shift *= 2) inside ^= inside << shift;
  if (in_string) inside = ~inside;
  opens &= ~inside;
  closes &= ~inside;
  const auto count = [](Word bits) { return static_cast<std::size_t>(std::popcount(bits)); };
  const std::size_t closed = count(closes);
  std::size_t nth =
      depth > closed ? kBlock : 0;  // closing brackets seen; kBlock: none of them can be the one
  for (; closes != 0 && nth < kBlock; closes &= closes - 1) {
    const int bit = std::countr_zero(closes);
    if (depth + count(opens & ((Word{1} << bit) - 1)) == ++nth) {
      depth = 0;
      return static_cast<std::size_t>(bit) + 1;
    }
  }
  depth = depth + count(opens) - closed;
  in_string = (inside >> 63) != 0;
  return kNowhere;
}

// Goes from bracket to bracket until depth is 0 or `until` is reached. kNowhere if the text ends first.
[[nodiscard]] inline std::size_t take_brackets(std::string_view text, std::size_t at, std::size_t until,
                                               std::size_t& depth) noexcept {
  while (at < until) {
    at = find_bracket(text, at);
    if (at >= text.size()) return kNowhere;
    if (text[at] == '"') {
      at = skip_string(text, at);
      if (at == kNowhere) return kNowhere;
    } else if (is_open(text[at++])) {
      ++depth;
    } else if (--depth == 0) {
      return at;
    }
  }
  return at;
}

// `at` is an opening bracket: the position behind the one that closes it.
[[nodiscard]] inline std::size_t skip_container(std::string_view text, std::size_t at) noexcept {
  std::size_t depth = 0;
  bool in_string = false;
  for (;;) {
    if (in_string) at = leave_string(text, at);
    if (at == kNowhere) return kNowhere;
    at = take_brackets(text, at, at + kBlock, depth);
    if (at == kNowhere || depth == 0) return at;
    in_string = false;
    if constexpr (std::endian::native != std::endian::little) continue;
    for (; at + kBlock <= text.size(); at += kBlock) {
      const std::size_t end = take_block(text.data() + at, depth, in_string);
      if (end == kBackslash) break;
      if (end != kNowhere) return at + end;
    }
  }
}

// True if brackets outside strings nest deeper than `depth_max` anywhere before the text ends or stops being
// JSON.
[[nodiscard]] inline bool deeper_than(std::string_view text, std::size_t depth_max) noexcept {
  std::size_t depth = 0;
  for (std::size_t at = 0; (at = find_bracket(text, at)) < text.size();) {
    if (text[at] == '"') {
      at = skip_string(text, at);
      if (at == kNowhere) return false;
    } else if (is_open(text[at++])) {
      if (++depth > depth_max) return true;
    } else if (depth-- == 0) {
      return false;
    }
  }
  return false;
}

}  // namespace hubbub::wire::scan
