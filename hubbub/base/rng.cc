#include "hubbub/base/rng.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

#include "hubbub/base/assert.h"

namespace hubbub {

void SeededRng::fill(std::span<unsigned char> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    const std::size_t n = std::min(sizeof z, out.size() - done);
    std::memcpy(out.data() + done, &z, n);
    done += n;
  }
}

void SystemRng::fill(std::span<unsigned char> out) {
  if (out.size() > sizeof block_) {
    HUBBUB_ASSERT(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
    return;
  }
  if (sizeof block_ - used_ < out.size()) {
    HUBBUB_ASSERT(RAND_bytes(block_, sizeof block_) == 1);
    used_ = 0;
  }
  std::memcpy(out.data(), block_ + used_, out.size());
  OPENSSL_cleanse(block_ + used_, out.size());  // what was handed out may become a token: keep no copy
  used_ += out.size();
}

}  // namespace hubbub
