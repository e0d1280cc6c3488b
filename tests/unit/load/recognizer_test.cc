#include "hubbub/load/recognizer.h"

#include <gtest/gtest.h>

#include "hubbub/load/number.h"

namespace hubbub::load {
namespace {

using Rule = Recognizer::Rule;
using Verdict = Recognizer::Verdict;

std::string digits(std::uint64_t n) { return std::to_string(kNumberFirst + n); }

TEST(Recognizer, finds_the_number_wherever_it_moves) {
  Recognizer recognizer(Rule::number, "");
  for (const std::string& text : {"a" + digits(5), digits(5) + "zz", "offset:7 n=" + digits(5) + " more",
                                  "123456789 " + digits(5), digits(5)}) {
    const auto found = recognizer.identify(text, 3, 10);
    EXPECT_EQ(found.verdict, Verdict::message) << text;
    EXPECT_EQ(found.offset, 2U) << text;
  }
}

TEST(Recognizer, does_not_take_a_number_outside_the_window_or_inside_a_longer_one) {
  Recognizer recognizer(Rule::number, "");
  EXPECT_EQ(recognizer.identify(digits(2), 3, 10).verdict, Verdict::ignored);
  EXPECT_EQ(recognizer.identify(digits(13), 3, 10).verdict, Verdict::ignored);
  EXPECT_EQ(recognizer.identify("9" + digits(4), 3, 10).verdict, Verdict::ignored);
  EXPECT_EQ(recognizer.identify(digits(4), 3, 0).verdict, Verdict::ignored);
  EXPECT_EQ(recognizer.identify("", 3, 10).verdict, Verdict::ignored);
}

TEST(Recognizer, ignores_what_lacks_the_expected_text_and_refuses_it_without_its_number) {
  Recognizer recognizer(Rule::number, "result");
  EXPECT_EQ(recognizer.identify("status " + digits(0), 0, 1).verdict, Verdict::ignored);
  EXPECT_EQ(recognizer.identify("result " + digits(0), 0, 1).verdict, Verdict::message);
  EXPECT_EQ(recognizer.identify("result " + digits(7), 0, 1).verdict, Verdict::wrong);
}

TEST(Recognizer, refuses_what_it_was_told_to) {
  Recognizer recognizer(Rule::number, "");
  recognizer.refuse_those_with("error");
  EXPECT_EQ(recognizer.identify("error " + digits(0), 0, 1).verdict, Verdict::wrong);
}

TEST(Recognizer, learns_the_first_answer_and_wants_all_others_alike) {
  Recognizer recognizer(Rule::exact, R"("result":1)");
  EXPECT_EQ(recognizer.identify(R"({"error":1})", 0, 4).verdict, Verdict::wrong);
  EXPECT_EQ(recognizer.identify(R"({"id":)" + digits(0) + R"(,"result":1})", 0, 4).verdict, Verdict::message);
  const auto later = recognizer.identify(R"({"id":)" + digits(3) + R"(,"result":1})", 1, 3);
  EXPECT_EQ(later.verdict, Verdict::message);
  EXPECT_EQ(later.offset, 2U);
  for (const std::string& wrong :
       {R"({"id":)" + digits(2) + R"(,"result":2})", R"({"id":)" + digits(4) + R"(,"result":1})",
        R"({"ix":)" + digits(2) + R"(,"result":1})", R"({"id": )" + digits(2) + R"(,"result":1})",
        R"({"id":)" + digits(2) + R"(,"result":1)", std::string()}) {
    EXPECT_EQ(recognizer.identify(wrong, 1, 3).verdict, Verdict::wrong) << wrong;
  }
}

TEST(Recognizer, compares_only_the_ending_where_the_front_may_count) {
  Recognizer recognizer(Rule::ending, "topic.message");
  EXPECT_EQ(recognizer.identify("topic.message 9 " + digits(0) + "pad", 0, 9).verdict, Verdict::message);
  EXPECT_EQ(recognizer.identify("topic.message 10 " + digits(1) + "pad", 0, 9).offset, 1U);
  EXPECT_EQ(recognizer.identify("topic.message 10 " + digits(1) + "pat", 0, 9).verdict, Verdict::wrong);
}

TEST(Recognizer, lets_hubbubs_acknowledgements_pass) {
  Recognizer recognizer(Rule::exact, "x");
  EXPECT_EQ(recognizer.identify(R"({"jsonrpc":"2.0","method":"session.ack","params":{"received":64}})", 0, 1)
                .verdict,
            Verdict::ignored);
}

TEST(Recognizer, takes_messages_without_numbers_one_by_one) {
  Recognizer recognizer(Rule::order, "ok");
  EXPECT_EQ(recognizer.identify("ok", 17, 1).verdict, Verdict::message);
  EXPECT_EQ(recognizer.identify("ok", 17, 0).verdict, Verdict::wrong);
  EXPECT_EQ(recognizer.identify("hello", 17, 1).verdict, Verdict::ignored);
}

// A server that packs messages as it likes: however its stream is cut, each number is found once and in
// order.
TEST(Recognizer, finds_every_number_of_a_stream_however_it_is_cut) {
  std::string stream;
  for (std::uint64_t n = 0; n < 20; ++n) stream += "MSG bench 1 11\r\n" + digits(n) + "abc\r\n";
  for (std::size_t piece = 1; piece < 60; ++piece) {
    Recognizer recognizer(Rule::number, "");
    std::string carry;
    std::uint64_t next = 0;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      next += recognizer.identify_stream(carry, std::string_view(stream).substr(at, piece), next, 20 - next);
    }
    EXPECT_EQ(next, 20U) << piece;
  }
}

}  // namespace
}  // namespace hubbub::load
