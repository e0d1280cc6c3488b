// Writing results: each type, and what becomes of values JSON has no word for.
#include "hubbub/core/json_write.h"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "hubbub/core/params.h"
#include "tests/unit/core/params_text.h"

namespace hubbub {
namespace {

enum class Level { low, high };
BOOST_DESCRIBE_ENUM(Level, low, high)

struct Empty {};
BOOST_DESCRIBE_STRUCT(Empty, (), ())

struct Inner {
  std::optional<int> first;
  std::optional<int> second;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (first, second))

struct Outer {
  bool flag = true;
  std::int8_t small = -7;
  std::uint64_t large = std::numeric_limits<std::uint64_t>::max();
  double real = 0.5;
  std::string text = "a\"b";
  Level level = Level::high;
  std::optional<std::string> absent;
  std::vector<Inner> list{{1, {}}, {{}, 2}};
  std::map<std::string, bool> map{{"k\n", false}};
  RawJson raw{"[1.0]"};
};
BOOST_DESCRIBE_STRUCT(Outer, (), (flag, small, large, real, text, level, absent, list, map, raw))

template <class T>
std::string json(const T& value) {
  std::string out;
  write_json(out, value);
  return out;
}

TEST(JsonWrite, scalars) {
  EXPECT_EQ(json(true), "true");
  EXPECT_EQ(json(false), "false");
  EXPECT_EQ(json(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(json(std::uint8_t{255}), "255");
  EXPECT_EQ(json(std::string("é\t")), "\"é\\t\"");
  EXPECT_EQ(json(std::string_view("v")), "\"v\"");
  EXPECT_EQ(json(Level::low), "\"low\"");
}

TEST(JsonWrite, structs_keep_member_order_and_leave_out_nullopt) {
  EXPECT_EQ(json(Outer{}),
            R"({"flag":true,"small":-7,"large":18446744073709551615,"real":0.5,"text":"a\"b","level":"high",)"
            R"("list":[{"first":1},{"second":2}],"map":{"k\n":false},"raw":[1.0]})");
  EXPECT_EQ(json(Inner{}), "{}");
  EXPECT_EQ(json(Empty{}), "{}");
}

TEST(JsonWrite, nullopt_is_null_where_it_cannot_be_left_out) {
  EXPECT_EQ(json(std::optional<int>{}), "null");
  EXPECT_EQ(json(std::optional<int>{4}), "4");
  EXPECT_EQ(json(std::vector<std::optional<int>>{1, std::nullopt}), "[1,null]");
  EXPECT_EQ(json(std::map<std::string, std::optional<int>>{{"a", std::nullopt}}), R"({"a":null})");
}

TEST(JsonWrite, empty_containers) {
  EXPECT_EQ(json(std::vector<int>{}), "[]");
  EXPECT_EQ(json(std::map<std::string, int>{}), "{}");
}

TEST(JsonWrite, lists_of_bool) { EXPECT_EQ(json(std::vector<bool>{true, false}), "[true,false]"); }

TEST(JsonWrite, raw_text_goes_out_as_it_is_and_empty_is_null) {
  EXPECT_EQ(json(RawJson{R"({"a" : 1.0})"}), R"({"a" : 1.0})");
  EXPECT_EQ(json(JsonText{"[ ]"}), "[ ]");
  EXPECT_EQ(json(RawJson{}), "null");
  EXPECT_EQ(json(JsonText{}), "null");
}

TEST(JsonWrite, numbers_json_does_not_have_are_null) {
  EXPECT_EQ(json(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(json(std::numeric_limits<double>::infinity()), "null");
}

TEST(JsonWrite, an_enum_value_never_described_is_null) { EXPECT_EQ(json(static_cast<Level>(9)), "null"); }

TEST(JsonWrite, text_that_is_not_utf8_is_mended) {
  EXPECT_EQ(json(std::string("a\xFFz")), "\"a\uFFFDz\"");
  EXPECT_EQ(json(std::string("é\xC3")), "\"é\uFFFD\"");
  EXPECT_EQ(json(std::string("\xED\xA0\x80")), "\"\uFFFD\uFFFD\uFFFD\"");
  EXPECT_EQ(json(std::map<std::string, int>{{"\x80", 1}}), "{\"\uFFFD\":1}");
}

TEST(JsonWrite, appends_behind_what_is_there) {
  std::string out = "[";
  write_json(out, 1);
  EXPECT_EQ(out, "[1");
}

TEST(JsonWrite, what_is_written_reads_back_equal) {
  const Outer written;
  const test::ParamsText params(json(written));
  Outer back;
  back.flag = false;
  back.list.clear();
  const auto read = read_params(params.request(), back);
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(json(back), json(written));
}

}  // namespace
}  // namespace hubbub
