// Who may call what, and which web pages may connect. Until `access.allow` is set the hub is in protected
// mode: it listens on loopback only (configuration sees to that), every method may be called, and only pages
// of this machine get in. Origin is RFC 6454's; what it protects against is a foreign page using a visitor's
// browser (RFC 6455 section 10.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hubbub {

struct AccessRules {
  // Method names, or beginnings of names with a `*` at the end: "topic.*". "*" is every method, the
  // privileged included.
  std::vector<std::string> allow;
  // "https://app.example.com", "https://*.example.com" (any depth below, not example.com itself), "null",
  // "*".
  std::vector<std::string> origins;

  // False: protected mode.
  [[nodiscard]] bool configured() const { return !allow.empty(); }
  [[nodiscard]] bool method_allowed(std::string_view method) const;
  // `origin` and `host` are the values of these headers. An empty origin passes: it is no browser. In
  // protected mode pages of this machine pass (see is_loopback_name) and those listed; otherwise pages of the
  // host itself and those listed. Scheme and host are compared without case, a missing port is the scheme's
  // default.
  [[nodiscard]] bool origin_allowed(std::string_view origin, std::string_view host) const;
};

// True for "localhost", 127.0.0.0/8 in dotted form, and "::1" with or without brackets. Not for names that
// only begin that way, as 127.0.0.1.example.com does.
[[nodiscard]] bool is_loopback_name(std::string_view host);

// True if `origins` has a pattern that covers `origin`; what `cors.origins` needs.
[[nodiscard]] bool origin_listed(std::string_view origin, const std::vector<std::string>& origins);

// What may stand in `allow` and in `origins`.
[[nodiscard]] bool valid_method_pattern(std::string_view pattern);
[[nodiscard]] bool valid_origin_pattern(std::string_view pattern);

}  // namespace hubbub
