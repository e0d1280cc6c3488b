// Digests and encodings through OpenSSL: SHA-1 for the WebSocket accept key (RFC 6455 section 4.2.2), SHA-256
// for stored tokens, base64 and base64url (RFC 4648 sections 4 and 5).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hubbub {

using Sha1 = std::array<unsigned char, 20>;
using Sha256 = std::array<unsigned char, 32>;

[[nodiscard]] Sha1 sha1(std::string_view data);
[[nodiscard]] Sha256 sha256(std::string_view data);
// True if equal, in time that depends on the length only.
[[nodiscard]] bool equal_constant_time(const Sha256& a, const Sha256& b) noexcept;

// With padding.
[[nodiscard]] std::string base64(std::span<const unsigned char> data);
// URL-safe alphabet, no padding: how tokens and epochs look on the wire.
[[nodiscard]] std::string base64url(std::span<const unsigned char> data);
// The number of bytes a base64 text (with padding) stands for, or -1 if it is not base64.
[[nodiscard]] int base64_decoded_size(std::string_view text) noexcept;
// A hash for tables whose keys peers choose: without knowing `key` (random, secret) collisions cannot be
// planned. Not stable across versions.
[[nodiscard]] std::uint64_t keyed_hash(std::string_view text, std::uint64_t key) noexcept;
// FNV-1a, 64 bits: placement of sessions and topics on shards. Stable across processes and versions.
[[nodiscard]] std::uint64_t placement_hash(std::string_view text) noexcept;

}  // namespace hubbub
