// Utf8Checker: UTF-8 validity of a text that arrives in pieces, failing at the first byte that can no longer
// be part of valid UTF-8 (RFC 3629; RFC 6455 section 8.1). Whole messages take simdjson's validator inside
// feed().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hubbub::wire {

class Utf8Checker {
 public:
  // False once the text so far cannot be the beginning of valid UTF-8. After false: reset() first.
  [[nodiscard]] bool feed(std::string_view piece) noexcept;
  // True if the text may end here, i.e. not inside a character.
  [[nodiscard]] bool complete() const noexcept { return needed_ == 0; }
  void reset() noexcept { *this = Utf8Checker{}; }

 private:
  [[nodiscard]] bool step(unsigned char byte) noexcept;

  std::uint8_t needed_ = 0;    // continuation bytes still to come
  std::uint8_t lower_ = 0x80;  // bounds of the next continuation byte
  std::uint8_t upper_ = 0xBF;
};

[[nodiscard]] bool utf8_valid(std::string_view text) noexcept;

// The first `bytes_max` bytes of valid UTF-8, fewer where a character would be cut.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace hubbub::wire
