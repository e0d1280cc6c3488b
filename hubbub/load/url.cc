#include "hubbub/load/url.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

namespace hubbub::load {
namespace {

constexpr std::string_view kScheme = "ws://";

bool read_port(std::string_view text, std::uint16_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out > 0;
}

}  // namespace

std::string Url::authority() const {
  return ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Outcome<Url> parse_url(std::string_view text) {
  if (text.starts_with("wss://"))
    return Failure("is TLS, which this generator does not speak; give a ws:// URL");
  if (!text.starts_with(kScheme)) return Failure("must begin with ws://");
  text.remove_prefix(kScheme.size());
  Url url;
  const std::size_t slash = text.find_first_of("/?");
  std::string_view authority = text.substr(0, slash);
  if (slash != std::string_view::npos) url.target = text.substr(slash);
  if (url.target.starts_with('?')) url.target.insert(0, "/");
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return Failure("has a [ without ]");
    url.ipv6 = true;
    url.host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    authority.remove_prefix(colon);
  }
  if (url.host.empty()) return Failure("names no host");
  if (!authority.empty() && (authority.front() != ':' || !read_port(authority.substr(1), url.port))) {
    return Failure("has a bad port: 1..65535");
  }
  if (url.target.find_first_of(" \r\n") != std::string::npos) return Failure("has a blank in it");
  return url;
}

bool SocketAddress::is_ipv4_loopback() const {
  if (storage.ss_family != AF_INET) return false;
  sockaddr_in address{};
  std::memcpy(&address, &storage, sizeof address);
  return ntohl(address.sin_addr.s_addr) >> 24U == 127;
}

Outcome<SocketAddress> resolve(const Url& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = url.ipv6 ? AF_INET6 : AF_UNSPEC;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
  if (status != 0) return Failure(fmt::format("{}: {}", url.host, ::gai_strerror(status)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  SocketAddress out;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    // IPv4 first: of `localhost` it is what servers under test listen on.
    if (out.size != 0 && each->ai_family != AF_INET) continue;
    std::memcpy(&out.storage, each->ai_addr, each->ai_addrlen);
    out.size = each->ai_addrlen;
    if (each->ai_family == AF_INET) break;
  }
  return out;
}

}  // namespace hubbub::load
