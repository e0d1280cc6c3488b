// IpGate: how many connections one address has and how fast it opens them. Memory is bounded: addresses
// without connections are forgotten, first those whose allowance is full again, at the bound any; so the
// table never holds more than limits.ip_entries addresses plus those with open connections.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hubbub/base/error.h"
#include "hubbub/base/token_bucket.h"
#include "hubbub/core/limits.h"
#include "hubbub/core/stats.h"
#include "hubbub/net/address.h"

namespace hubbub {

class IpGate {
 public:
  explicit IpGate(const Limits& limits) : limits_(limits) {}

  // Counts a connection of that address in. Error too_many_connections with retry_after_ms and the limit's
  // name, counted in `stats`. Every admitted connection must be released.
  [[nodiscard]] Result<void> admit(const Address& peer, Millis now, Stats& stats);
  void release(const Address& peer);
  [[nodiscard]] std::size_t entries() const { return entries_.size(); }

 private:
  using Key = std::array<std::uint8_t, 16>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  struct Entry {
    std::uint32_t connections = 0;
    TokenBucket connects;
  };

  [[nodiscard]] bool off(const Address& peer) const;
  void make_room(Millis now, Stats& stats);

  const Limits& limits_;
  boost::unordered_flat_map<Key, Entry, KeyHash> entries_;
  Millis swept_at_ = 0;
};

}  // namespace hubbub
