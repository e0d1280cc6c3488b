// Schemas: what types and rules say, as JSON Schema and OpenRPC.
#include "hubbub/core/schema.h"

#include <cstdint>

#include <gtest/gtest.h>

#include "hubbub/core/method_table.h"
#include "tests/unit/core/params_text.h"

namespace hubbub {
namespace {

enum class Order { up, down };
BOOST_DESCRIBE_ENUM(Order, up, down)

struct PageParams {
  std::string topic;
  int limit = 50;
  std::optional<Order> order;
  std::vector<double> weights;
  std::map<std::string, std::uint8_t> marks;
  RawJson data;
  static constexpr auto rules() {
    return hubbub::rules(hubbub::length(&PageParams::topic, 1, 255),
                         hubbub::in_range(&PageParams::limit, 1, 1000),
                         hubbub::has_default(&PageParams::limit), hubbub::length(&PageParams::weights, 2, 4),
                         hubbub::has_default(&PageParams::data));
  }
};
BOOST_DESCRIBE_STRUCT(PageParams, (), (topic, limit, order, weights, marks, data))

struct Page {
  std::int64_t next;
  std::optional<bool> last;
};
BOOST_DESCRIBE_STRUCT(Page, (), (next, last))

struct Ratio {
  double value = 0.5;
  static constexpr auto rules() { return hubbub::rules(hubbub::in_range(&Ratio::value, 0, 1)); }
};
BOOST_DESCRIBE_STRUCT(Ratio, (), (value))

struct Name {
  std::string text;
  static constexpr auto rules() { return hubbub::rules(hubbub::length(&Name::text, 5, 9)); }
};
BOOST_DESCRIBE_STRUCT(Name, (), (text))

TEST(Schema, scalars) {
  EXPECT_EQ(json_schema<bool>(), R"({"type":"boolean"})");
  EXPECT_EQ(json_schema<double>(), R"({"type":"number"})");
  EXPECT_EQ(json_schema<std::string>(), R"({"type":"string"})");
  EXPECT_EQ(json_schema<std::string_view>(), R"({"type":"string"})");
  EXPECT_EQ(json_schema<Order>(), R"({"type":"string","enum":["up","down"]})");
  EXPECT_EQ(json_schema<RawJson>(), "{}");
  EXPECT_EQ(json_schema<void>(), R"({"type":"null"})");
}

TEST(Schema, integers_tell_the_bounds_of_their_type) {
  EXPECT_EQ(json_schema<std::int64_t>(), R"({"type":"integer"})");
  EXPECT_EQ(json_schema<std::uint64_t>(), R"({"type":"integer","minimum":0})");
  EXPECT_EQ(json_schema<std::int8_t>(), R"({"type":"integer","minimum":-128,"maximum":127})");
}

TEST(Schema, optional_is_the_schema_of_what_may_be_there) {
  EXPECT_EQ(json_schema<std::optional<bool>>(), json_schema<bool>());
}

TEST(Schema, structs_tell_members_rules_and_defaults) {
  EXPECT_EQ(
      json_schema<PageParams>(),
      R"({"type":"object","properties":{)"
      R"("topic":{"type":"string","minLength":1,"maxLength":255},)"
      R"("limit":{"type":"integer","minimum":1,"maximum":1000,"default":50},)"
      R"("order":{"type":"string","enum":["up","down"]},)"
      R"("weights":{"type":"array","items":{"type":"number"},"minItems":2,"maxItems":4},)"
      R"("marks":{"type":"object","additionalProperties":{"type":"integer","minimum":0,"maximum":255}},)"
      R"("data":{"default":null}},)"
      R"("required":["topic","weights","marks"],"additionalProperties":false})");
  EXPECT_EQ(json_schema<Ratio>(),
            R"({"type":"object","properties":{"value":{"type":"number","minimum":0,"maximum":1}},)"
            R"("required":["value"],"additionalProperties":false})");
  EXPECT_EQ(json_schema<NoParams>(),
            R"({"type":"object","properties":{},"required":[],"additionalProperties":false})");
}

TEST(Schema, lengths_in_characters_are_never_narrower_than_the_rule_in_bytes) {
  // Two characters of four bytes are 8 bytes: within the rule, so they must be within the schema.
  EXPECT_NE(json_schema<Name>().find(R"("minLength":2,"maxLength":9)"), std::string::npos);
}

TEST(OpenRpc, tells_every_method_in_order) {
  MethodTable table;
  table.add<PageParams, Page>("page", [](Call&, const PageParams&) { return Page{}; })
      .summary("One \"page\".");
  table.add<RawJson, RawJson>("echo", [](Call&, const RawJson& p) { return p; });
  table.add<NoParams, void>("reset", [](Call&, const NoParams&) {}).privileged();

  const std::string document = openrpc_document(table, "hubbub", "0.1.0");
  const test::ParamsText parsed(document);
  const dom::element root = parsed.request().params_dom;
  EXPECT_EQ(root["openrpc"].get_string().value(), "1.3.2");
  EXPECT_EQ(root["info"]["title"].get_string().value(), "hubbub");
  EXPECT_EQ(root["info"]["version"].get_string().value(), "0.1.0");
  EXPECT_EQ(root["methods"].get_array().size(), 3U);

  const dom::element page = root.at_pointer("/methods/0");
  EXPECT_EQ(page["name"].get_string().value(), "page");
  EXPECT_EQ(page["summary"].get_string().value(), "One \"page\".");
  EXPECT_EQ(page["paramStructure"].get_string().value(), "either");
  EXPECT_EQ(page["params"].get_array().size(), 6U);
  EXPECT_EQ(page.at_pointer("/params/0/name").get_string().value(), "topic");
  EXPECT_TRUE(page.at_pointer("/params/0/required").get_bool().value());
  EXPECT_EQ(page.at_pointer("/params/0/schema/maxLength").get_int64().value(), 255);
  EXPECT_FALSE(page.at_pointer("/params/1/required").get_bool().value());
  EXPECT_FALSE(page.at_pointer("/params/2/required").get_bool().value());
  EXPECT_EQ(simdjson::minify(page.at_pointer("/result/schema").value()), json_schema<Page>());
  EXPECT_NE(page["x-privileged"].error(), simdjson::SUCCESS);

  EXPECT_EQ(simdjson::minify(root.at_pointer("/methods/1").value()),
            R"({"name":"echo","paramStructure":"either","params":[],"x-any-params":true,)"
            R"("result":{"name":"result","required":true,"schema":{}}})");
  EXPECT_EQ(simdjson::minify(root.at_pointer("/methods/2").value()),
            R"({"name":"reset","paramStructure":"either","params":[],)"
            R"("result":{"name":"result","required":true,"schema":{"type":"null"}},"x-privileged":true})");
}

TEST(OpenRpc, an_empty_table_is_a_document_too) {
  EXPECT_EQ(openrpc_document(MethodTable{}, "t", "1"),
            R"({"openrpc":"1.3.2","info":{"title":"t","version":"1"},"methods":[]})");
}

}  // namespace
}  // namespace hubbub
