#include "hubbub/load/message_template.h"

#include <gtest/gtest.h>

#include <set>

namespace hubbub::load {
namespace {

// What a server gets: the frame's payload, unmasked.
std::string sent(const MessageTemplate& message, const MessageValues& values) {
  std::string wire = "before";
  message.append_frame(wire, values);
  wire.erase(0, 6);
  const std::size_t header = (wire[1] & 0x7F) < 126 ? 6 : 8;
  std::string text = wire.substr(header);
  for (std::size_t i = 0; i < text.size(); ++i)
    text[i] = static_cast<char>(text[i] ^ wire[header - 4 + i % 4]);
  return text;
}

TEST(Number, has_always_8_digits_and_comes_back) {
  for (std::uint64_t n = 0; n < 200'000'000; n = n * 5 / 4 + 1) {
    const std::uint64_t word = number_word(n);
    const std::string_view text(reinterpret_cast<const char*>(&word), sizeof word);
    ASSERT_EQ(text, std::to_string(kNumberFirst + n % kNumberCount));
    const auto digits = digits_at(text, 0);
    ASSERT_TRUE(digits);
    EXPECT_EQ(number_offset(*digits, n, 1), 0U);
    EXPECT_EQ(number_offset(*digits, n - std::min<std::uint64_t>(n, 7), 8), std::min<std::uint64_t>(n, 7));
    EXPECT_FALSE(number_offset(*digits, n + 1, 1000));
  }
}

TEST(Number, is_no_number_with_anything_but_digits) {
  for (const char c : {'/', ':', ' ', '-', '\0', '\xB1'}) {
    for (std::size_t i = 0; i < kNumberDigits; ++i) {
      std::string text = "12345678";
      text[i] = c;
      EXPECT_FALSE(digits_at(text, 0)) << text;
    }
  }
}

TEST(MessageTemplate, puts_values_in_wherever_they_stand) {
  const MessageTemplate message(R"({"id":{n},"at":{t},"to":"room-{i}","again":{n}})", 0, Opcode::text);
  EXPECT_TRUE(message.has_number());
  EXPECT_TRUE(message.has_time());
  const MessageValues values{.number = 41, .unix_us = 1'700'000'000'123'456, .index = 7};
  const std::string wanted = R"({"id":10000041,"at":1700000000123456,"to":"room-100007","again":10000041})";
  EXPECT_EQ(message.text(values), wanted);
  EXPECT_EQ(sent(message, values), wanted);
}

TEST(MessageTemplate, masks_right_at_every_place) {
  for (std::size_t shift = 0; shift < 9; ++shift) {
    const std::string front(shift, '-');
    const MessageTemplate message(front + "{n}|{t}|{i}", 0, Opcode::binary);
    const MessageValues values{.number = 89'999'999, .unix_us = 1, .index = 899'999};
    EXPECT_EQ(sent(message, values), front + "99999999|0000000000000001|999999");
  }
}

TEST(MessageTemplate, fills_up_to_the_length_asked_for) {
  for (const std::size_t bytes : {0UL, 10UL, 13UL, 14UL, 125UL, 126UL, 5000UL}) {
    const MessageTemplate message("<{n}:{pad}>", bytes, Opcode::text);
    EXPECT_EQ(message.text({}).size(), std::max<std::size_t>(bytes, 11)) << bytes;
    EXPECT_EQ(sent(message, {}), message.text({}));
  }
}

TEST(MessageTemplate, leaves_other_braces_alone) {
  const MessageTemplate message(R"({"n":{},"x":{N}} {} {)", 0, Opcode::text);
  EXPECT_FALSE(message.has_number());
  EXPECT_EQ(message.text({}), R"({"n":{},"x":{N}} {} {)");
}

TEST(MessageTemplate, tells_what_stands_around_the_number) {
  const MessageTemplate message("ab{n}cd", 0, Opcode::text);
  EXPECT_EQ(message.before_number(), "ab");
  EXPECT_EQ(message.behind_number(), "cd");
}

TEST(Filler, is_printable_without_quotes_and_holds_no_number) {
  const std::string text = filler(20'000);
  for (const char c : text) ASSERT_TRUE(c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '{');
  for (std::size_t i = 0; i + kNumberDigits <= text.size(); ++i) ASSERT_FALSE(digits_at(text, i));
  EXPECT_GT(std::set<char>(text.begin(), text.end()).size(), 20U);
}

}  // namespace
}  // namespace hubbub::load
