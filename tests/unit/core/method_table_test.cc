// MethodTable: what handlers may return and what becomes of it, names, lookup.
#include "hubbub/core/method_table.h"

#include <array>
#include <cstddef>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/unit/core/params_text.h"

namespace hubbub {
namespace {

using test::ParamsText;

struct AddParams {
  std::int64_t a;
  std::int64_t b;
};
BOOST_DESCRIBE_STRUCT(AddParams, (), (a, b))

struct Sum {
  std::int64_t sum;
};
BOOST_DESCRIBE_STRUCT(Sum, (), (sum))

// A Call no handler here looks into: a place to refer to.
Call& no_call() {
  alignas(std::max_align_t) static std::array<std::byte, 1024> place{};
  return reinterpret_cast<Call&>(place);
}

struct Answer {
  Result<Outcome> outcome;
  std::string json;
};

Answer call(MethodTable& table, std::string_view name, std::string_view params) {
  const ParamsText text(params);
  Answer answer{Outcome::deferred, {}};
  answer.outcome = table.find(name)->invoke(no_call(), text.request(), answer.json);
  return answer;
}

void expect_reply(MethodTable& table, std::string_view name, std::string_view params, std::string_view json) {
  const Answer answer = call(table, name, params);
  ASSERT_TRUE(answer.outcome.has_value()) << answer.outcome.error().detail;
  EXPECT_EQ(*answer.outcome, Outcome::replied);
  EXPECT_EQ(answer.json, json);
}

TEST(MethodTable, a_handler_returns_its_result) {
  MethodTable table;
  table.add<AddParams, std::int64_t>("add", [](Call&, const AddParams& p) { return p.a + p.b; });
  expect_reply(table, "add", R"({"a":1,"b":2})", "3");
  expect_reply(table, "add", "[3,4]", "7");
}

TEST(MethodTable, a_handler_may_return_what_converts_to_its_result) {
  MethodTable table;
  table.add<NoParams, std::string>("word", [](Call&, const NoParams&) { return "hello"; });
  expect_reply(table, "word", "", "\"hello\"");
}

TEST(MethodTable, a_handler_may_return_a_result_or_an_error) {
  MethodTable table;
  table.add<AddParams, Sum>("add", [](Call&, const AddParams& p) -> Result<Sum> {
    if (p.b == 0) return reject(7, "b is 0");
    return Sum{p.a + p.b};
  });
  expect_reply(table, "add", "[1,2]", R"({"sum":3})");
  const Answer refused = call(table, "add", "[1,0]");
  ASSERT_FALSE(refused.outcome.has_value());
  EXPECT_EQ(refused.outcome.error().code, Errc::handler_error);
  EXPECT_EQ(refused.outcome.error().rpc_code, 7);
  EXPECT_EQ(refused.outcome.error().detail, "b is 0");
}

TEST(MethodTable, a_handler_may_do_nothing_but_refuse) {
  MethodTable table;
  table.add<NoParams, Sum>("no", [](Call&, const NoParams&) { return fail(Errc::forbidden); });
  EXPECT_EQ(call(table, "no", "").outcome.error().code, Errc::forbidden);
}

TEST(MethodTable, a_void_result_is_null) {
  MethodTable table;
  int calls = 0;
  table.add<NoParams, void>("tick", [&calls](Call&, const NoParams&) { ++calls; });
  table.add<NoParams, void>("try", [&calls](Call&, const NoParams&) -> Result<void> {
    if (++calls > 2) return fail(Errc::busy);
    return {};
  });
  expect_reply(table, "tick", "", "null");
  expect_reply(table, "try", "[]", "null");
  EXPECT_EQ(call(table, "try", "{}").outcome.error().code, Errc::busy);
}

TEST(MethodTable, a_handler_may_defer_its_answer) {
  MethodTable table;
  table.add<NoParams, Sum>("later", [](Call&, const NoParams&) { return Deferred{}; });
  table.add<AddParams, Sum>("maybe", [](Call&, const AddParams& p) -> Result<Deferred> {
    if (p.a == 0) return reject(1, "no");
    return Deferred{};
  });
  for (const auto& [name, params] : {std::pair{"later", ""}, std::pair{"maybe", "[1,1]"}}) {
    const Answer answer = call(table, name, params);
    EXPECT_EQ(answer.outcome.value(), Outcome::deferred) << name;
    EXPECT_EQ(answer.json, "") << name;
  }
  EXPECT_EQ(call(table, "maybe", "[0,1]").outcome.error().rpc_code, 1);
}

TEST(MethodTable, raw_params_and_results_pass_through_byte_for_byte) {
  MethodTable table;
  table.add<RawJson, RawJson>("echo", [](Call&, const RawJson& p) { return p; });
  table.add<NoParams, JsonText>("made", [](Call&, const NoParams&) { return JsonText{"[1, 2]"}; });
  expect_reply(table, "echo", R"({"a" : 1.0})", R"({"a" : 1.0})");
  expect_reply(table, "echo", "", "null");
  expect_reply(table, "made", "", "[1, 2]");
}

TEST(MethodTable, bad_params_never_reach_the_handler) {
  MethodTable table;
  bool called = false;
  table.add<AddParams, void>("add", [&called](Call&, const AddParams&) { called = true; });
  const Answer answer = call(table, "add", R"({"a":"1","b":2})");
  ASSERT_FALSE(answer.outcome.has_value());
  EXPECT_EQ(answer.outcome.error().code, Errc::invalid_params);
  EXPECT_EQ(answer.outcome.error().field, "a");
  EXPECT_EQ(answer.json, "");
  EXPECT_FALSE(called);
}

TEST(MethodTable, what_a_handler_throws_goes_to_the_caller) {
  MethodTable table;
  table.add<NoParams, int>("throw", [](Call&, const NoParams&) -> int { throw std::runtime_error("boom"); });
  const ParamsText text("");
  std::string json;
  EXPECT_THROW((void)table.find("throw")->invoke(no_call(), text.request(), json), std::runtime_error);
  EXPECT_THROW((void)table.find("throw")->invoke(no_call(), text.request(), json), std::runtime_error);
}

TEST(MethodTable, handlers_keep_state_and_may_be_move_only) {
  MethodTable table;
  table.add<NoParams, int>("count",
                           [n = std::make_unique<int>(0)](Call&, const NoParams&) mutable { return ++*n; });
  expect_reply(table, "count", "", "1");
  expect_reply(table, "count", "", "2");
}

TEST(MethodTable, results_are_appended) {
  MethodTable table;
  table.add<NoParams, int>("one", [](Call&, const NoParams&) { return 1; });
  const ParamsText text("");
  std::string json = "before ";
  EXPECT_TRUE(table.find("one")->invoke(no_call(), text.request(), json).has_value());
  EXPECT_EQ(json, "before 1");
}

void nothing(Call&, const NoParams&) {}

TEST(MethodTable, finds_by_exact_name_only) {
  MethodTable table;
  table.add<NoParams, void>("topic.publish", nothing);
  EXPECT_NE(table.find("topic.publish"), nullptr);
  EXPECT_EQ(table.find("topic.publis"), nullptr);
  EXPECT_EQ(table.find("Topic.publish"), nullptr);
  EXPECT_EQ(table.find(""), nullptr);
}

TEST(MethodTable, names_stand_in_the_order_of_registration) {
  MethodTable table;
  std::vector<std::string> expected;
  for (int i = 99; i >= 0; --i) {
    expected.push_back("method" + std::to_string(i));
    table.add<NoParams, void>(expected.back(), nothing);
  }
  const auto names = table.names();
  EXPECT_EQ(std::vector<std::string>(names.begin(), names.end()), expected);
  for (const std::string& name : expected) EXPECT_EQ(table.find(name)->name, name);
}

TEST(MethodTable, a_registration_takes_summary_and_privilege) {
  MethodTable table;
  table.add<NoParams, void>("a", nothing).summary("Does nothing.").privileged();
  table.add<NoParams, void>("b", nothing);
  EXPECT_EQ(table.find("a")->summary, "Does nothing.");
  EXPECT_TRUE(table.find("a")->privileged);
  EXPECT_FALSE(table.find("b")->privileged);
}

TEST(MethodTable, moving_a_table_keeps_its_methods) {
  MethodTable table;
  table.add<NoParams, void>("a", nothing);
  MethodTable moved = std::move(table);
  expect_reply(moved, "a", "", "null");
}

TEST(MethodTable, names_are_printable_ascii_within_their_length) {
  EXPECT_TRUE(method_name_valid("$/cancelRequest"));
  EXPECT_TRUE(method_name_valid(std::string(MethodTable::kNameBytesMax, 'a')));
  EXPECT_FALSE(method_name_valid(std::string(MethodTable::kNameBytesMax + 1, 'a')));
  EXPECT_FALSE(method_name_valid(""));
  EXPECT_FALSE(method_name_valid("a b"));
  EXPECT_FALSE(method_name_valid("a\x7F"));
  EXPECT_FALSE(method_name_valid("é"));
}

TEST(MethodTable, the_hub_itself_may_use_rpc_names) {
  MethodTable table;
  table.add_builtin<NoParams, void>("rpc.discover", nothing);
  EXPECT_NE(table.find("rpc.discover"), nullptr);
}

TEST(MethodTableDeathTest, registering_wrongly_ends_the_program) {
  MethodTable table;
  table.add<NoParams, void>("taken", nothing);
  EXPECT_DEATH((table.add<NoParams, void>("taken", nothing)), "find");
  EXPECT_DEATH((table.add<NoParams, void>("rpc.mine", nothing)), "rpc");
  EXPECT_DEATH((table.add<NoParams, void>("two words", nothing)), "method_name_valid");
}

// What handlers may and may not return.
static_assert(detail::is_answer<Sum, Sum>() && detail::is_answer<Sum, Result<Sum>>() &&
              detail::is_answer<Sum, Deferred>() && detail::is_answer<Sum, Result<Deferred>>());
static_assert(detail::is_answer<void, void>() && detail::is_answer<void, Result<void>>() &&
              detail::is_answer<void, Deferred>());
static_assert(!detail::is_answer<Sum, void>() && !detail::is_answer<Sum, std::string>() &&
              !detail::is_answer<void, Sum>() && !detail::is_answer<Sum, Result<void>>());

}  // namespace
}  // namespace hubbub
