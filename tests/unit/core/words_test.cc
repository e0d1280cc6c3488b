// The promises of the word lists: what a code may be made of, that no slip of the finger leads from one word
// to another, and that lookups find exactly the words that are there.
#include "hubbub/core/words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hubbub {
namespace {

std::vector<std::string_view> all_of(std::string_view (*word_at)(std::size_t) noexcept) {
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < kWordsPerList; ++i) words.push_back(word_at(i));
  return words;
}

std::vector<std::string_view> both_lists() {
  std::vector<std::string_view> words = all_of(adjective);
  std::ranges::copy(all_of(animal), std::back_inserter(words));
  return words;
}

// One letter changed, missing or added, or two neighbours swapped: what is left between the common beginning
// and the common end tells.
bool one_slip_apart(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty() && a.front() == b.front()) a.remove_prefix(1), b.remove_prefix(1);
  while (!a.empty() && !b.empty() && a.back() == b.back()) a.remove_suffix(1), b.remove_suffix(1);
  if (a.size() <= 1 && b.size() <= 1) return true;
  return a.size() == 2 && b.size() == 2 && a[0] == b[1] && a[1] == b[0];
}

// Pairs of one list that are one slip apart, for a readable failure.
std::vector<std::string> confusable_pairs(const std::vector<std::string_view>& words) {
  std::vector<std::string> pairs;
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (std::size_t j = i + 1; j < words.size(); ++j) {
      if (one_slip_apart(words[i], words[j]))
        pairs.push_back(std::string(words[i]) + "/" + std::string(words[j]));
    }
  }
  return pairs;
}

TEST(Words, each_list_has_at_least_a_thousand_words_and_a_power_of_two) {
  EXPECT_GE(kWordsPerList, 1000U);
  EXPECT_EQ(kWordsPerList & (kWordsPerList - 1), 0U);
  EXPECT_FALSE(adjective(kWordsPerList - 1).empty());
  EXPECT_FALSE(animal(kWordsPerList - 1).empty());
}

TEST(Words, lists_are_sorted) {
  EXPECT_TRUE(std::ranges::is_sorted(all_of(adjective)));
  EXPECT_TRUE(std::ranges::is_sorted(all_of(animal)));
}

TEST(Words, every_word_is_lower_case_ascii_letters_only) {
  for (const std::string_view word : both_lists()) {
    EXPECT_TRUE(std::ranges::all_of(word, [](char c) { return c >= 'a' && c <= 'z'; })) << word;
  }
}

TEST(Words, every_word_keeps_the_length_limits) {
  for (const std::string_view word : both_lists()) {
    EXPECT_GE(word.size(), kWordLettersMin) << word;
    EXPECT_LE(word.size(), kWordLettersMax) << word;
  }
}

TEST(Words, no_word_stands_twice_in_either_or_both_lists) {
  std::vector<std::string_view> words = both_lists();
  std::ranges::sort(words);
  const auto twice = std::ranges::adjacent_find(words);
  EXPECT_EQ(twice, words.end()) << *twice;
}

TEST(Words, no_word_is_another_ones_plural) {
  std::vector<std::string_view> words = both_lists();
  std::ranges::sort(words);
  for (const std::string_view word : words) {
    EXPECT_FALSE(std::ranges::binary_search(words, std::string(word) + "s", std::less<>{})) << word;
    EXPECT_FALSE(std::ranges::binary_search(words, std::string(word) + "es", std::less<>{})) << word;
  }
}

TEST(Words, one_slip_never_leads_to_another_word) {
  EXPECT_EQ(confusable_pairs(all_of(adjective)), std::vector<std::string>{});
  EXPECT_EQ(confusable_pairs(all_of(animal)), std::vector<std::string>{});
}

TEST(Words, one_slip_is_recognised) {
  EXPECT_TRUE(one_slip_apart("otter", "utter"));
  EXPECT_TRUE(one_slip_apart("otter", "oter"));
  EXPECT_TRUE(one_slip_apart("otter", "otters"));
  EXPECT_TRUE(one_slip_apart("otter", "ottre"));
  EXPECT_FALSE(one_slip_apart("otter", "utte"));
  EXPECT_FALSE(one_slip_apart("otter", "panda"));
}

TEST(Words, words_that_can_read_badly_in_a_pair_stay_out) {
  // Easy to add without thinking of the pair they may end up in. Most are harmless alone; beside a random
  // partner they can sound like a remark on somebody's skin, body, health or person.
  constexpr std::array<std::string_view, 40> kKeptOut = {
      "ape",  "ass",   "baboon", "bare",  "bitch", "black", "booby", "brown",  "chimp", "cock",
      "cow",  "dead",  "dumb",   "fat",   "gay",   "hairy", "hard",  "hog",    "hot",   "idiot",
      "kaka", "leech", "louse",  "moist", "naked", "pig",   "rat",   "sexy",   "shag",  "sick",
      "slow", "slug",  "sow",    "swine", "tit",   "ugly",  "vixen", "weasel", "white", "yellow"};
  for (const std::string_view word : kKeptOut) {
    EXPECT_FALSE(adjective_index(word)) << word;
    EXPECT_FALSE(animal_index(word)) << word;
  }
}

TEST(Words, no_word_contains_a_swear_word) {
  constexpr std::array<std::string_view, 8> kParts = {"fuck", "shit", "cunt", "slut",
                                                      "whor", "nazi", "dick", "sex"};
  for (const std::string_view word : both_lists()) {
    for (const std::string_view part : kParts) EXPECT_EQ(word.find(part), std::string_view::npos) << word;
  }
}

TEST(Words, lookup_finds_every_word_where_it_stands) {
  for (std::size_t i = 0; i < kWordsPerList; ++i) {
    EXPECT_EQ(adjective_index(adjective(i)), i);
    EXPECT_EQ(animal_index(animal(i)), i);
  }
}

TEST(Words, the_example_of_the_documentation_is_a_real_code) {
  EXPECT_TRUE(adjective_index("happy"));
  EXPECT_TRUE(animal_index("panda"));
}

TEST(Words, lookup_of_an_unknown_word_finds_nothing) {
  using namespace std::string_view_literals;
  for (const std::string_view word : {""sv, "a"sv, "zzzzzz"sv, "Happy"sv, "PANDA"sv, "happ"sv, "pandas"sv,
                                      " panda"sv, "panda\0"sv, "happy-panda"sv, "\xC3\xA9lan"sv}) {
    EXPECT_EQ(adjective_index(word), std::nullopt) << word;
    EXPECT_EQ(animal_index(word), std::nullopt) << word;
  }
}

TEST(Words, a_word_of_one_list_is_unknown_to_the_other) {
  EXPECT_EQ(adjective_index("panda"), std::nullopt);
  EXPECT_EQ(animal_index("happy"), std::nullopt);
}

TEST(WordsDeathTest, an_index_beyond_the_list_is_a_programming_mistake) {
  EXPECT_DEATH(static_cast<void>(adjective(kWordsPerList)), "index < kWordsPerList");
  EXPECT_DEATH(static_cast<void>(animal(kWordsPerList)), "index < kWordsPerList");
}

}  // namespace
}  // namespace hubbub
