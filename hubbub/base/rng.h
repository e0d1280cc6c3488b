// Rng: where randomness comes from. Production fills from OpenSSL's generator (tokens are secrets); tests and
// the simulator hand in a seeded one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hubbub {

class Rng {
 public:
  virtual ~Rng() = default;
  virtual void fill(std::span<unsigned char> out) = 0;

  [[nodiscard]] std::uint64_t next() {
    std::uint64_t value = 0;
    fill({reinterpret_cast<unsigned char*>(&value), sizeof value});
    return value;
  }
  // Uniform in 0..bound-1 (multiply-shift; the bias of bound/2^64 does not matter for jitter and codes).
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
};

// splitmix64: deterministic from one seed; for tests, jitter in tools, simulation. Never for tokens.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<unsigned char> out) override;

 private:
  std::uint64_t state_;
};

// The operating system's entropy through OpenSSL RAND_bytes, drawn in blocks. One per thread; not
// thread-safe.
class SystemRng final : public Rng {
 public:
  void fill(std::span<unsigned char> out) override;

 private:
  unsigned char block_[512];
  std::size_t used_ = sizeof block_;
};

}  // namespace hubbub
