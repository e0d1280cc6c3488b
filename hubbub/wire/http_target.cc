#include "hubbub/wire/http_target.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace hubbub::wire {
namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool equal_without_case(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// Cuts "http://host" off an absolute-form target. False if it is not one.
bool cut_authority(std::string_view& target) noexcept {
  constexpr std::array<std::string_view, 4> kSchemes = {"http", "https", "ws", "wss"};
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = target.substr(0, colon);
  if (std::ranges::none_of(kSchemes, [&](auto known) { return equal_without_case(scheme, known); }))
    return false;
  target.remove_prefix(colon + 3);
  const std::size_t authority = std::min(target.find_first_of("/?"), target.size());
  target.remove_prefix(authority);
  return authority > 0;
}

}  // namespace

bool percent_decode(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    if (text.size() - at < 3) return false;
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(static_cast<unsigned char>(high * 16 + low));
    at += 2;
  }
  return true;
}

std::string_view split_target(HttpRequest& request) {
  std::string_view target = request.target;
  const auto printable = [](char c) { return c > 0x20 && c < 0x7F && c != '#'; };
  if (!std::ranges::all_of(target, printable))
    return "the request target holds bytes that must be percent-encoded";
  if (target == "*" && request.method == "OPTIONS") {
    request.path = "*";
    return {};
  }
  if (!target.starts_with('/') && !cut_authority(target))
    return "the request target must be a path or an http, https, ws or wss URL";
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  std::string decoded;  // of the query: only to know that it can be
  if (!percent_decode(path, request.path) || !percent_decode(request.query, decoded))
    return "the request target holds a '%' without two hex digits";
  if (request.path.find('\0') != std::string::npos) return "the request target's path holds a NUL";
  if (request.path.empty()) request.path = "/";
  return {};
}

std::string HttpRequest::query_param(std::string_view name) const {
  std::string decoded;
  for (std::string_view rest = query; !rest.empty();) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!percent_decode(pair.substr(0, equals), decoded) || decoded != name) continue;
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    return percent_decode(value, decoded) ? decoded : std::string{};
  }
  return {};
}

}  // namespace hubbub::wire
