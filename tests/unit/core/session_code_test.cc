#include "hubbub/core/session_code.h"

#include <gtest/gtest.h>

#include <set>

#include "hubbub/core/words.h"

namespace hubbub {
namespace {

constexpr Millis kDay = SessionCodes::kRestMs;

bool nobody(SessionCode) { return false; }

TEST(SessionCode, reads_back_what_it_writes) {
  for (const std::uint32_t number : {0u, 7u, 42u, 99u, 100u, 999'999u}) {
    const SessionCode code(3, 1000, number);
    EXPECT_EQ(SessionCode::parse(code.text()), code) << code.text();
  }
  const SessionCode last(kWordsPerList - 1, kWordsPerList - 1, SessionCode::kLongNumbers - 1);
  EXPECT_EQ(SessionCode::parse(last.text()), last);
}

TEST(SessionCode, is_adjective_animal_number) {
  const auto code = SessionCode::parse("happy-panda-42");
  ASSERT_TRUE(code.has_value());
  EXPECT_EQ(code->text(), "happy-panda-42");
  EXPECT_TRUE(code->is_short());
}

TEST(SessionCode, is_compared_without_case) {
  EXPECT_EQ(SessionCode::parse("Happy-PANDA-42"), SessionCode::parse("happy-panda-42"));
}

TEST(SessionCode, refuses_everything_else) {
  for (const std::string_view text :
       {"", "-", "--", "happy", "happy-panda", "happy-panda-", "panda-happy-42", "happy--42",
        "happy-panda-42-1", "happy-panda-042", "happy-panda-+4", "happy-panda--4", "happy-panda-4 ",
        " happy-panda-4", "happy-panda-1000000", "happy-panda-99999999999999999999", "happy-panda-4x",
        "hapy-panda-42", "happy_panda_42"})
    EXPECT_FALSE(SessionCode::parse(text).has_value()) << text;
  EXPECT_FALSE(SessionCode::parse("happy-panda-" + std::string(1000, '0')).has_value());
  EXPECT_FALSE(SessionCode::parse(std::string("happy-panda-4\0", 14)).has_value());
}

TEST(SessionCode, keys_are_different_for_different_codes) {
  std::set<std::uint64_t> keys;
  for (const std::size_t adjective : {0u, 1u, 1023u})
    for (const std::size_t animal : {0u, 1u, 1023u})
      for (const std::uint32_t number : {0u, 1u, 99u, 999'999u})
        keys.insert(SessionCode(adjective, animal, number).key());
  EXPECT_EQ(keys.size(), 36u);
}

TEST(SessionCodes, draws_short_codes_while_there_are_any) {
  SessionCodes codes;
  SeededRng rng(1);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(codes.draw(rng, 0, nobody).is_short());
}

TEST(SessionCodes, never_draws_one_that_is_taken) {
  SessionCodes codes;
  SeededRng rng(1);
  SeededRng same(1);
  const SessionCode first = codes.draw(same, 0, nobody);
  EXPECT_NE(codes.draw(rng, 0, [first](SessionCode code) { return code == first; }), first);
}

TEST(SessionCodes, a_code_rests_a_day_after_its_session_ended) {
  for (const Millis start : {Millis{0}, Millis{1'000'000}, 10 * kDay + 12345}) {
    SessionCodes codes;
    SeededRng rng(1);
    const SessionCode code = codes.draw(rng, start, nobody);
    codes.retire(code, start);
    // Any generator that would draw it again first draws another one.
    for (const Millis later : {Millis{0}, Millis{1}, kDay / 2, kDay - 1}) {
      SeededRng same(1);
      EXPECT_NE(codes.draw(same, start + later, nobody), code) << start << " + " << later;
    }
    EXPECT_EQ(codes.resting(), 1u);
    SeededRng same(1);
    EXPECT_EQ(codes.draw(same, start + 3 * kDay, nobody), code) << "and may be used again";
    EXPECT_EQ(codes.resting(), 0u);
  }
}

TEST(SessionCodes, a_code_retired_late_in_a_generation_rests_a_whole_day_too) {
  SessionCodes codes;
  SeededRng rng(1);
  const SessionCode other = codes.draw(rng, 5 * kDay, nobody);
  codes.retire(other, 5 * kDay);
  SeededRng again(2);
  const SessionCode code = codes.draw(again, 6 * kDay - 1, nobody);
  codes.retire(code, 6 * kDay - 1);
  for (const Millis now : {6 * kDay, 6 * kDay + 1, 7 * kDay - 2}) {
    SeededRng same(2);
    EXPECT_NE(codes.draw(same, now, nobody), code) << now;
  }
}

TEST(SessionCodes, draws_long_codes_when_the_short_ones_are_taken) {
  SessionCodes codes;
  SeededRng rng(1);
  for (int i = 0; i < 100; ++i)
    EXPECT_FALSE(codes.draw(rng, 0, [](SessionCode code) { return code.is_short(); }).is_short());
}

TEST(SessionCodes, draws_long_codes_when_too_many_short_ones_rest_and_remembers_no_more) {
  SessionCodes codes;
  std::size_t retired = 0;
  for (std::size_t adjective = 0; retired < SessionCodes::kRestingMax; ++adjective)
    for (std::size_t animal = 0; animal < kWordsPerList && retired < SessionCodes::kRestingMax; ++animal)
      for (std::uint32_t number = 0;
           number < SessionCode::kShortNumbers && retired < SessionCodes::kRestingMax; ++number)
        codes.retire(SessionCode(adjective, animal, number), 0), ++retired;
  EXPECT_EQ(codes.resting(), SessionCodes::kRestingMax);
  SeededRng rng(1);
  const SessionCode code = codes.draw(rng, 1, nobody);
  EXPECT_FALSE(code.is_short()) << code.text();
  codes.retire(code, 1);
  EXPECT_EQ(codes.resting(), SessionCodes::kRestingMax) << "a long code need not rest";
}

}  // namespace
}  // namespace hubbub
