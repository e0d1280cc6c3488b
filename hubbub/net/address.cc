#include "hubbub/net/address.h"

#include <arpa/inet.h>
#include <fmt/compile.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

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

bool Address::is_ipv4() const { return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin()); }

bool Address::is_loopback() const {
  if (is_ipv4()) return ip[12] == 127;
  return std::all_of(ip.begin(), ip.end() - 1, [](std::uint8_t b) { return b == 0; }) && ip[15] == 1;
}

std::string Address::text() const {
  if (is_ipv4()) return fmt::format(FMT_COMPILE("{}.{}.{}.{}:{}"), ip[12], ip[13], ip[14], ip[15], port);
  char buffer[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, ip.data(), buffer, sizeof buffer);
  return '[' + std::string(buffer) + "]:" + std::to_string(port);
}

std::array<std::uint8_t, 16> Address::key() const {
  std::array<std::uint8_t, 16> out = ip;
  if (!is_ipv4()) std::fill(out.begin() + 8, out.end(), std::uint8_t{0});
  return out;
}

}  // namespace hubbub
