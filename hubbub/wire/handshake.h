// The opening handshake, server side (RFC 6455 section 4.2): is this request a good upgrade, and what is the
// answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/base/error.h"
#include "hubbub/wire/deflate.h"
#include "hubbub/wire/http_head.h"

namespace hubbub::wire {

struct HandshakeSettings {
  std::vector<std::string> subprotocols;  // that we speak; in order of our preference
  DeflateSettings deflate;
};

struct Handshake {
  std::string response;                  // the whole 101 response, ready to send
  std::string subprotocol;               // the selected one, or ""
  std::optional<DeflateParams> deflate;  // set if negotiated
};

// Section 4.2.1: GET, HTTP/1.1, Connection with token upgrade, Upgrade with token websocket (both
// case-insensitive lists), Sec-WebSocket-Key that decodes to 16 bytes and stands once, version 13, no body.
// Not a WebSocket upgrade at all (neither Upgrade: websocket nor a key), or another version:
// upgrade_required. Another method: method_not_allowed. Anything else wrong: bad_request naming the header.
// Offered subprotocols of which we speak none: the handshake goes on without one (section 4.2.2 /subprotocol/
// null); repeated or empty elements are bad_request. Path and origin are not looked at.
[[nodiscard]] Result<Handshake> accept_handshake(const HttpRequest& request,
                                                 const HandshakeSettings& settings);

// base64(SHA-1(key + GUID)): the value of Sec-WebSocket-Accept (section 4.2.2 /key/).
[[nodiscard]] std::string accept_key(std::string_view key);

// True if `token` is an element of the comma-separated header value, compared without case.
[[nodiscard]] bool has_token(std::string_view list, std::string_view token) noexcept;

}  // namespace hubbub::wire
