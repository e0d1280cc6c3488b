// Promises of JsonSlices and json_key_equals in wire/json.h: raw members byte for byte, in step with the DOM,
// and never outside the text.
#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/base/rng.h"
#include "hubbub/wire/json.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub::wire {
namespace {

using namespace std::literals;

constexpr std::size_t kDepth = 64;

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

std::vector<std::pair<std::string, std::string>> slices_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> found;
  for (JsonSlices slices(text); slices.next();) found.emplace_back(slices.key(), slices.value());
  return found;
}

TEST(JsonSlices, give_members_byte_for_byte) {
  const auto found = slices_of(
      "\n { \"a\" : 1.0 ,\t\"b\\n\\\"\":\"x\\\\\" , \"c\":{\"d\":[\"]}\",{}]}\r\n,\"\":[ ] ,\"e\":nul }  ");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "1.0"}, {"b\\n\\\"", "\"x\\\\\""}, {"c", "{\"d\":[\"]}\",{}]}"}, {"", "[ ]"}, {"e", "nul"}};
  EXPECT_EQ(found, expected);
}

TEST(JsonSlices, give_items_byte_for_byte) {
  const auto found = slices_of("[1,[2,[3]] , \"a,]\",{\"k\":\"}\"},null,1e2,true]");
  ASSERT_EQ(found.size(), 7U);
  EXPECT_EQ(found[1].second, "[2,[3]]");
  EXPECT_EQ(found[2].second, "\"a,]\"");
  EXPECT_EQ(found[3].second, "{\"k\":\"}\"}");
  EXPECT_EQ(found[6].second, "true");
  EXPECT_EQ(found[6].first, "");
}

TEST(JsonSlices, find_the_end_of_a_container_wherever_it_stands) {
  // Moves strings, escapes, brackets and the end itself over every offset of the blocks that the search works
  // in.
  const std::string unit =
      R"({"k":[1,"]}",{"e":"\\\""},[]],"long":"0123456789 0123456789 0123456789 0123456789 [{"})";
  for (std::size_t pad = 0; pad < 140; ++pad) {
    for (const std::string_view filler : {" ", "x"}) {
      std::string blank;
      for (std::size_t i = 0; i < pad; ++i) blank += filler;
      const std::string space = filler == " " ? blank : "\"" + blank + "\",";
      const std::string value = "[" + space + unit + "," + unit + ",[[[]]],{}" + "]";
      const auto found = slices_of("[" + value + "," + value + ",7]");
      ASSERT_EQ(found.size(), 3U) << pad;
      EXPECT_EQ(found[0].second, value) << pad;
      EXPECT_EQ(found[1].second, value) << pad;
      EXPECT_EQ(found[2].second, "7") << pad;
    }
  }
}

TEST(JsonSlices, repeated_keys_appear_each_time) {
  const auto found = slices_of(R"({"a":1,"a":2,"a":3})");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[2].second, "3");
}

TEST(JsonSlices, nothing_in_empty_containers_and_in_scalars) {
  for (const auto text : {"", " ", "{}", "[]", "[ ]", " { } ", "1", "\"[1]\"", "null", "]", "}"})
    EXPECT_TRUE(slices_of(text).empty()) << text;
}

TEST(JsonSlices, stop_early_on_what_is_not_json) {
  for (const auto text : {"{", "[", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"", "{\"a\":[", "{\"a\":{\"",
                          "[\"\\", "[\"\\\"", "{a:1}", "{1:2}", "{\"a\" 1}", "[[", "[{]"}) {
    // In a buffer of exactly this size, so that the address sanitizer sees a read outside.
    const std::vector<char> bytes(text, text + std::char_traits<char>::length(text));
    EXPECT_TRUE(slices_of({bytes.data(), bytes.size()}).empty() || text == "[{]"sv) << text;
  }
  EXPECT_EQ(slices_of("[1,2").size(), 2U);
  EXPECT_EQ(slices_of("[1,\"x").size(), 1U);
}

TEST(JsonSlices, stay_ended) {
  JsonSlices slices("[1]");
  EXPECT_TRUE(slices.next());
  EXPECT_FALSE(slices.next());
  EXPECT_FALSE(slices.next());
  EXPECT_EQ(slices.value(), "");
}

// Random JSON texts with white space, escapes and every kind of value.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : rng_(seed) {}

  std::string value(int depth) {
    const std::uint64_t kind = rng_.below(depth > 0 ? 8 : 5);
    if (kind < 5) return scalar(kind);
    const bool object = kind == 7 || kind == 5;
    std::string out(1, object ? '{' : '[');
    for (std::uint64_t left = rng_.below(6); left > 0; --left) {
      if (object) out += space() + string() + space() + ':';
      out += space() + value(depth - 1) + space();
      if (left > 1) out += ',';
    }
    return out + space() + (object ? '}' : ']');
  }

 private:
  std::string scalar(std::uint64_t kind) {
    static constexpr const char* kNumbers[] = {"0", "-1", "12.50", "1e2", "-0.0E-3", "9007199254740993"};
    if (kind == 0) return rng_.below(2) ? "true" : "false";
    if (kind == 1) return "null";
    return kind == 2 ? kNumbers[rng_.below(std::size(kNumbers))] : string();
  }
  std::string string() {
    static constexpr const char* kParts[] = {
        "a", "\\\"", "\\\\", "[", "}", ",", ":", "\\u00e9", "\xC3\xA9", "longer text here", "\\ud83d\\udc3c",
        " ", "\\/",  "{\\n"};
    std::string out = "\"";
    for (std::uint64_t left = rng_.below(5); left > 0; --left) out += kParts[rng_.below(std::size(kParts))];
    return out + '"';
  }
  std::string space() {
    static constexpr const char* kSpaces[] = {"", "", "", " ", "\n\t", "\r\n    "};
    return kSpaces[rng_.below(std::size(kSpaces))];
  }

  SeededRng rng_;
};

// Each slice of `text`, parsed alone, must be what the DOM has in its place; and so on inside.
void expect_same(std::string_view text, dom::element element) {
  std::vector<std::pair<std::string_view, std::string>> expected;  // decoded key, minified value
  dom::object object;
  dom::array array;
  if (element.get(object) == simdjson::SUCCESS) {
    for (const auto field : object) expected.emplace_back(field.key, simdjson::minify(field.value));
  } else if (element.get(array) == simdjson::SUCCESS) {
    for (const auto item : array) expected.emplace_back(std::string_view{}, simdjson::minify(item));
  }
  JsonSlices slices(text);
  for (const auto& [key, minified] : expected) {
    ASSERT_TRUE(slices.next()) << text;
    EXPECT_TRUE(json_key_equals(slices.key(), key)) << slices.key();
    const Padded padded(slices.value());
    JsonParser inner(kDepth);
    const auto parsed = inner.parse(padded.text());
    ASSERT_TRUE(parsed) << slices.value();
    EXPECT_EQ(simdjson::to_string(*parsed), minified);
    expect_same(slices.value(), *parsed);
  }
  EXPECT_FALSE(slices.next());
}

TEST(JsonSlices, agree_with_the_dom_on_random_texts) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const Padded padded(Generator(seed).value(4));
    JsonParser parser(kDepth);
    const auto parsed = parser.parse(padded.text());
    ASSERT_TRUE(parsed) << padded.text();
    expect_same(padded.text(), *parsed);
  }
}

TEST(JsonSlices, stay_inside_random_prefixes_of_valid_texts) {
  SeededRng rng(7);
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const std::string whole = Generator(seed).value(4);
    const std::vector<char> cut(whole.begin(),
                                whole.begin() + static_cast<std::ptrdiff_t>(rng.below(whole.size() + 1)));
    const std::string_view text(cut.data(), cut.size());
    for (JsonSlices slices(text); slices.next();) {
      EXPECT_GE(slices.value().data(), text.data());
      EXPECT_LE(slices.value().data() + slices.value().size(), text.data() + text.size());
    }
  }
}

TEST(JsonKeyEquals, decodes_escapes) {
  EXPECT_TRUE(json_key_equals("method", "method"));
  EXPECT_TRUE(json_key_equals("\\u006dethod", "method"));
  EXPECT_TRUE(json_key_equals("\\u006D\\u0065thod", "method"));
  EXPECT_TRUE(json_key_equals("a\\/b\\n\\\"", "a/b\n\""));
  EXPECT_TRUE(json_key_equals("\\u00e9\\ud83d\\udc3c", "\xC3\xA9\xF0\x9F\x90\xBC"));
  EXPECT_TRUE(json_key_equals("\\u20ac", "\xE2\x82\xAC"));
  EXPECT_TRUE(json_key_equals("", ""));
}

TEST(JsonKeyEquals, is_false_for_other_keys_and_for_bad_escapes) {
  for (const auto key : {"", "metho", "methods", "Method", "\\u006", "\\u00zz", "\\", "\\x", "\\ud83d",
                         "\\ud83d\\u0041", "\\udc3c", "\\u006dethodx"})
    EXPECT_FALSE(json_key_equals(key, "method")) << key;
  EXPECT_FALSE(json_key_equals("a", ""));
}

}  // namespace
}  // namespace hubbub::wire
