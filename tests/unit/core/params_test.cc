// Reading params: each type, each thing that can be wrong, and exactly what is said about it.
#include "hubbub/core/params.h"

#include <cstdint>

#include <gtest/gtest.h>

#include "tests/unit/core/params_text.h"

namespace hubbub {
namespace {

using test::ParamsText;

enum class Color { red, green, blue };
BOOST_DESCRIBE_ENUM(Color, red, green, blue)

struct AddParams {
  std::int64_t a;
  std::int64_t b;
  std::optional<std::string> note;
  int scale = 1;
  static constexpr auto rules() {
    return hubbub::rules(hubbub::in_range(&AddParams::scale, 1, 100), hubbub::has_default(&AddParams::scale),
                         hubbub::length(&AddParams::note, 0, 64));
  }
};
BOOST_DESCRIBE_STRUCT(AddParams, (), (a, b, note, scale))

struct Position {
  std::string epoch;
  std::uint64_t offset;
};
BOOST_DESCRIBE_STRUCT(Position, (), (epoch, offset))

struct SubscribeParams {
  std::string_view topic;
  std::optional<Position> since;
  bool presence = false;
  static constexpr auto rules() {
    return hubbub::rules(hubbub::length(&SubscribeParams::topic, 1, 8),
                         hubbub::has_default(&SubscribeParams::presence));
  }
};
BOOST_DESCRIBE_STRUCT(SubscribeParams, (), (topic, since, presence))

struct Point {
  double x;
  double y = 0;
  static constexpr auto rules() {
    return hubbub::rules(hubbub::in_range(&Point::x, -1, 1.5), hubbub::has_default(&Point::y));
  }
};
BOOST_DESCRIBE_STRUCT(Point, (), (x, y))

struct DrawParams {
  std::vector<Point> items;
  std::map<std::string, Color> colors;
  std::vector<std::vector<bool>> mask;
  static constexpr auto rules() {
    return hubbub::rules(hubbub::length(&DrawParams::items, 1, 3), hubbub::has_default(&DrawParams::colors),
                         hubbub::length(&DrawParams::colors, 0, 2), hubbub::has_default(&DrawParams::mask));
  }
};
BOOST_DESCRIBE_STRUCT(DrawParams, (), (items, colors, mask))

struct SmallParams {
  std::optional<std::int8_t> i8;
  std::optional<std::uint8_t> u8;
  std::optional<std::uint32_t> u32;
  std::optional<std::int64_t> i64;
  std::optional<std::uint64_t> u64;
  std::optional<double> real;
};
BOOST_DESCRIBE_STRUCT(SmallParams, (), (i8, u8, u32, i64, u64, real))

struct SendParams {
  std::string to;
  RawJson data;
  JsonText kept;
  static constexpr auto rules() {
    return hubbub::rules(hubbub::has_default(&SendParams::kept), hubbub::length(&SendParams::data, 1, 20));
  }
};
BOOST_DESCRIBE_STRUCT(SendParams, (), (to, data, kept))

struct RawInside {
  std::vector<RawJson> list;
  std::map<std::string, RawJson> map;
  std::optional<RawJson> maybe;
};
BOOST_DESCRIBE_STRUCT(RawInside, (), (list, map, maybe))

struct Base {
  int first;
  static constexpr auto rules() { return hubbub::rules(hubbub::in_range(&Base::first, 0, 9)); }
};
BOOST_DESCRIBE_STRUCT(Base, (), (first))
struct Derived : Base {
  int second;
};
BOOST_DESCRIBE_STRUCT(Derived, (Base), (second))

// The error of reading `text` as a T; fails the test if there is none.
template <class T>
Error error_of(std::string_view text) {
  const ParamsText params(text);
  T out{};
  const auto read = read_params(params.request(), out);
  EXPECT_FALSE(read.has_value()) << text;
  return read ? Error{} : read.error();
}

template <class T>
void expect_error(std::string_view text, std::string_view field, std::string_view constraint,
                  std::string_view got, std::string_view detail) {
  const Error error = error_of<T>(text);
  EXPECT_EQ(error.code, Errc::invalid_params) << text;
  EXPECT_EQ(error.field, field) << text;
  EXPECT_EQ(error.constraint, constraint) << text;
  EXPECT_EQ(error.got, got) << text;
  EXPECT_EQ(error.detail, detail) << text;
}

template <class T>
T read(const ParamsText& params) {
  T out{};
  const auto result = read_params(params.request(), out);
  EXPECT_TRUE(result.has_value()) << params.request().params << ": " << (result ? "" : result.error().detail);
  return out;
}

template <class T>
T read(std::string_view text) {
  return read<T>(ParamsText(text));
}

TEST(Params, by_name_in_any_order) {
  const auto p = read<AddParams>(R"({"b":2, "note":"n\u00e9e", "a":-1, "scale":100})");
  EXPECT_EQ(p.a, -1);
  EXPECT_EQ(p.b, 2);
  EXPECT_EQ(p.note, "née");
  EXPECT_EQ(p.scale, 100);
}

TEST(Params, by_position_in_member_order) {
  const auto p = read<AddParams>(R"([1,2,"n",3])");
  EXPECT_EQ(p.a, 1);
  EXPECT_EQ(p.b, 2);
  EXPECT_EQ(p.note, "n");
  EXPECT_EQ(p.scale, 3);
  EXPECT_EQ(read<AddParams>("[1,2]").scale, 1);
}

TEST(Params, escaped_names_are_the_same_names) { EXPECT_EQ(read<AddParams>(R"({"\u0061":7,"b":2})").a, 7); }

TEST(Params, members_left_out_keep_their_initializers) {
  const auto p = read<AddParams>(R"({"a":1,"b":2})");
  EXPECT_EQ(p.note, std::nullopt);
  EXPECT_EQ(p.scale, 1);
}

TEST(Params, null_is_absent_for_optional_members_only) {
  EXPECT_EQ(read<AddParams>(R"({"a":1,"b":2,"note":null})").note, std::nullopt);
  expect_error<AddParams>(R"({"a":1,"b":null})", "b", "integer", "null",
                          R"("b" must be an integer, got null)");
  expect_error<AddParams>(R"([1,2,null,null])", "scale", "integer in 1..100", "null",
                          R"("scale" must be an integer in 1..100, got null)");
}

TEST(Params, required_members_are_named_when_missing) {
  expect_error<AddParams>(R"({"a":1})", "b", "required", "absent", R"("b" is required)");
  expect_error<AddParams>("[1]", "b", "required", "absent", R"("b" is required)");
  expect_error<AddParams>("", "a", "required", "absent", R"("a" is required)");
  expect_error<SubscribeParams>(R"({"topic":"t","since":{"epoch":"e"}})", "since.offset", "required",
                                "absent", R"("since.offset" is required)");
}

TEST(Params, absent_params_will_do_where_nothing_is_required) {
  EXPECT_EQ(read<SmallParams>("").i8, std::nullopt);
  EXPECT_EQ(read<SmallParams>("{}").i8, std::nullopt);
  EXPECT_EQ(read<SmallParams>("[]").i8, std::nullopt);
}

TEST(Params, too_many_items_name_the_most) {
  expect_error<AddParams>("[1,2,null,4,5]", "params", "array of 0..4 items", "array",
                          "params must have at most 4 items, got 5");
}

TEST(Params, unknown_members_name_the_nearest_known_one) {
  expect_error<SubscribeParams>(R"({"tpic":"x"})", "tpic", "known member", "string",
                                R"(unknown member "tpic"; did you mean "topic"?)");
  expect_error<SubscribeParams>(R"({"Topic":1})", "Topic", "known member", "number",
                                R"(unknown member "Topic"; did you mean "topic"?)");
  expect_error<SubscribeParams>(R"({"topci":[]})", "topci", "known member", "array",
                                R"(unknown member "topci"; did you mean "topic"?)");
  expect_error<SubscribeParams>(R"({"topic":"t","since":{"epohc":"e"}})", "since.epohc", "known member",
                                "string", R"(unknown member "epohc"; did you mean "epoch"?)");
}

TEST(Params, unknown_members_far_from_all_list_what_is_known) {
  expect_error<SubscribeParams>(R"({"x":{}})", "x", "known member", "object",
                                R"(unknown member "x"; known are topic, since, presence)");
  expect_error<AddParams>(R"({"":true})", "", "known member", "boolean",
                          R"(unknown member ""; known are a, b, note, scale)");
}

TEST(Params, members_given_twice_are_refused) {
  expect_error<AddParams>(R"({"a":1,"b":2,"a":3})", "a", "given once", "number", R"("a" is given twice)");
  expect_error<AddParams>(R"({"a":1,"\u0061":"x"})", "a", "given once", "string", R"("a" is given twice)");
  expect_error<DrawParams>(R"({"items":[[]],"colors":{"k":"red","k":"red"}})", "items[0]", "object", "array",
                           R"("items[0]" must be an object, got array)");
  expect_error<DrawParams>(R"({"colors":{"k":"red","k":"red"}})", "colors.k", "given once", "string",
                           R"("colors.k" is given twice)");
}

TEST(Params, only_the_first_error_is_told) {
  EXPECT_EQ(error_of<AddParams>(R"({"b":"x","zzz":1,"a":"y"})").field, "b");
}

TEST(Params, each_json_type_is_named) {
  for (const auto& [text, got] : std::vector<std::pair<std::string, std::string>>{
           {R"("x")", "string"}, {"true", "boolean"}, {"null", "null"}, {"[]", "array"}, {"{}", "object"}})
    expect_error<AddParams>(R"({"scale":)" + text + "}", "scale", "integer in 1..100", got,
                            R"("scale" must be an integer in 1..100, got )" + got);
  expect_error<SubscribeParams>(R"({"topic":1.5})", "topic", "string of 1..8 bytes", "number",
                                R"("topic" must be a string of 1..8 bytes, got number)");
  expect_error<SubscribeParams>(R"({"presence":0})", "presence", "boolean", "number",
                                R"("presence" must be a boolean, got number)");
  expect_error<SubscribeParams>(R"({"since":"x"})", "since", "object", "string",
                                R"("since" must be an object, got string)");
  expect_error<DrawParams>(R"({"items":{}})", "items", "array of 1..3 items", "object",
                           R"("items" must be an array of 1..3 items, got object)");
  expect_error<DrawParams>(R"({"colors":[]})", "colors", "object of 0..2 members", "array",
                           R"("colors" must be an object of 0..2 members, got array)");
  expect_error<SmallParams>(R"({"real":"1"})", "real", "number", "string",
                            R"("real" must be a number, got string)");
}

TEST(Params, integers_at_the_bounds_of_a_rule_pass_and_one_over_does_not) {
  EXPECT_EQ(read<AddParams>(R"({"a":1,"b":1,"scale":1})").scale, 1);
  EXPECT_EQ(read<AddParams>(R"({"a":1,"b":1,"scale":100})").scale, 100);
  expect_error<AddParams>(R"({"scale":0})", "scale", "integer in 1..100", "number",
                          R"("scale" must be an integer in 1..100, got 0)");
  expect_error<AddParams>(R"({"scale":101})", "scale", "integer in 1..100", "number",
                          R"("scale" must be an integer in 1..100, got 101)");
}

TEST(Params, integers_at_the_bounds_of_their_type_pass_and_one_over_does_not) {
  const auto low = read<SmallParams>(R"({"i8":-128,"u8":0,"u32":0,"i64":-9223372036854775808,"u64":0})");
  EXPECT_EQ(low.i8, -128);
  EXPECT_EQ(low.i64, std::numeric_limits<std::int64_t>::min());
  const auto high = read<SmallParams>(
      R"({"i8":127,"u8":255,"u32":4294967295,"i64":9223372036854775807,"u64":18446744073709551615})");
  EXPECT_EQ(high.u8, 255);
  EXPECT_EQ(high.u32, 4294967295U);
  EXPECT_EQ(high.i64, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(high.u64, std::numeric_limits<std::uint64_t>::max());
  expect_error<SmallParams>(R"({"i8":128})", "i8", "integer in -128..127", "number",
                            R"("i8" must be an integer in -128..127, got 128)");
  expect_error<SmallParams>(R"({"u8":-1})", "u8", "integer in 0..255", "number",
                            R"("u8" must be an integer in 0..255, got -1)");
  expect_error<SmallParams>(R"({"i64":9223372036854775808})", "i64",
                            "integer in -9223372036854775808..9223372036854775807", "number",
                            R"("i64" must be an integer in -9223372036854775808..9223372036854775807, got )"
                            "9223372036854775808");
}

TEST(Params, numbers_beyond_64_bits_are_no_integers) {
  for (const char* text :
       {R"({"u64":18446744073709551616})", R"({"u64":1e400})", R"({"u64":-99999999999999999999})"})
    EXPECT_EQ(error_of<SmallParams>(text).constraint, "integer in 0..18446744073709551615") << text;
}

TEST(Params, integers_may_be_written_with_an_empty_fraction_or_exponent) {
  EXPECT_EQ(read<SmallParams>(R"({"i64":1.0})").i64, 1);
  EXPECT_EQ(read<SmallParams>(R"({"i64":1e2})").i64, 100);
  EXPECT_EQ(read<SmallParams>(R"({"i64":-0.0})").i64, 0);
  EXPECT_EQ(read<SmallParams>(R"({"i64":9007199254740992.0})").i64, 9007199254740992);
  expect_error<SmallParams>(R"({"i64":1.5})", "i64", "integer", "number",
                            R"("i64" must be an integer, got 1.5)");
  expect_error<SmallParams>(R"({"i8":1e3})", "i8", "integer in -128..127", "number",
                            R"("i8" must be an integer in -128..127, got 1000)");
}

TEST(Params, integers_a_double_may_have_rounded_are_refused) {
  EXPECT_EQ(error_of<SmallParams>(R"({"i64":9007199254740994.0})").field, "i64");
  EXPECT_NE(error_of<SmallParams>(R"({"i64":1e18})").detail.find("without fraction and exponent"),
            std::string::npos);
}

TEST(Params, doubles_take_any_number_in_range) {
  EXPECT_EQ(read<SmallParams>(R"({"real":3})").real, 3.0);
  EXPECT_EQ(read<SmallParams>(R"({"real":-2.5e-3})").real, -2.5e-3);
  EXPECT_EQ(read<Point>(R"({"x":-1})").x, -1.0);
  EXPECT_EQ(read<Point>(R"({"x":1.5})").x, 1.5);
  expect_error<Point>(R"({"x":1.75})", "x", "number in -1..1.5", "number",
                      R"("x" must be a number in -1..1.5, got 1.75)");
  expect_error<Point>(R"({"x":-2})", "x", "number in -1..1.5", "number",
                      R"("x" must be a number in -1..1.5, got -2)");
}

TEST(Params, numbers_beyond_double_are_out_of_range) {
  for (const char* text : {R"({"real":1e400})", R"({"real":-1e400})"})
    expect_error<SmallParams>(text, "real", "number", "number",
                              R"("real" must be a number, got a number too large for a double)");
}

TEST(Params, string_lengths_count_bytes) {
  EXPECT_EQ(read<SubscribeParams>(ParamsText(R"({"topic":"12345678"})")).topic.size(), 8U);
  expect_error<SubscribeParams>(R"({"topic":""})", "topic", "string of 1..8 bytes", "string",
                                R"("topic" must be a string of 1..8 bytes, got 0 bytes)");
  expect_error<SubscribeParams>(R"({"topic":"1234567é"})", "topic", "string of 1..8 bytes", "string",
                                R"("topic" must be a string of 1..8 bytes, got 9 bytes)");
  EXPECT_EQ(error_of<AddParams>(R"({"note":")" + std::string(65, 'x') + "\"}").constraint,
            "string of 0..64 bytes");
}

TEST(Params, string_views_point_into_the_message_or_parser) {
  const ParamsText params(R"({"topic":"a\tb"})");
  EXPECT_EQ(read<SubscribeParams>(params).topic, "a\tb");
}

TEST(Params, enums_go_by_name) {
  EXPECT_EQ(read<DrawParams>(R"({"items":[{"x":0}],"colors":{"k":"blue"}})").colors.at("k"), Color::blue);
  expect_error<DrawParams>(R"({"colors":{"k":"Blue"}})", "colors.k", "one of red, green, blue", "string",
                           R"("colors.k" must be one of red, green, blue, got "Blue")");
  expect_error<DrawParams>(R"({"colors":{"k":1}})", "colors.k", "one of red, green, blue", "number",
                           R"("colors.k" must be one of red, green, blue, got number)");
}

TEST(Params, lists_and_maps_of_structs_and_lists) {
  const auto p = read<DrawParams>(R"({"items":[{"x":0},{"x":1,"y":2}],"mask":[[true,false],[]]})");
  ASSERT_EQ(p.items.size(), 2U);
  EXPECT_EQ(p.items[1].y, 2.0);
  EXPECT_EQ(p.mask, (std::vector<std::vector<bool>>{{true, false}, {}}));
}

TEST(Params, errors_inside_lists_name_the_item) {
  expect_error<DrawParams>(R"({"items":[{"x":0},{"x":1},{"x":true}]})", "items[2].x", "number in -1..1.5",
                           "boolean", R"("items[2].x" must be a number in -1..1.5, got boolean)");
  expect_error<DrawParams>(R"({"mask":[[],[true,1]]})", "mask[1][1]", "boolean", "number",
                           R"("mask[1][1]" must be a boolean, got number)");
}

TEST(Params, list_and_map_lengths_at_the_rule_pass_and_one_over_does_not) {
  EXPECT_EQ(read<DrawParams>(R"({"items":[{"x":0},{"x":0},{"x":0}]})").items.size(), 3U);
  expect_error<DrawParams>(R"({"items":[]})", "items", "array of 1..3 items", "array",
                           R"("items" must be an array of 1..3 items, got 0 items)");
  expect_error<DrawParams>(R"({"items":[1,2,3,4]})", "items", "array of 1..3 items", "array",
                           R"("items" must be an array of 1..3 items, got 4 items)");
  expect_error<DrawParams>(R"({"colors":{"a":"red","b":"red","c":"red"}})", "colors",
                           "object of 0..2 members", "object",
                           R"("colors" must be an object of 0..2 members, got 3 members)");
}

TEST(Params, nested_structs_are_objects_even_when_params_are_positional) {
  EXPECT_EQ(read<SubscribeParams>(ParamsText(R"(["t",{"epoch":"e","offset":5}])")).since->offset, 5U);
  EXPECT_EQ(error_of<SubscribeParams>(R"(["t",["e",5]])").field, "since");
}

TEST(Params, raw_json_is_kept_byte_for_byte) {
  const ParamsText named(R"( {"to":"x" , "kept" : [1,  2], "data" :  { "n" : 1.0 }  } )");
  const auto p = read<SendParams>(named);
  EXPECT_EQ(p.data.text, R"({ "n" : 1.0 })");
  EXPECT_EQ(p.kept.text, "[1,  2]");
  const ParamsText positional(R"(["x", "\u0041"])");
  const auto q = read<SendParams>(positional);
  EXPECT_EQ(q.data.text, R"("\u0041")");
  EXPECT_EQ(q.kept.text, "");
}

TEST(Params, raw_json_is_required_and_bounded_by_its_rules) {
  EXPECT_EQ(error_of<SendParams>(R"({"to":"x"})").constraint, "required");
  EXPECT_EQ(read<SendParams>(ParamsText(R"({"to":"x","data":null})")).data.text, "null");
  expect_error<SendParams>(R"({"to":"x","data":"4567890123456789012"})", "data", "JSON text of 1..20 bytes",
                           "string", R"("data" must be a JSON text of 1..20 bytes, got 21 bytes)");
}

TEST(Params, raw_json_inside_lists_maps_and_optionals_keeps_numbers_no_double_holds) {
  const ParamsText params(R"({"map":{"k":1e400,"l":[ ]},"maybe":null,"list":[ 1.0 ,{"a":[]}]})");
  const auto p = read<RawInside>(params);
  EXPECT_EQ(p.map.at("k").text, "1e400");
  EXPECT_EQ(p.map.at("l").text, "[ ]");
  EXPECT_FALSE(p.maybe.has_value());
  ASSERT_EQ(p.list.size(), 2U);
  EXPECT_EQ(p.list[0].text, "1.0");
  EXPECT_EQ(p.list[1].text, R"({"a":[]})");
}

TEST(Params, raw_params_are_the_whole_text) {
  const ParamsText params("[1, 2 ]");
  EXPECT_EQ(read<RawJson>(params).text, "[1, 2 ]");
  EXPECT_EQ(read<RawJson>("").text, "");
}

TEST(Params, no_params_takes_nothing_else) {
  read<NoParams>("");
  read<NoParams>("{}");
  read<NoParams>("[]");
  expect_error<NoParams>(R"({"a":1})", "a", "known member", "number",
                         R"(unknown member "a"; none is taken here)");
  expect_error<NoParams>("[1]", "params", "array of 0..0 items", "array",
                         "params must have at most 0 items, got 1");
}

TEST(Params, inherited_members_come_first_with_their_rules) {
  const auto p = read<Derived>("[9,10]");
  EXPECT_EQ(p.first, 9);
  EXPECT_EQ(p.second, 10);
  EXPECT_EQ(error_of<Derived>(R"({"first":10})").constraint, "integer in 0..9");
}

TEST(Params, long_names_and_values_are_cut_in_errors) {
  const std::string name(63, 'n');
  const Error member = error_of<AddParams>("{\"" + name + "éé\":1}");
  EXPECT_EQ(member.field, name + "…");
  const Error value = error_of<DrawParams>(R"({"colors":{"k":")" + std::string(5000, 'v') + "\"}}");
  EXPECT_LT(value.detail.size(), 200U);
}

}  // namespace
}  // namespace hubbub
