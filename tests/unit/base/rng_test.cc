#include "hubbub/base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace hubbub {
namespace {

TEST(SeededRng, is_splitmix64) {
  SeededRng rng(0);
  EXPECT_EQ(rng.next(), 0xe220a8397b1dcdafu);
  EXPECT_EQ(rng.next(), 0x6e789e6aa1b965f4u);
}

TEST(SeededRng, repeats_itself_from_the_same_seed_only) {
  SeededRng a(7);
  SeededRng b(7);
  SeededRng c(8);
  const std::uint64_t first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
}

TEST(Rng, below_stays_below_and_reaches_every_value) {
  SeededRng rng(1);
  std::array<int, 10> seen{};
  for (int i = 0; i < 10'000; ++i) ++seen.at(rng.below(seen.size()));
  for (const int count : seen) EXPECT_GT(count, 800);
  EXPECT_EQ(rng.below(1), 0u);
}

TEST(SystemRng, fills_pieces_of_any_size_and_never_gives_the_same_bytes_twice) {
  SystemRng rng;
  std::vector<std::string> tokens;
  for (int i = 0; i < 100; ++i) {
    std::array<unsigned char, 32> token{};
    rng.fill(token);
    tokens.emplace_back(token.begin(), token.end());
  }
  std::ranges::sort(tokens);
  EXPECT_EQ(std::ranges::adjacent_find(tokens), tokens.end());
  std::vector<unsigned char> large(5000);
  rng.fill(large);
  EXPECT_GT(std::ranges::count_if(large, [](unsigned char byte) { return byte != 0; }), 4500);
}

}  // namespace
}  // namespace hubbub
