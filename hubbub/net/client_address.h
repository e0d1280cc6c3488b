// The address of the client behind trusted proxies, as they tell it: X-Forwarded-For, or Forwarded (RFC
// 7239).
//
// Each proxy appends the address that it was connected from, so the last entry is the word of the proxy that
// connects to us, the one before it the word of the proxy that this entry names, and so on. They are read
// from the right for as long as the speaker is trusted; whatever a client wrote there itself stands further
// left and is never reached.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "hubbub/net/address.h"
#include "hubbub/wire/http_head.h"

namespace hubbub {

// A network: those addresses whose first `bits` bits are as in `address`.
struct AddressRange {
  Address address;
  unsigned bits = 128;  // of the 16 bytes; an IPv4 /8 is 104

  // "10.0.0.0/8", "2001:db8::/32", "192.0.2.1". Nothing if it is no such text, or if bits behind the prefix
  // are set.
  [[nodiscard]] static std::optional<AddressRange> parse(std::string_view text);
  [[nodiscard]] bool contains(const Address& other) const;
};

enum class ForwardedHeader : std::uint8_t { x_forwarded_for, forwarded };

struct ProxySettings {
  std::vector<AddressRange> trusted;                          // proxy.trusted
  ForwardedHeader header = ForwardedHeader::x_forwarded_for;  // proxy.header: the one that they all write

  [[nodiscard]] bool trusts(const Address& address) const;
  // Who sent the request: `peer` itself if it is not trusted. Where the entries end, or one is not an
  // address, the last trusted proxy stands for its clients. Ports are kept if they are told, else 0.
  [[nodiscard]] Address client_of(const Address& peer, const wire::HttpRequest& request) const;
};

}  // namespace hubbub
