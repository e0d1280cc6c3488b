// Text and raw JSON on their way out.
#include "hubbub/core/json_write.h"

#include "hubbub/wire/utf8.h"

namespace hubbub {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the character `text` begins with, or 0 if it does not begin with one.
std::size_t character_bytes(std::string_view text) {
  wire::Utf8Checker checker;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!checker.feed(text.substr(i, 1))) return 0;
    if (checker.complete()) return i + 1;
  }
  return 0;
}

}  // namespace

std::string mended_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    out += bytes == 0 ? kReplacement : text.substr(0, bytes);
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return out;
}

void append_json_text(std::string& out, std::string_view text) {
  if (wire::utf8_valid(text)) return wire::append_json_string(out, text);
  wire::append_json_string(out, mended_utf8(text));
}

void append_json_verbatim(std::string& out, std::string_view text) { out += text.empty() ? "null" : text; }

}  // namespace hubbub
