#include "hubbub/net/ip_gate.h"

#include <string>

#include "hubbub/base/assert.h"
#include "hubbub/base/hash.h"

namespace hubbub {
namespace {
// A sweep costs a walk over the table, so under address rotation at most one a second is spent on it.
constexpr Millis kSweepEvery = 1000;
}  // namespace

std::size_t IpGate::KeyHash::operator()(const Key& key) const {
  return static_cast<std::size_t>(placement_hash({reinterpret_cast<const char*>(key.data()), key.size()}));
}

bool IpGate::off(const Address& peer) const {
  if (limits_.ip_connections == 0 && limits_.ip_connects_per_s <= 0) return true;
  return limits_.ip_exempt_loopback && peer.is_loopback();
}

Result<void> IpGate::admit(const Address& peer, Millis now, Stats& stats) {
  if (off(peer)) return {};
  if (entries_.size() >= limits_.ip_entries) make_room(now, stats);
  auto [found, added] =
      entries_.try_emplace(peer.key(), Entry{0, TokenBucket(limits_.ip_connects_burst, now)});
  Entry& entry = found->second;
  if (limits_.ip_connections > 0 && entry.connections >= limits_.ip_connections) {
    stats.hit(LimitHit::ip_connections);
    Error error =
        limit_error(Errc::too_many_connections, "limits.ip_connections",
                    "this address has " + std::to_string(entry.connections) +
                        " connections, the most it may have (limits.ip_connections); close one first");
    error.retry_after_ms = 1000;
    return std::unexpected(std::move(error));
  }
  const double rate = limits_.ip_connects_per_s;
  if (rate > 0 && !entry.connects.take(rate, limits_.ip_connects_burst, now)) {
    stats.hit(LimitHit::ip_connects_per_s);
    Error error = limit_error(Errc::too_many_connections, "limits.ip_connects_per_s",
                              "this address connects more often than limits.ip_connects_per_s allows");
    error.retry_after_ms = entry.connects.wait_ms(rate);
    return std::unexpected(std::move(error));
  }
  ++entry.connections;
  return {};
}

void IpGate::release(const Address& peer) {
  if (off(peer)) return;
  const auto found = entries_.find(peer.key());
  HUBBUB_ASSERT(found != entries_.end() && found->second.connections > 0);
  if (--found->second.connections == 0 && entries_.size() > limits_.ip_entries) entries_.erase(found);
}

void IpGate::make_room(Millis now, Stats& stats) {
  if (now - swept_at_ >= kSweepEvery) {
    swept_at_ = now;
    boost::unordered::erase_if(entries_, [&](auto& item) {
      return item.second.connections == 0 &&
             item.second.connects.full(limits_.ip_connects_per_s, limits_.ip_connects_burst, now);
    });
  }
  if (entries_.size() < limits_.ip_entries) return;
  stats.hit(LimitHit::ip_entries);
  constexpr int kLooks = 64;
  int looks = 0;
  for (auto it = entries_.begin(); it != entries_.end() && looks < kLooks; ++looks) {
    if (it->second.connections == 0) {
      entries_.erase(it);
      return;
    }
    ++it;
  }
}

}  // namespace hubbub
