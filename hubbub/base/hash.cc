#include "hubbub/base/hash.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

namespace hubbub {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string encode(std::span<const unsigned char> data, const char* alphabet, bool pad) {
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < data.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, data.size() - i);
    unsigned value = static_cast<unsigned>(data[i]) << 16;
    if (n > 1) value |= static_cast<unsigned>(data[i + 1]) << 8;
    if (n > 2) value |= data[i + 2];
    for (std::size_t k = 0; k < 4; ++k) {
      if (k <= n)
        out.push_back(alphabet[(value >> (18 - 6 * k)) & 63]);
      else if (pad)
        out.push_back('=');
    }
  }
  return out;
}

}  // namespace

Sha1 sha1(std::string_view data) {
  Sha1 out;
  SHA1(bytes_of(data), data.size(), out.data());
  return out;
}

Sha256 sha256(std::string_view data) {
  Sha256 out;
  SHA256(bytes_of(data), data.size(), out.data());
  return out;
}

bool equal_constant_time(const Sha256& a, const Sha256& b) noexcept {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string base64(std::span<const unsigned char> data) {
  return encode(data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}

std::string base64url(std::span<const unsigned char> data) {
  return encode(data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

int base64_decoded_size(std::string_view text) noexcept {
  if (text.size() % 4 != 0) return -1;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  for (const char c : text.substr(0, text.size() - padding)) {
    const bool ok =
        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    if (!ok) return -1;
  }
  return static_cast<int>(text.size() / 4 * 3 - padding);
}

// Multiply-fold over 8 bytes at a time; each step mixes the secret, so that no input steers the state.
std::uint64_t keyed_hash(std::string_view text, std::uint64_t key) noexcept {
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  const std::uint64_t odd = key | 1;
  std::uint64_t hash = key * 0x9e3779b97f4a7c15ULL;  // not the key itself: `odd` would cancel it
  const std::uint64_t last = 0xe7037ed1a0b428dbULL ^ text.size();  // zero bytes at the end count
  while (!text.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(text.size(), sizeof word);
    std::memcpy(&word, text.data(), size);
    hash = fold(hash ^ word ^ odd, odd * 0xd6e8feb86659fd93ULL | 1) + key;
    text.remove_prefix(size);
  }
  return fold(hash ^ odd, last);
}

std::uint64_t placement_hash(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace hubbub
