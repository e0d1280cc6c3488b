// Url: where to connect, as ws://HOST[:PORT][/PATH][?QUERY].
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "hubbub/load/outcome.h"

namespace hubbub::load {

struct Url {
  std::string host{};  // IPv6 without brackets
  std::uint16_t port = 80;
  std::string target = "/";  // path and query
  bool ipv6 = false;

  // What the Host header says.
  [[nodiscard]] std::string authority() const;
};

// The error is the rest of the sentence "URL ...".
[[nodiscard]] Outcome<Url> parse_url(std::string_view text);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  // 127.0.0.0/8: any other address of that net can be the source.
  [[nodiscard]] bool is_ipv4_loopback() const;
};

// Asks the resolver; blocks.
[[nodiscard]] Outcome<SocketAddress> resolve(const Url& url);

}  // namespace hubbub::load
