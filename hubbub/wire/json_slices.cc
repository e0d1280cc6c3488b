// JsonSlices and the comparison of raw keys: reading JSON text that has been validated, without building
// anything.
#include <array>
#include <cstdint>

#include "hubbub/wire/json.h"
#include "hubbub/wire/json_scan.h"

namespace hubbub::wire {
namespace {

using scan::kNowhere;

// Behind the value that begins at `at`, or kNowhere.
std::size_t skip_value(std::string_view text, std::size_t at) noexcept {
  if (text[at] == '"') return scan::skip_string(text, at);
  if (scan::is_open(text[at])) return scan::skip_container(text, at);
  const std::size_t from = at;
  while (at < text.size() && !scan::is_space(text[at]) && text[at] != ',' && text[at] != ']' &&
         text[at] != '}')
    ++at;
  return at == from ? kNowhere : at;
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Four hex digits at `at`, or -1.
std::int32_t hex_quad(std::string_view raw, std::size_t at) noexcept {
  if (raw.size() < 4 || at > raw.size() - 4) return -1;
  std::int32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int digit = hex_digit(raw[at + i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// One decoded character: up to four bytes of UTF-8. size 0: not a valid escape.
struct Decoded {
  std::array<char, 4> bytes{};
  std::size_t size = 0;
};

Decoded utf8_of(std::int32_t point) noexcept {
  const auto byte = [](std::int32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  if (point < 0x80) return {{byte(point)}, 1};
  if (point < 0x800) return {{byte(0xC0 | (point >> 6)), byte(0x80 | (point & 0x3F))}, 2};
  if (point < 0x10000)
    return {{byte(0xE0 | (point >> 12)), byte(0x80 | ((point >> 6) & 0x3F)), byte(0x80 | (point & 0x3F))}, 3};
  return {{byte(0xF0 | (point >> 18)), byte(0x80 | ((point >> 12) & 0x3F)),
           byte(0x80 | ((point >> 6) & 0x3F)), byte(0x80 | (point & 0x3F))},
          4};
}

// \uXXXX at `at` (behind the 'u'), joined with the low surrogate that follows a high one (RFC 8259 section
// 7).
Decoded take_unicode(std::string_view raw, std::size_t& at) noexcept {
  std::int32_t point = hex_quad(raw, at);
  if (point < 0) return {};
  at += 4;
  if (point >= 0xD800 && point < 0xE000) {
    if (point >= 0xDC00 || !raw.substr(at).starts_with("\\u")) return {};
    const std::int32_t low = hex_quad(raw, at + 2);
    if (low < 0xDC00 || low >= 0xE000) return {};
    at += 6;
    point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
  }
  return utf8_of(point);
}

// The escape whose backslash stands at `at`; moves `at` behind it.
Decoded take_escape(std::string_view raw, std::size_t& at) noexcept {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (at + 1 >= raw.size()) return {};
  const char letter = raw[at + 1];
  at += 2;
  if (letter == 'u') return take_unicode(raw, at);
  const std::size_t index = kLetters.find(letter);
  if (index == std::string_view::npos) return {};
  return {{kMeanings[index]}, 1};
}

}  // namespace

JsonSlices::JsonSlices(std::string_view text) noexcept {
  const std::size_t begin = scan::skip_space(text, 0);
  if (begin == text.size() || !scan::is_open(text[begin])) return;
  text_ = text;
  object_ = text[begin] == '{';
  at_ = begin + 1;
}

bool JsonSlices::next() noexcept {
  if (step()) return true;
  at_ = text_.size();
  key_ = value_ = {};
  return false;
}

bool JsonSlices::step() noexcept {
  std::size_t at = scan::skip_space(text_, at_);
  if (at < text_.size() && text_[at] == ',') at = scan::skip_space(text_, at + 1);
  if (object_) {
    if (at >= text_.size() || text_[at] != '"') return false;  // '}', or not JSON
    const std::size_t end = scan::skip_string(text_, at);
    if (end == kNowhere) return false;
    key_ = text_.substr(at + 1, end - at - 2);
    at = scan::skip_space(text_, end);
    if (at >= text_.size() || text_[at] != ':') return false;
    at = scan::skip_space(text_, at + 1);
  }
  if (at >= text_.size()) return false;
  const std::size_t end = skip_value(text_, at);  // kNowhere at ']' and at what is not JSON
  if (end == kNowhere) return false;
  value_ = text_.substr(at, end - at);
  at_ = end;
  return true;
}

bool json_key_equals(std::string_view raw_key, std::string_view name) {
  std::size_t at = 0;
  while (at < raw_key.size()) {
    if (raw_key[at] != '\\') {
      if (name.empty() || name.front() != raw_key[at]) return false;
      name.remove_prefix(1);
      ++at;
      continue;
    }
    const Decoded decoded = take_escape(raw_key, at);
    const std::string_view bytes(decoded.bytes.data(), decoded.size);
    if (bytes.empty() || !name.starts_with(bytes)) return false;
    name.remove_prefix(bytes.size());
  }
  return name.empty();
}

}  // namespace hubbub::wire
