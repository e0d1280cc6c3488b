#include "hubbub/core/session_tokens.h"

#include <gtest/gtest.h>

#include <string>

namespace hubbub {
namespace {

Sha256 token(int number) { return sha256("token " + std::to_string(number)); }

TEST(SessionTokens, only_the_first_opens_a_session_that_was_never_resumed) {
  const SessionTokens tokens(token(0));
  EXPECT_EQ(tokens.match(token(0), true), TokenMatch::current);
  EXPECT_EQ(tokens.match(token(1), true), TokenMatch::none);
  EXPECT_EQ(tokens.match(Sha256{}, true), TokenMatch::none) << "the place of a previous one is no token";
  EXPECT_TRUE(tokens.confirmed());
}

TEST(SessionTokens, the_one_before_stays_good_until_the_client_has_the_new_one) {
  SessionTokens tokens(token(0));
  tokens.rotate(TokenMatch::current, token(1));
  EXPECT_FALSE(tokens.confirmed());
  EXPECT_EQ(tokens.match(token(0), true), TokenMatch::previous);
  EXPECT_EQ(tokens.match(token(1), true), TokenMatch::current);
  tokens.confirm();
  tokens.confirm();
  EXPECT_TRUE(tokens.confirmed());
  EXPECT_EQ(tokens.match(token(0), true), TokenMatch::replaced);
  EXPECT_EQ(tokens.match(token(1), true), TokenMatch::current);
  EXPECT_EQ(tokens.match(Sha256{}, true), TokenMatch::none);
}

TEST(SessionTokens, the_one_before_counts_as_replaced_when_its_time_is_over) {
  SessionTokens tokens(token(0));
  tokens.rotate(TokenMatch::current, token(1));
  EXPECT_EQ(tokens.match(token(0), false), TokenMatch::replaced);
  EXPECT_EQ(tokens.match(token(1), false), TokenMatch::current);
}

TEST(SessionTokens, a_client_whose_answers_are_lost_comes_back_with_the_same_token_again_and_again) {
  SessionTokens tokens(token(0));
  for (int i = 1; i < 100; ++i) {
    ASSERT_EQ(tokens.match(token(0), true), i == 1 ? TokenMatch::current : TokenMatch::previous);
    tokens.rotate(tokens.match(token(0), true), token(i));
    if (i == 1) continue;
    EXPECT_EQ(tokens.match(token(i - 1), true), TokenMatch::replaced) << "its answer was lost";
  }
  EXPECT_EQ(tokens.match(token(99), true), TokenMatch::current);
}

TEST(SessionTokens, showing_the_current_one_without_a_message_replaces_the_one_before) {
  SessionTokens tokens(token(0));
  tokens.rotate(TokenMatch::current, token(1));
  tokens.rotate(TokenMatch::current, token(2));
  EXPECT_EQ(tokens.match(token(0), true), TokenMatch::replaced);
  EXPECT_EQ(tokens.match(token(1), true), TokenMatch::previous);
  EXPECT_EQ(tokens.match(token(2), true), TokenMatch::current);
}

TEST(SessionTokens, the_latest_replaced_ones_are_known_again_and_older_ones_forgotten) {
  SessionTokens tokens(token(0));
  constexpr int kLast = 40;
  for (int i = 1; i <= kLast; ++i) {
    tokens.rotate(TokenMatch::current, token(i));
    tokens.confirm();
  }
  const int known = kLast - static_cast<int>(SessionTokens::kRememberedMax);
  for (int i = 0; i < kLast; ++i)
    EXPECT_EQ(tokens.match(token(i), true), i < known ? TokenMatch::none : TokenMatch::replaced) << i;
}

TEST(SessionTokensDeathTest, a_token_that_opens_nothing_cannot_be_replaced) {
  SessionTokens tokens(token(0));
  EXPECT_DEATH(tokens.rotate(TokenMatch::none, token(1)), "shown");
  EXPECT_DEATH(tokens.rotate(TokenMatch::replaced, token(1)), "shown");
}

}  // namespace
}  // namespace hubbub
