#include "hubbub/base/error.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

namespace hubbub {
namespace {

std::vector<ErrorInfo> all_errors() {
  std::vector<ErrorInfo> rows;
  for (int i = 0; i < static_cast<int>(Errc::count_); ++i) rows.push_back(error_info(static_cast<Errc>(i)));
  return rows;
}

TEST(ErrorTable, has_each_error_under_its_own_name) {
  std::set<std::string_view> names;
  for (const ErrorInfo& row : all_errors()) {
    EXPECT_EQ(error_info(row.code).name, row.name);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789"), std::string_view::npos)
        << row.name;
  }
}

TEST(ErrorTable, tells_people_something_about_every_error) {
  for (const ErrorInfo& row : all_errors()) {
    EXPECT_FALSE(row.text.empty()) << row.name;
    EXPECT_FALSE(row.text.ends_with('.')) << row.name;
    EXPECT_TRUE(row.rpc_code || row.close_code || row.http_status) << row.name << " has no face";
  }
}

TEST(ErrorTable, keeps_rpc_codes_in_the_range_json_rpc_reserves_and_gives_none_to_two_failures_of_a_call) {
  std::map<int, std::string_view> seen;
  for (const ErrorInfo& row : all_errors()) {
    if (row.rpc_code == 0) continue;
    EXPECT_TRUE(row.rpc_code >= -32800 && row.rpc_code <= -32000) << row.name;
    const auto [at, fresh] = seen.emplace(row.rpc_code, row.name);
    // What also closes the connection shares the code of what only fails the call.
    const bool shares = row.code == Errc::message_too_big || row.code == Errc::overloaded;
    EXPECT_TRUE(fresh || shares) << row.name << " and " << at->second;
  }
}

TEST(ErrorTable, lets_clients_act_on_the_range_of_a_close_code_alone) {
  for (const ErrorInfo& row : all_errors()) {
    if (row.close_code == 0) continue;
    const bool standard = row.close_code >= 1000 && row.close_code <= 1013;
    const bool ours = row.close_code >= 4000 && row.close_code <= 4999;
    EXPECT_TRUE(standard || ours) << row.name;
    EXPECT_TRUE(standard || row.retryable == (row.close_code <= 4499)) << row.name;
  }
}

TEST(ErrorTable, uses_http_statuses_that_mean_failure) {
  for (const ErrorInfo& row : all_errors())
    EXPECT_TRUE(row.http_status == 0 || (row.http_status >= 400 && row.http_status <= 599)) << row.name;
}

TEST(ErrorTable, says_what_the_protocol_says) {
  const std::map<Errc, int> rpc{{Errc::parse_error, -32700},
                                {Errc::invalid_request, -32600},
                                {Errc::method_not_found, -32601},
                                {Errc::invalid_params, -32602},
                                {Errc::internal_error, -32603},
                                {Errc::handler_error, -32000},
                                {Errc::timeout, -32002},
                                {Errc::too_many_subscriptions, -32006},
                                {Errc::request_too_big, -32007},
                                {Errc::response_too_big, -32008},
                                {Errc::busy, -32009},
                                {Errc::batch_too_large, -32010},
                                {Errc::cancelled, -32800},
                                {Errc::session_required, -32020},
                                {Errc::session_unknown, -32021},
                                {Errc::unauthenticated, -32023},
                                {Errc::forbidden, -32024},
                                {Errc::rate_limited, -32025},
                                {Errc::target_unknown, -32026},
                                {Errc::mailbox_full, -32027},
                                {Errc::draining, -32029},
                                {Errc::topic_invalid, -32030},
                                {Errc::not_in_history, -32031}};
  for (const auto& [code, number] : rpc)
    EXPECT_EQ(error_info(code).rpc_code, number) << error_info(code).name;
  const std::map<Errc, int> close{
      {Errc::ws_protocol, 1002},     {Errc::binary_refused, 1003},    {Errc::bad_utf8, 1007},
      {Errc::message_too_big, 1009}, {Errc::internal_error, 1011},    {Errc::restart, 1012},
      {Errc::overloaded, 1013},      {Errc::slow_consumer, 4008},     {Errc::no_pong, 4012},
      {Errc::rate_limited, 4013},    {Errc::bad_first_message, 4500}, {Errc::open_deadline, 4501},
      {Errc::kicked, 4503},          {Errc::forbidden, 4507},         {Errc::unauthenticated, 4510},
      {Errc::superseded, 4512}};
  for (const auto& [code, number] : close)
    EXPECT_EQ(error_info(code).close_code, number) << error_info(code).name;
}

TEST(Error, speaks_the_table_s_text_unless_it_has_its_own) {
  EXPECT_EQ(make_error(Errc::busy).message(), error_info(Errc::busy).text);
  EXPECT_EQ(make_error(Errc::busy, "16 calls are in flight").message(), "16 calls are in flight");
}

TEST(Error, of_a_limit_names_its_key) {
  const Error error = limit_error(Errc::busy, "limits.calls_in_flight", "wait");
  EXPECT_EQ(error.code, Errc::busy);
  EXPECT_EQ(error.limit, "limits.calls_in_flight");
  EXPECT_EQ(error.retry_after_ms, -1);
}

TEST(Error, of_an_application_keeps_code_message_and_data) {
  const Result<int> result = reject(1, "no such room", R"({"room":"a"})");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::handler_error);
  EXPECT_EQ(result.error().rpc_code, 1);
  EXPECT_EQ(result.error().message(), "no such room");
  EXPECT_EQ(result.error().data, R"({"room":"a"})");
}

}  // namespace
}  // namespace hubbub
