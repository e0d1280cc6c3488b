// The words of session codes: `happy-panda-42` is an adjective, an animal and a number (docs/protocol.md).
// Two lists of kWordsPerList words each, sorted, for people who read a code aloud or copy it from a screen:
//   - lower-case a-z, kWordLettersMin to kWordLettersMax letters, friendly or neutral, easy to spell;
//   - no word stands in both lists;
//   - two words of one list are always more than one slip apart (a letter changed, missing or added, or two
//     neighbours swapped), so a mistyped word is an unknown word and never somebody else's.
// The words are what stays the same between versions; an index is good inside one process only. Taking a
// word away makes living codes that carry it unreadable.
//
// Everything here is constant data: any thread may call it, and the views live as long as the program.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace hubbub {

// Words in each list. A power of two: ten random bits pick a word without bias.
inline constexpr std::size_t kWordsPerList = 1024;
// Letters in the shortest and the longest word.
inline constexpr std::size_t kWordLettersMin = 3;
inline constexpr std::size_t kWordLettersMax = 10;

// The word at `index`, which must be below kWordsPerList (asserted): the hub draws it, no peer names it.
[[nodiscard]] std::string_view adjective(std::size_t index) noexcept;
[[nodiscard]] std::string_view animal(std::size_t index) noexcept;

// Where the word stands in its list, or nullopt when it is none of ours; takes anything a peer wrote.
// Compares bytes, so fold to lower case first. Binary search.
[[nodiscard]] std::optional<std::size_t> adjective_index(std::string_view lower_case_word) noexcept;
[[nodiscard]] std::optional<std::size_t> animal_index(std::string_view lower_case_word) noexcept;

}  // namespace hubbub
