// Histogram: counts of durations in log-linear buckets. A value is reported as its bucket's upper edge, at
// most 1/32 (3 %) above the truth; below 64 it is exact. Fixed memory, no allocation after construction,
// recording takes a few nanoseconds, so it can see every delivery of a fan-out.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace hubbub::load {

class Histogram {
 public:
  void record(std::uint64_t value) {
    ++buckets_[index(value)];
    ++count_;
    sum_ += value;
    if (value > max_) max_ = value;
  }
  void clear() { *this = Histogram(); }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Exact, as no bucket is.
  [[nodiscard]] std::uint64_t max() const { return max_; }
  [[nodiscard]] double mean() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }

  // The value that `fraction` (0..1) of all recorded values do not exceed; 0 if there are none.
  [[nodiscard]] std::uint64_t quantile(double fraction) const {
    if (count_ == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > 0 && seen >= wanted) return std::min(upper_edge(i), max_);
    }
    return max_;
  }

 private:
  // Each power of two is cut into 2^kSubBits equal buckets.
  static constexpr unsigned kSubBits = 5;
  static constexpr std::uint64_t kSub = 1U << kSubBits;
  static constexpr std::size_t kBuckets = (64 - kSubBits + 1) * kSub;

  static std::size_t index(std::uint64_t value) {
    if (value < 2 * kSub) return static_cast<std::size_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - (kSubBits + 1);
    return static_cast<std::size_t>(shift * kSub + (value >> shift));
  }
  static std::uint64_t upper_edge(std::size_t bucket) {
    if (bucket < 2 * kSub) return bucket;
    const auto shift = static_cast<unsigned>(bucket / kSub - 1);
    const std::uint64_t mantissa = bucket % kSub + kSub;
    return ((mantissa + 1) << shift) - 1;
  }

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace hubbub::load
