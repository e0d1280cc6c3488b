// Address: a peer's IP address and port. Its key groups what one party holds: an IPv4 address, or an IPv6 /64
// (a subscriber's smallest usual allocation).
#pragma once

#include <array>
#include <cstdint>
#include <string>

struct sockaddr_storage;

namespace hubbub {

struct Address {
  std::array<std::uint8_t, 16> ip{};  // IPv4 as ::ffff:a.b.c.d
  std::uint16_t port = 0;

  [[nodiscard]] static Address from(const sockaddr_storage& storage);
  [[nodiscard]] static Address ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d,
                                    std::uint16_t port = 0);
  [[nodiscard]] bool is_ipv4() const;
  [[nodiscard]] bool is_loopback() const;
  // "127.0.0.1:5555", "[2001:db8::1]:5555"
  [[nodiscard]] std::string text() const;
  // What limits per address count by.
  [[nodiscard]] std::array<std::uint8_t, 16> key() const;
};

}  // namespace hubbub
