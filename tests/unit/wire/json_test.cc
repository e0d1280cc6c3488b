// Promises of wire/json.h: what is JSON and what is not, huge numbers, exact depth, and the writer.
#include "hubbub/wire/json.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/base/rng.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub::wire {
namespace {

using namespace std::literals;

// The text with the readable bytes behind it that the parser is promised; filled with what would hide a
// parser that looks at them.
class Padded {
 public:
  explicit Padded(std::string_view text, char fill = '1') : bytes_(text), size_(text.size()) {
    bytes_.append(kReadPadding, fill);
  }
  [[nodiscard]] std::string_view text() const { return std::string_view(bytes_).substr(0, size_); }

 private:
  std::string bytes_;
  std::size_t size_;
};

constexpr std::size_t kDepth = 64;

std::string nested(std::size_t levels, std::string_view inside) {
  return std::string(levels, '[') + std::string(inside) + std::string(levels, ']');
}

Error error_of(std::string_view text, std::size_t depth = kDepth) {
  JsonParser parser(depth);
  const Padded padded(text);
  auto parsed = parser.parse(padded.text());
  EXPECT_FALSE(parsed.has_value()) << text;
  return parsed ? Error{} : parsed.error();
}

bool accepts(std::string_view text, std::size_t depth = kDepth) {
  JsonParser parser(depth);
  const Padded padded(text);
  return parser.parse(padded.text()).has_value();
}

double number(std::string_view text) {
  JsonParser parser(kDepth);
  const Padded padded(text);
  const auto parsed = parser.parse(padded.text());
  double value = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(parsed && parsed->get(value) == simdjson::SUCCESS) << text;
  return value;
}

TEST(JsonParser, accepts_every_kind_of_value_at_the_root) {
  for (const auto text : {"{}", "[]", "null", "true", "false", "0", "-0", "1.5e3", "\"\"", " [1 , 2]\r\n\t",
                          R"({"a":{"b":[1,"x",null]}})", "\"\xF0\x9F\x90\xBC\""})
    EXPECT_TRUE(accepts(text)) << text;
}

TEST(JsonParser, refuses_what_is_not_json) {
  const std::vector<std::string_view> bad = {"",
                                             " ",
                                             "\r\n\t",
                                             "{",
                                             "}",
                                             "[1,2",
                                             "[1,]",
                                             "{\"a\":}",
                                             "{\"a\" 1}",
                                             "{a:1}",
                                             "{'a':1}",
                                             "[1] x",
                                             "{} {}",
                                             "1 2",
                                             "tru",
                                             "nul",
                                             "True",
                                             "NaN",
                                             "Infinity",
                                             "01",
                                             "-",
                                             "+1",
                                             ".5",
                                             "1.",
                                             "1e",
                                             "1e+",
                                             "0x10",
                                             "--1",
                                             "\"abc",
                                             "\"\\x\"",
                                             "\"\\u12\"",
                                             "\"\\ud800\"",
                                             "\"\\udc00\\ud800\"",
                                             "\"a\nb\"",
                                             R"({"x":tru,"y":01})",
                                             "[1,2]//c",
                                             "\xEF\xBB\xBF{}",
                                             "\xEF\xBB\xBF",
                                             "\"\xFF\"",
                                             "\"\xC0\x80\"",
                                             "\"\xED\xA0\x80\"",
                                             "{}\0"sv,
                                             "\0"sv,
                                             "[1\0]"sv,
                                             "\"\0\""sv};
  for (const std::string_view text : bad) EXPECT_EQ(error_of(text).code, Errc::parse_error) << text;
}

TEST(JsonParser, looks_at_nothing_behind_the_text) {
  JsonParser parser(kDepth);
  for (const char fill : {'1', 'e', '"', ']', ' ', '\0'}) {
    const Padded number_text("12", fill);
    std::int64_t value = 0;
    const auto parsed = parser.parse(number_text.text());
    ASSERT_TRUE(parsed && parsed->get(value) == simdjson::SUCCESS) << fill;
    EXPECT_EQ(value, 12);
    const Padded open_text("[12", fill);
    EXPECT_FALSE(parser.parse(open_text.text())) << fill;
    const Padded word_text("tru", fill);
    EXPECT_FALSE(parser.parse(word_text.text())) << fill;
  }
}

TEST(JsonParser, error_says_what_is_wrong) {
  EXPECT_EQ(error_of("").detail, "the text is empty");
  EXPECT_EQ(error_of("\"\xFF\"").detail, "the text is not valid UTF-8");
  EXPECT_EQ(error_of("[\"a").detail, "a string is not closed");
  EXPECT_EQ(error_of("[01]").detail, "a number is not valid JSON");
  EXPECT_EQ(error_of("\xEF\xBB\xBF{}").detail, "the text begins with a byte order mark");
}

TEST(JsonParser, depth_limit_is_exact) {
  for (const std::size_t depth : {std::size_t{1}, std::size_t{2}, std::size_t{7}, kDepth}) {
    for (const std::string_view inside : {"", "1", "\"[[[[\"", "null,{}"}) {
      const std::size_t own = inside.ends_with("{}") ? 1 : 0;
      if (own == depth) continue;
      EXPECT_TRUE(accepts(nested(depth - own, inside), depth)) << depth << inside;
      const Error error = error_of(nested(depth - own + 1, inside), depth);
      EXPECT_EQ(error.code, Errc::parse_error);
      EXPECT_EQ(error.limit, "limits.json_depth");
      EXPECT_NE(error.detail.find("limits.json_depth (" + std::to_string(depth) + ")"), std::string::npos);
    }
  }
}

TEST(JsonParser, depth_counts_objects_and_survives_a_very_deep_text) {
  EXPECT_TRUE(accepts(R"({"a":{"b":{"c":{}}}})", 4));
  EXPECT_EQ(error_of(R"({"a":{"b":{"c":{}}}})", 3).limit, "limits.json_depth");
  EXPECT_EQ(error_of(nested(100'000, "")).limit, "limits.json_depth");
  EXPECT_EQ(error_of(std::string(100'000, '[')).code, Errc::parse_error);
  EXPECT_TRUE(accepts("[[],[],[[]],{},{\"a\":[]}]", 3));
}

TEST(JsonParser, parser_is_good_after_a_failure) {
  JsonParser parser(4);
  const Padded good(R"({"a":[1]})");
  for (const std::string_view text : {"", "{", "[[[[[1]]]]]", "[[[[1]]]]", "[1e999", "\"\\ud800\""}) {
    const Padded padded(text);
    static_cast<void>(parser.parse(padded.text()));
    EXPECT_TRUE(parser.parse(good.text())) << text;
  }
}

TEST(JsonParser, numbers_beyond_64_bits_read_as_the_largest_double) {
  for (const auto text : {"18446744073709551616", "123456789012345678901234567890", "1e309", "1E+999",
                          "1.8e308", "17976931348623159e292", "1e99999999999999999999999", "0.001e312"})
    EXPECT_EQ(number(text), kNumberTooLarge) << text;
  for (const auto text : {"-9223372036854775809", "-123456789012345678901234567890", "-1e309"})
    EXPECT_EQ(number(text), -kNumberTooLarge) << text;
  EXPECT_EQ(number("1" + std::string(400, '0')), kNumberTooLarge);
  EXPECT_EQ(number("1" + std::string(400, '0') + ".5"), kNumberTooLarge);
}

TEST(JsonParser, numbers_within_range_keep_their_value) {
  EXPECT_EQ(number("1.7976931348623157e308"), kNumberTooLarge);
  EXPECT_EQ(number("18446744073709551615"), 18446744073709551615.0);
  EXPECT_EQ(number("-9223372036854775808"), -9223372036854775808.0);
  EXPECT_EQ(number("1" + std::string(400, '0') + "e-400"), 1.0);
  EXPECT_EQ(number("0." + std::string(399, '0') + "1e400"), 1.0);
  for (const auto text :
       {"1e-400", "1e-99999999999999999999999", "0e999", "0.0e99999999999999999999", "1e-324"})
    EXPECT_EQ(number(text), 0.0) << text;
  EXPECT_TRUE(std::signbit(number("-1e-400")));
}

TEST(JsonParser, huge_numbers_do_not_make_bad_json_good) {
  for (const auto text :
       {"01e999", "1e999x", "1e999.5", "+1e999", "1.e999", "1e999 1", "[1e999,01]", "[1e999,tru]",
        "{\"a\":1e999", "--1e999", "1e+-999", "[1e999\"\"]", "\"1e999", "123456789012345678901234567890a"})
    EXPECT_EQ(error_of(text).code, Errc::parse_error) << text;
}

TEST(JsonParser, huge_numbers_leave_their_surroundings_alone) {
  JsonParser parser(kDepth);
  const Padded padded(R"({"s":"1e999 \" 1e999","n":[1e999,-1e999,7],"k1e999":1e999})");
  const auto parsed = parser.parse(padded.text());
  ASSERT_TRUE(parsed);
  std::string_view text;
  ASSERT_EQ((*parsed)["s"].get(text), simdjson::SUCCESS);
  EXPECT_EQ(text, "1e999 \" 1e999");
  std::int64_t seven = 0;
  ASSERT_EQ((*parsed)["n"].at(2).get(seven), simdjson::SUCCESS);
  EXPECT_EQ(seven, 7);
  double huge = 0;
  ASSERT_EQ((*parsed)["k1e999"].get(huge), simdjson::SUCCESS);
  EXPECT_EQ(huge, kNumberTooLarge);
}

TEST(JsonParser, huge_numbers_at_the_depth_limit) {
  EXPECT_TRUE(accepts(nested(3, "1e999"), 3));
  EXPECT_EQ(error_of(nested(4, "1e999"), 3).limit, "limits.json_depth");
}

TEST(JsonParser, long_texts_and_short_ones_in_turn) {
  JsonParser parser(kDepth);
  for (const std::size_t size : {std::size_t{10}, std::size_t{5000}, kScratchKeep - 2, kScratchKeep + 100,
                                 std::size_t{10}, 8 * kScratchKeep, std::size_t{3}, kScratchKeep - 1}) {
    const Padded padded('"' + std::string(size, 'x') + '"');
    const auto parsed = parser.parse(padded.text());
    std::string_view text;
    ASSERT_TRUE(parsed && parsed->get(text) == simdjson::SUCCESS) << size;
    EXPECT_EQ(text.size(), size);
  }
  JsonParser moved(std::move(parser));
  const Padded padded("[1]");
  EXPECT_TRUE(moved.parse(padded.text()));
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonWriter, escapes_what_must_be_escaped_and_nothing_else) {
  EXPECT_EQ(json_string(""), "\"\"");
  EXPECT_EQ(json_string("plain / text \x7F \xC3\xA9"), "\"plain / text \x7F \xC3\xA9\"");
  EXPECT_EQ(json_string("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(json_string("\0\x01\x1F"sv), R"("\u0000\u0001\u001f")");
  EXPECT_EQ(json_string("0123456789abcdef\"0123456789"), R"("0123456789abcdef\"0123456789")");
}

TEST(JsonWriter, every_byte_below_0x80_reads_back_at_every_offset) {
  for (std::size_t offset = 0; offset < 10; ++offset) {
    for (int byte = 0; byte < 0x80; ++byte) {
      const std::string text = std::string(offset, 'x') + static_cast<char>(byte) + "tail";
      const Padded padded(json_string(text));
      JsonParser parser(kDepth);
      const auto parsed = parser.parse(padded.text());
      std::string_view back;
      ASSERT_TRUE(parsed && parsed->get(back) == simdjson::SUCCESS) << byte;
      EXPECT_EQ(back, text);
    }
  }
}

TEST(JsonWriter, integers) {
  std::string out;
  append_json_int(out, std::numeric_limits<std::int64_t>::min());
  out += ' ';
  append_json_int(out, -1);
  out += ' ';
  append_json_uint(out, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(out, "-9223372036854775808 -1 18446744073709551615");
}

TEST(JsonWriter, doubles_read_back_equal) {
  SeededRng rng(11);
  std::vector<double> values = {0.0, -0.0, 0.1, 5.0, 1e300, -1e300, 5e-324, kNumberTooLarge, 1.0 / 3.0};
  for (int i = 0; i < 500; ++i) {
    const double value = std::bit_cast<double>(rng.next());
    if (std::isfinite(value)) values.push_back(value);
  }
  for (const double value : values) {
    std::string out;
    append_json_double(out, value);
    const double back = number(out);
    EXPECT_EQ(back, value) << out;
    EXPECT_EQ(std::signbit(back), std::signbit(value)) << out;
  }
}

TEST(JsonWriter, doubles_without_a_json_form_are_null) {
  for (const double value :
       {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN()}) {
    std::string out = "x";
    append_json_double(out, value);
    EXPECT_EQ(out, "xnull");
  }
}

TEST(JsonWriter, times_are_rfc_3339_in_utc) {
  EXPECT_EQ(format_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time(1'795'426'496'007), "2026-11-23T09:34:56.007Z");
  EXPECT_EQ(format_time(951'782'399'999), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(format_time(951'782'400'000), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(format_time(-1), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace hubbub::wire
