#include "hubbub/wire/handshake.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "hubbub/base/hash.h"

namespace hubbub::wire {
namespace {

// RFC 6455 section 1.3: fixed, so that no server answers by accident.
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view kVersion = "13";
constexpr int kKeyBytes = 16;

bool equal_without_case(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// Takes the first element off a comma-separated list, without the white space around it. False at the end. ""
// has one element, which is empty; so has every place between, before and behind commas.
class ListElements {
 public:
  explicit ListElements(std::string_view list) noexcept : rest_(list) {}

  bool next(std::string_view& element) noexcept {
    if (done_) return false;
    const std::size_t comma = rest_.find(',');
    done_ = comma == std::string_view::npos;
    element = trim(rest_.substr(0, comma));
    if (!done_) rest_.remove_prefix(comma + 1);
    return true;
  }

 private:
  static std::string_view trim(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
  }

  std::string_view rest_;
  bool done_ = false;
};

// What of the request line and the headers is wrong, in the order in which a client's author wants to hear
// it.
Result<void> check_request(const HttpRequest& request) {
  const bool upgrade = has_token(request.header("upgrade"), "websocket");
  if (!upgrade && request.count("sec-websocket-key") == 0) return fail(Errc::upgrade_required);
  if (request.method != "GET")
    return fail(Errc::method_not_allowed, "a WebSocket handshake is a GET request");
  if (request.version < 11) return fail(Errc::bad_request, "a WebSocket handshake needs HTTP/1.1");
  if (!upgrade)
    return fail(Errc::bad_request, "the Upgrade header must hold websocket; a proxy may have removed it");
  if (!has_token(request.header("connection"), "upgrade"))
    return fail(Errc::bad_request, "the Connection header must hold Upgrade; a proxy may have removed it");
  if (request.content_length > 0 || request.chunked)
    return fail(Errc::bad_request,
                "a WebSocket handshake has no body: Content-Length or Transfer-Encoding is set");
  if (request.count("sec-websocket-version") != 1)
    return fail(Errc::bad_request, "the Sec-WebSocket-Version header must stand once");
  if (request.header("sec-websocket-version") != kVersion) return fail(Errc::upgrade_required);
  if (request.count("sec-websocket-key") != 1)
    return fail(Errc::bad_request, "the Sec-WebSocket-Key header must stand once");
  if (base64_decoded_size(request.header("sec-websocket-key")) != kKeyBytes)
    return fail(Errc::bad_request, "the Sec-WebSocket-Key header must be 16 bytes in base64");
  return {};
}

// The first of ours that the client offers, or "".
Result<std::string> select_subprotocol(const HttpRequest& request, const std::vector<std::string>& ours) {
  if (request.count("sec-websocket-protocol") == 0) return std::string{};
  const std::string list = request.header("sec-websocket-protocol");
  std::vector<std::string_view> offered;
  std::string_view element;
  for (ListElements elements(list); elements.next(element);) {
    if (element.empty())
      return fail(Errc::bad_request, "the Sec-WebSocket-Protocol header holds an empty element");
    offered.push_back(element);
  }
  std::vector<std::string_view> sorted = offered;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end())
    return fail(Errc::bad_request, "the Sec-WebSocket-Protocol header names a protocol twice");
  for (const std::string& own : ours)
    if (std::ranges::binary_search(sorted, std::string_view(own))) return own;
  return std::string{};
}

}  // namespace

bool has_token(std::string_view list, std::string_view token) noexcept {
  std::string_view element;
  for (ListElements elements(list); elements.next(element);)
    if (equal_without_case(element, token)) return true;
  return false;
}

std::string accept_key(std::string_view key) {
  std::string text(key);
  text += kGuid;
  return base64(sha1(text));
}

Result<Handshake> accept_handshake(const HttpRequest& request, const HandshakeSettings& settings) {
  if (const auto checked = check_request(request); !checked) return std::unexpected(checked.error());
  auto subprotocol = select_subprotocol(request, settings.subprotocols);
  if (!subprotocol) return std::unexpected(std::move(subprotocol.error()));

  Handshake handshake;
  handshake.subprotocol = std::move(*subprotocol);
  std::string& out = handshake.response;
  out =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
      "Upgrade\r\nSec-WebSocket-Accept: ";
  out += accept_key(request.header("sec-websocket-key"));
  if (!handshake.subprotocol.empty()) out += "\r\nSec-WebSocket-Protocol: " + handshake.subprotocol;
  if (settings.deflate.enabled && request.count("sec-websocket-extensions") > 0) {
    if (const auto agreed = negotiate_deflate(request.header("sec-websocket-extensions"), settings.deflate)) {
      handshake.deflate = agreed->params;
      out += "\r\nSec-WebSocket-Extensions: " + agreed->response;
    }
  }
  out += "\r\n\r\n";
  return handshake;
}

}  // namespace hubbub::wire
