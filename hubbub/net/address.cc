#include "hubbub/net/address.h"

#include <arpa/inet.h>
#include <fmt/compile.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

namespace hubbub {
namespace {
constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
}

Address Address::from(const sockaddr_storage& storage) {
  Address out;
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &storage, sizeof v4);
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), out.ip.begin());
    std::memcpy(out.ip.data() + kMappedPrefix.size(), &v4.sin_addr, 4);
    out.port = ntohs(v4.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &storage, sizeof v6);
    std::memcpy(out.ip.data(), &v6.sin6_addr, 16);
    out.port = ntohs(v6.sin6_port);
  }
  return out;
}

Address Address::ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port) {
  Address out;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), out.ip.begin());
  out.ip[12] = a, out.ip[13] = b, out.ip[14] = c, out.ip[15] = d;
  out.port = port;
  return out;
}

std::optional<Address> Address::parse(std::string_view text) {
  constexpr std::size_t kTextMax = INET6_ADDRSTRLEN + 8;
  if (text.size() > kTextMax) return std::nullopt;
  std::string_view port;
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    port = text.substr(end + 1);
    text = text.substr(1, end - 1);
  } else if (const auto colon = text.find(':');
             colon != std::string_view::npos && text.contains('.') && colon == text.rfind(':')) {
    port = text.substr(colon);
    text = text.substr(0, colon);
  }
  Address out;
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), out.port);
    if (port.front() != ':' || error != std::errc{} || end != port.data() + port.size()) return std::nullopt;
  }
  const std::string name(text);
  if (!bracketed && inet_pton(AF_INET, name.c_str(), out.ip.data() + kMappedPrefix.size()) == 1) {
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), out.ip.begin());
    return out;
  }
  if (inet_pton(AF_INET6, name.c_str(), out.ip.data()) == 1) return out;
  return std::nullopt;
}

bool Address::is_ipv4() const { return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin()); }

bool Address::is_loopback() const {
  if (is_ipv4()) return ip[12] == 127;
  return std::all_of(ip.begin(), ip.end() - 1, [](std::uint8_t b) { return b == 0; }) && ip[15] == 1;
}

std::string Address::text() const {
  if (is_ipv4()) {
    if (port == 0) return fmt::format(FMT_COMPILE("{}.{}.{}.{}"), ip[12], ip[13], ip[14], ip[15]);
    return fmt::format(FMT_COMPILE("{}.{}.{}.{}:{}"), ip[12], ip[13], ip[14], ip[15], port);
  }
  char buffer[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, ip.data(), buffer, sizeof buffer);
  if (port == 0) return buffer;
  return '[' + std::string(buffer) + "]:" + std::to_string(port);
}

std::array<std::uint8_t, 16> Address::key() const {
  std::array<std::uint8_t, 16> out = ip;
  if (!is_ipv4()) std::fill(out.begin() + 8, out.end(), std::uint8_t{0});
  return out;
}

}  // namespace hubbub
