#include "hubbub/base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "hubbub/base/assert.h"

namespace hubbub {
namespace {

std::string encode(std::span<const unsigned char> data, const char* alphabet, bool pad) {
  std::string out((data.size() + 2) / 3 * 4, '=');
  std::size_t at = 0;
  for (std::size_t i = 0; i < data.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, data.size() - i);
    unsigned value = static_cast<unsigned>(data[i]) << 16;
    if (n > 1) value |= static_cast<unsigned>(data[i + 1]) << 8;
    if (n > 2) value |= data[i + 2];
    for (std::size_t k = 0; k <= n; ++k) out[at++] = alphabet[(value >> (18 - 6 * k)) & 63];
  }
  if (!pad) out.resize(at);
  return out;
}

// One of OpenSSL's digests. Looking an algorithm up and making a context take longer than a short text's
// digest: each thread does it once.
class Digest {
 public:
  explicit Digest(const char* name)
      : algorithm_(EVP_MD_fetch(nullptr, name, nullptr)), context_(EVP_MD_CTX_new()) {
    HUBBUB_ASSERT(algorithm_ && context_);
  }
  template <class Out>
  [[nodiscard]] Out of(std::string_view data) {
    Out out;
    unsigned size = 0;
    const bool done = EVP_DigestInit_ex(context_.get(), algorithm_.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1 &&
                      EVP_DigestFinal_ex(context_.get(), out.data(), &size) == 1;
    HUBBUB_ASSERT(done && size == out.size());
    return out;
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD, Free> algorithm_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace

Sha1 sha1(std::string_view data) {
  thread_local Digest digest("SHA1");
  return digest.of<Sha1>(data);
}

Sha256 sha256(std::string_view data) {
  thread_local Digest digest("SHA256");
  return digest.of<Sha256>(data);
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
