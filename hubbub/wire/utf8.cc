#include "hubbub/wire/utf8.h"

#include <simdjson.h>

#include <cstddef>
#include <cstring>

namespace hubbub::wire {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;

std::uint64_t load8(const char* from) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Bytes at the front that are certainly ASCII, up to a step of 32 short of all there are. Most messages are
// ASCII to the end, and for short ones this costs less than the validator's dispatch.
std::size_t ascii_prefix(std::string_view text) noexcept {
  const char* data = text.data();
  std::size_t i = 0;
  for (; i + 32 <= text.size(); i += 32) {
    const std::uint64_t any =
        load8(data + i) | load8(data + i + 8) | load8(data + i + 16) | load8(data + i + 24);
    if (any & kHighBits) return i;
  }
  for (; i + 8 <= text.size(); i += 8)
    if (load8(data + i) & kHighBits) return i;
  for (; i < text.size(); ++i)
    if (static_cast<unsigned char>(data[i]) & 0x80) return i;
  return i;
}

// Bytes of the character this byte leads; 0 for bytes that lead none (continuations, C0, C1, F5-FF).
unsigned character_size(unsigned char lead) noexcept {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

// Bytes at the end of `text` that begin a character and do not finish it: 0..3.
std::size_t unfinished_tail(std::string_view text) noexcept {
  for (std::size_t k = 1; k <= 3 && k <= text.size(); ++k) {
    const auto byte = static_cast<unsigned char>(text[text.size() - k]);
    if ((byte & 0xC0) == 0x80) continue;
    return character_size(byte) > k ? k : 0;
  }
  return 0;
}

}  // namespace

bool utf8_valid(std::string_view text) noexcept {
  text.remove_prefix(ascii_prefix(text));
  return text.empty() || simdjson::validate_utf8(text.data(), text.size());
}

bool Utf8Checker::feed(std::string_view piece) noexcept {
  while (needed_ > 0 && !piece.empty()) {
    if (!step(static_cast<unsigned char>(piece.front()))) return false;
    piece.remove_prefix(1);
  }
  const std::size_t tail = unfinished_tail(piece);
  if (!utf8_valid(piece.substr(0, piece.size() - tail))) return false;
  for (const char byte : piece.substr(piece.size() - tail))
    if (!step(static_cast<unsigned char>(byte))) return false;
  return true;
}

// RFC 3629 section 4: E0, ED, F0 and F4 narrow what may come second, so that overlong forms, surrogates and
// values past U+10FFFF fail at the byte that makes them so.
bool Utf8Checker::step(unsigned char byte) noexcept {
  if (needed_ > 0) {
    if (byte < lower_ || byte > upper_) return false;
    lower_ = 0x80;
    upper_ = 0xBF;
    --needed_;
    return true;
  }
  const unsigned size = character_size(byte);
  if (size == 0) return false;
  needed_ = static_cast<std::uint8_t>(size - 1);
  if (byte == 0xE0) lower_ = 0xA0;
  if (byte == 0xED) upper_ = 0x9F;
  if (byte == 0xF0) lower_ = 0x90;
  if (byte == 0xF4) upper_ = 0x8F;
  return true;
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace hubbub::wire
