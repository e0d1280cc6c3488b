#include "hubbub/wire/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hubbub/base/rng.h"

namespace hubbub::wire {
namespace {

using std::string_literals::operator""s;

// Feeds pieces of `step` bytes; the index of the byte after which feed() said no, or -1. `complete` is the
// end's answer.
int refused_at(std::string_view text, std::size_t step, bool& complete) {
  Utf8Checker checker;
  for (std::size_t i = 0; i < text.size(); i += step)
    if (!checker.feed(text.substr(i, step))) return static_cast<int>(i);
  complete = checker.complete();
  return -1;
}

bool valid_in_pieces(std::string_view text, std::size_t step) {
  bool complete = false;
  return refused_at(text, step, complete) < 0 && complete;
}

// RFC 3629 section 3 by arithmetic: decodes and compares, unlike the code under test.
bool valid_by_arithmetic(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80         ? 1
                             : (lead >> 5) == 6  ? 2
                             : (lead >> 4) == 14 ? 3
                             : (lead >> 3) == 30 ? 4
                                                 : 0;
    if (size == 0 || i + size > text.size()) return false;
    std::uint32_t value = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t k = 1; k < size; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if ((byte & 0xC0) != 0x80) return false;
      value = value << 6 | (byte & 0x3FU);
    }
    const std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[size] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
    i += size;
  }
  return true;
}

TEST(Utf8, boundaries_of_each_length_are_valid) {
  for (const auto& text : {""s, "\0"s, "\x7F"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s,
                           "\xEE\x80\x80"s, "\xEF\xBF\xBF"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s,
                           "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5"s}) {
    EXPECT_TRUE(utf8_valid(text));
    for (std::size_t step = 1; step <= 5; ++step) EXPECT_TRUE(valid_in_pieces(text, step));
  }
}

TEST(Utf8, overlong_surrogate_and_too_large_are_invalid) {
  for (const auto& text :
       {"\xC0\x80"s, "\xC1\xBF"s, "\xE0\x80\x80"s, "\xE0\x9F\xBF"s, "\xED\xA0\x80"s, "\xED\xBF\xBF"s,
        "\xF0\x80\x80\x80"s, "\xF0\x8F\xBF\xBF"s, "\xF4\x90\x80\x80"s, "\xF5\x80\x80\x80"s, "\xFF"s, "\x80"s,
        "\xC2"s, "\xE2\x82"s, "\xF0\x9F\x98"s, "\xC2\x41"s, "\xE2\x82\x41"s}) {
    EXPECT_FALSE(utf8_valid(text));
    for (std::size_t step = 1; step <= 5; ++step) EXPECT_FALSE(valid_in_pieces(text, step));
  }
}

TEST(Utf8, fails_at_the_first_byte_that_cannot_belong) {
  const struct {
    std::string text;
    int at;
  } rows[] = {{"ab\xC0", 2},           {"\xE0\x9F", 1},     {"\xED\xA0", 1},     {"\xF0\x8F", 1},
              {"\xF4\x90", 1},         {"\xF5", 0},         {"\x80", 0},         {"\xE2\x82\x41", 2},
              {"\xF0\x9F\x98\x41", 3}, {"\xC3\xA9\xFE", 2}, {"\xC3\xA9\xC3", -1}};
  for (const auto& row : rows) {
    bool complete = true;
    EXPECT_EQ(refused_at(row.text, 1, complete), row.at);
    // The same verdict for the whole prefix at once: no later byte is needed to see it.
    EXPECT_EQ(Utf8Checker{}.feed(row.text), row.at < 0);
  }
}

TEST(Utf8, unfinished_character_is_not_complete) {
  Utf8Checker checker;
  EXPECT_TRUE(checker.feed("abc\xE2\x82"));
  EXPECT_FALSE(checker.complete());
  EXPECT_TRUE(checker.feed(""));
  EXPECT_TRUE(checker.feed("\xAC"));
  EXPECT_TRUE(checker.complete());
  EXPECT_TRUE(checker.feed("\xF0"));
  checker.reset();
  EXPECT_TRUE(checker.complete());
}

TEST(Utf8, every_two_byte_pair_and_every_third_agrees_with_arithmetic) {
  for (unsigned a = 0x7F; a < 0x100; ++a) {
    for (unsigned b = 0; b < 0x100; ++b) {
      for (const std::string& tail : {""s, "\x80"s, "\xBF\x80"s, "x"s}) {
        const std::string text = std::string{static_cast<char>(a), static_cast<char>(b)} + tail;
        ASSERT_EQ(utf8_valid(text), valid_by_arithmetic(text)) << a << ' ' << b;
        ASSERT_EQ(valid_in_pieces(text, 1), valid_by_arithmetic(text)) << a << ' ' << b;
      }
    }
  }
}

TEST(Utf8, random_texts_agree_with_arithmetic_in_any_cut) {
  SeededRng rng(7);
  const std::vector<std::string> parts = {"a",
                                          "plain ascii, longer than one step of the scan.",
                                          "\xC3\xA9",
                                          "\xE2\x82\xAC",
                                          "\xF0\x9F\x98\x80",
                                          "\xED\x9F\xBF",
                                          "\xF4\x8F\xBF\xBF"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::uint64_t n = rng.below(12); n > 0; --n)
      text += parts[static_cast<std::size_t>(rng.below(parts.size()))];
    if (!text.empty() && rng.below(2) == 0)
      text[static_cast<std::size_t>(rng.below(text.size()))] = static_cast<char>(rng.below(256));
    const bool expected = valid_by_arithmetic(text);
    ASSERT_EQ(utf8_valid(text), expected);
    for (std::size_t step = 1; step <= 9; ++step) ASSERT_EQ(valid_in_pieces(text, step), expected) << step;
  }
}

}  // namespace
}  // namespace hubbub::wire
