#include "hubbub/load/text_argument.h"

#include <charconv>
#include <fstream>
#include <iterator>

namespace hubbub::load {
namespace {

Outcome<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Failure("cannot be read");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

// Takes what stands behind a backslash.
bool take_escape(std::string_view& rest, std::string& out) {
  constexpr std::string_view kNames = "rnt0\\";
  constexpr std::string_view kBytes("\r\n\t\0\\", 5);
  if (rest.empty()) return false;
  if (const std::size_t at = kNames.find(rest.front()); at != std::string_view::npos) {
    out += kBytes[at];
    rest.remove_prefix(1);
    return true;
  }
  unsigned byte = 0;
  if (rest.front() != 'x' || rest.size() < 3) return false;
  const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + 3, byte, 16);
  if (error != std::errc{} || end != rest.data() + 3) return false;
  out += static_cast<char>(byte);
  rest.remove_prefix(3);
  return true;
}

Outcome<std::string> unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '\\') {
      out += c;
    } else if (!take_escape(text, out)) {
      return Failure(R"(has a bad escape: \r \n \t \0 \\ and \xHH are known)");
    }
  }
  return out;
}

}  // namespace

Outcome<std::string> read_text(std::string_view argument, bool escapes) {
  if (argument.starts_with('@')) {
    auto text = read_file(std::string(argument.substr(1)));
    if (!text || !escapes) return text;
    return unescape(*text);
  }
  return escapes ? unescape(argument) : Outcome<std::string>(argument);
}

}  // namespace hubbub::load
