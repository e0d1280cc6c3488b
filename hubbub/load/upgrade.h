// The opening handshake, client side (RFC 6455 section 4.1): the request, and whether the answer is a good
// one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hubbub/load/outcome.h"

namespace hubbub::load {

struct UpgradeSettings {
  std::vector<std::string> headers{};  // "Name: value", as they are
  std::string subprotocol{};           // "": none
  bool deflate = false;                // permessage-deflate without context in both directions
};

// `authority`: host and port; `target`: path and query.
[[nodiscard]] std::string upgrade_request(const UpgradeSettings& settings, std::string_view authority,
                                          std::string_view target);

// `head`: status line and headers without the empty line; `body`: what came behind it so far. The error tells
// what the server said. A server that declines the subprotocol or the compression asked for is refused, too:
// the run would measure something else.
[[nodiscard]] Outcome<void> check_upgrade(const UpgradeSettings& settings, std::string_view head,
                                          std::string_view body);

}  // namespace hubbub::load
