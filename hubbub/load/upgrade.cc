#include "hubbub/load/upgrade.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace hubbub::load {
namespace {

// The example of RFC 6455 section 1.3: a known key with its known answer saves a digest a connection.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::size_t kBodyShown = 200;

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

// The value of the first header of that (lower case) name; "" without one.
std::string_view header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (!std::ranges::equal(line.substr(0, name.size()), name, {}, lower)) continue;
    const std::size_t begin = line.find_first_not_of(" \t", name.size() + 1);
    return begin == std::string_view::npos ? std::string_view{} : line.substr(begin);
  }
  return {};
}

}  // namespace

std::string upgrade_request(const UpgradeSettings& settings, std::string_view authority,
                            std::string_view target) {
  std::string out = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {}\r\n"
      "Sec-WebSocket-Version: 13\r\n",
      target, authority, kKey);
  if (!settings.subprotocol.empty())
    out += fmt::format("Sec-WebSocket-Protocol: {}\r\n", settings.subprotocol);
  if (settings.deflate) {
    out +=
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
        "client_no_context_takeover\r\n";
  }
  for (const std::string& line : settings.headers) out += line + "\r\n";
  return out + "\r\n";
}

Outcome<void> check_upgrade(const UpgradeSettings& settings, std::string_view head, std::string_view body) {
  if (!head.starts_with("HTTP/1.1 101")) {
    return Failure(fmt::format("the server refused the upgrade: {} {}", head.substr(0, head.find("\r\n")),
                               body.substr(0, kBodyShown)));
  }
  if (header(head, "sec-websocket-accept") != kAccept) {
    return Failure("the server's Sec-WebSocket-Accept does not fit the key");
  }
  if (header(head, "sec-websocket-protocol") != settings.subprotocol) {
    return Failure(fmt::format("asked for the subprotocol \"{}\", the server chose \"{}\"",
                               settings.subprotocol, header(head, "sec-websocket-protocol")));
  }
  const std::string_view extensions = header(head, "sec-websocket-extensions");
  if (!settings.deflate) {
    return extensions.empty() ? Outcome<void>{} : Failure("the server chose an extension nobody offered");
  }
  if (!extensions.starts_with("permessage-deflate")) return Failure("the server declined permessage-deflate");
  if (extensions.find("server_no_context_takeover") == std::string_view::npos) {
    return Failure("the server keeps its compression context although asked not to");
  }
  return {};
}

}  // namespace hubbub::load
