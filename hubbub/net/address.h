// Address: a peer's IP address and port. Its key groups what one party holds: an IPv4 address, or an IPv6 /64
// (a subscriber's smallest usual allocation).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr_storage;

namespace hubbub {

struct Address {
  std::array<std::uint8_t, 16> ip{};  // IPv4 as ::ffff:a.b.c.d
  std::uint16_t port = 0;

  [[nodiscard]] static Address from(const sockaddr_storage& storage);
  [[nodiscard]] static Address ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d,
                                    std::uint16_t port = 0);
  // "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80"; the port is 0 if there
  // is none. No names, no zones.
  [[nodiscard]] static std::optional<Address> parse(std::string_view text);
  [[nodiscard]] bool is_ipv4() const;
  [[nodiscard]] bool is_loopback() const;
  // "127.0.0.1:5555", "[2001:db8::1]:5555"; without a port if that is 0
  [[nodiscard]] std::string text() const;
  // What limits per address count by.
  [[nodiscard]] std::array<std::uint8_t, 16> key() const;
  friend bool operator==(const Address&, const Address&) = default;
};

}  // namespace hubbub
