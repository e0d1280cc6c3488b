// Sequence numbers as they stand in messages: always 8 digits, the first never 0. So a message's length does
// not depend on its number, the number is valid JSON, and writing or reading it is a handful of instructions.
// Number n is written as 10000000 + n modulo 90 million; what that could be mistaken for is long answered.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace hubbub::load {

inline constexpr std::size_t kNumberDigits = 8;
inline constexpr std::uint64_t kNumberFirst = 10'000'000;
inline constexpr std::uint64_t kNumberCount = 90'000'000;

namespace detail {
inline std::uint64_t memory_order(std::uint64_t word) {
  if constexpr (std::endian::native == std::endian::big) return std::byteswap(word);
  return word;
}
}  // namespace detail

// The 8 digits of `n` as the bytes of a word, the first digit at the lowest address. Two, four and eight
// lanes are divided at a time.
[[nodiscard]] inline std::uint64_t number_word(std::uint64_t n) {
  const std::uint64_t value = kNumberFirst + n % kNumberCount;
  std::uint64_t lanes = value / 10000 | (value % 10000) << 32;
  const std::uint64_t hundreds = ((lanes * 10486) >> 20) & 0x0000'007F'0000'007F;
  lanes = hundreds | (lanes - hundreds * 100) << 16;
  const std::uint64_t tens = ((lanes * 103) >> 10) & 0x000F'000F'000F'000F;
  lanes = tens | (lanes - tens * 10) << 8;
  return detail::memory_order(lanes + 0x3030'3030'3030'3030);
}

// What the 8 bytes at `at` say as a decimal number; nullopt if they are no digits. `at` + 8 <= text.size().
[[nodiscard]] inline std::optional<std::uint64_t> digits_at(std::string_view text, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data() + at, sizeof word);
  word = detail::memory_order(word);
  constexpr std::uint64_t kHigh = 0xF0F0'F0F0'F0F0'F0F0;
  constexpr std::uint64_t kZeros = 0x3030'3030'3030'3030;
  if ((word & kHigh) != kZeros || ((word + 0x0606'0606'0606'0606) & kHigh) != kZeros) return std::nullopt;
  word -= kZeros;
  word = word * 10 + (word >> 8);
  constexpr std::uint64_t kPairs = 0x0000'00FF'0000'00FF;
  return ((word & kPairs) * 0x000F'4240'0000'0064 + ((word >> 16) & kPairs) * 0x0000'2710'0000'0001) >> 32;
}

// How far the number written as `digits` is above `expected`, if it is below expected + window.
[[nodiscard]] inline std::optional<std::uint64_t> number_offset(std::uint64_t digits, std::uint64_t expected,
                                                                std::uint64_t window) {
  if (digits < kNumberFirst) return std::nullopt;
  const std::uint64_t offset =
      (digits - kNumberFirst + kNumberCount - expected % kNumberCount) % kNumberCount;
  if (offset >= window) return std::nullopt;
  return offset;
}

}  // namespace hubbub::load
