#include "hubbub/net/client_address.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace hubbub {
namespace {

constexpr unsigned kIpv4Offset = 96;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes what follows the last `mark` outside of quotes off the end; the mark goes, too.
std::string_view take_last(std::string_view& list, char mark) {
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (quoted && list[i] == '\\') {
      ++i;
    } else if (list[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && list[i] == mark) {
      begin = i + 1;
    }
  }
  const std::string_view last = list.substr(begin);
  list = list.substr(0, begin == 0 ? 0 : begin - 1);
  return trimmed(last);
}

bool same_name(std::string_view name, std::string_view lower) {
  return std::ranges::equal(name, lower, {}, [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
}

// The node of an element of Forwarded (RFC 7239 section 4): for=192.0.2.43, for="[2001:db8::17]:4711". The
// first parameter of that name, for there must be one at most.
std::string_view forwarded_node(std::string_view element) {
  std::string_view node;
  while (!element.empty()) {
    const std::string_view pair = take_last(element, ';');
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || !same_name(pair.substr(0, equals), "for")) continue;
    node = pair.substr(equals + 1);
    if (node.size() >= 2 && node.front() == '"' && node.back() == '"') node = node.substr(1, node.size() - 2);
  }
  return node;
}

}  // namespace

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  const auto slash = text.find('/');
  const std::string_view name = text.substr(0, slash);
  if (name.starts_with('[')) return std::nullopt;
  const auto address = Address::parse(name);
  if (!address || address->port != 0 || (address->is_ipv4() && name.contains(':') != name.starts_with(':')))
    return std::nullopt;
  AddressRange out{.address = *address};
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const unsigned offset = address->is_ipv4() ? kIpv4Offset : 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.bits);
    if (error != std::errc{} || end != digits.data() + digits.size() || out.bits > 128 - offset)
      return std::nullopt;
    out.bits += offset;
  }
  for (unsigned bit = out.bits; bit < 128; ++bit)
    if (out.address.ip[bit / 8] >> (7 - bit % 8) & 1) return std::nullopt;
  return out;
}

bool AddressRange::contains(const Address& other) const {
  const unsigned whole = bits / 8;
  if (!std::equal(address.ip.begin(), address.ip.begin() + whole, other.ip.begin())) return false;
  if (bits % 8 == 0) return true;
  return (address.ip[whole] ^ other.ip[whole]) >> (8 - bits % 8) == 0;
}

bool ProxySettings::trusts(const Address& address) const {
  return std::ranges::any_of(trusted, [&](const AddressRange& range) { return range.contains(address); });
}

Address ProxySettings::client_of(const Address& peer, const wire::HttpRequest& request) const {
  if (!trusts(peer)) return peer;
  const bool standard = header == ForwardedHeader::forwarded;
  const std::string value = request.header(standard ? "forwarded" : "x-forwarded-for");
  std::string_view entries = value;
  Address client = peer;
  while (!entries.empty() && trusts(client)) {
    const std::string_view entry = take_last(entries, ',');
    const auto told = Address::parse(standard ? forwarded_node(entry) : entry);
    if (!told) break;
    client = *told;
  }
  return client;
}

}  // namespace hubbub
