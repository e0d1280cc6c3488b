#include "hubbub/core/access.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace hubbub {
namespace {

constexpr std::size_t kMethodBytesMax = 128;  // as long as a method's name may be

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

struct Authority {
  std::string host;  // lower case; IPv6 in brackets
  int port = 0;      // 0: not given
};

struct Origin {
  std::string scheme;
  Authority authority;
};

// Decimal in 1..65535, or nullopt.
std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
    return std::nullopt;
  return port;
}

bool valid_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.size() > 3 && host.ends_with(']') &&
           std::ranges::all_of(host.substr(1, host.size() - 2), [](char c) {
             return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
           });
  }
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_';
  });
}

// "host", "host:port", "[::1]:port". `any_host` lets a pattern's "*." pass.
std::optional<Authority> parse_authority(std::string_view text, bool any_host = false) {
  Authority out;
  out.host = lower(text);
  const std::size_t bracket = out.host.find(']');
  const std::size_t colon = out.host.find(':', bracket == std::string::npos ? 0 : bracket);
  if (colon != std::string::npos) {
    const auto port = parse_port(std::string_view(out.host).substr(colon + 1));
    if (!port) return std::nullopt;
    out.port = *port;
    out.host.resize(colon);
  }
  std::string_view plain = out.host;
  if (any_host && plain.starts_with("*.")) plain.remove_prefix(2);
  if (!valid_host(plain)) return std::nullopt;
  return out;
}

int default_port(std::string_view scheme) {
  if (scheme == "http" || scheme == "ws") return 80;
  if (scheme == "https" || scheme == "wss") return 443;
  return 0;
}

// RFC 6454 section 6.2: scheme://host[:port] and nothing behind it. A missing port becomes the scheme's.
std::optional<Origin> parse_origin(std::string_view text, bool any_host = false) {
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  Origin out{lower(text.substr(0, end)), {}};
  const bool scheme_ok = is_letter(out.scheme[0]) && std::ranges::all_of(out.scheme, [](char c) {
                           return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
                         });
  auto authority = parse_authority(text.substr(end + 3), any_host);
  if (!scheme_ok || !authority) return std::nullopt;
  out.authority = std::move(*authority);
  if (out.authority.port == 0) out.authority.port = default_port(out.scheme);
  return out;
}

bool same_host(const Origin& origin, std::string_view host_header) {
  auto host = parse_authority(host_header);
  if (!host) return false;
  if (host->port == 0) host->port = default_port(origin.scheme);
  return host->host == origin.authority.host && host->port == origin.authority.port;
}

bool covers(const Origin& pattern, const Origin& origin) {
  if (pattern.scheme != origin.scheme || pattern.authority.port != origin.authority.port) return false;
  const std::string_view host = origin.authority.host;
  std::string_view wanted = pattern.authority.host;
  if (!wanted.starts_with("*.")) return host == wanted;
  wanted.remove_prefix(1);  // keep the dot: evilexample.com is not below example.com
  return host.size() > wanted.size() && host.ends_with(wanted);
}

bool loopback_v4(std::string_view text) {
  int parts = 0;
  while (true) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    const std::string_view part = text.substr(0, dot);
    int value = 0;
    if (part.empty() || part.size() > 3 || !std::ranges::all_of(part, is_digit)) return false;
    std::from_chars(part.data(), part.data() + part.size(), value);
    if (value > 255 || (parts == 0 && value != 127)) return false;
    ++parts;
    if (dot == text.size()) return parts == 4;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace

bool is_loopback_name(std::string_view host) {
  if (host == "::1" || host == "[::1]") return true;
  return lower(host) == "localhost" || loopback_v4(host);
}

bool AccessRules::method_allowed(std::string_view method) const {
  if (!configured()) return true;
  return std::ranges::any_of(allow, [method](std::string_view pattern) {
    if (!pattern.ends_with('*')) return pattern == method;
    return method.starts_with(pattern.substr(0, pattern.size() - 1));
  });
}

bool AccessRules::origin_allowed(std::string_view origin, std::string_view host) const {
  if (origin.empty() || origin_listed(origin, origins)) return true;
  const auto parsed = parse_origin(origin);
  if (!parsed) return false;
  return configured() ? same_host(*parsed, host) : is_loopback_name(parsed->authority.host);
}

bool origin_listed(std::string_view origin, const std::vector<std::string>& origins) {
  const auto parsed = parse_origin(origin);
  return std::ranges::any_of(origins, [&](std::string_view pattern) {
    if (pattern == "*") return true;
    if (!parsed) return origin == "null" && pattern == "null";
    const auto wanted = parse_origin(pattern, true);
    return wanted && covers(*wanted, *parsed);
  });
}

bool valid_method_pattern(std::string_view pattern) {
  if (pattern.empty() || pattern.size() > kMethodBytesMax) return false;
  if (pattern.ends_with('*')) pattern.remove_suffix(1);
  // Brackets and quotes are a TOML list that ended up where commas are meant.
  static constexpr std::string_view kNever = "*,[]\"'";
  return std::ranges::all_of(
      pattern, [](char c) { return c > ' ' && c <= '~' && kNever.find(c) == std::string_view::npos; });
}

bool valid_origin_pattern(std::string_view pattern) {
  return pattern == "*" || pattern == "null" || parse_origin(pattern, true).has_value();
}

}  // namespace hubbub
