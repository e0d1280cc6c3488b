// Promises of wire/jsonrpc.h: envelopes of JSON-RPC 2.0 (sections 4 to 7), ids byte for byte, replies.
#include "hubbub/wire/jsonrpc.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/wire/ws_codec.h"

namespace hubbub::wire {
namespace {

// A parsed message and what read_request says of it; owns what the views point into.
struct Read {
  explicit Read(std::string_view message) : bytes(message) {
    bytes.append(kReadPadding, ' ');
    const std::string_view text = std::string_view(bytes).substr(0, message.size());
    const auto parsed = parser.parse(text);
    if (!parsed) return;
    is_json = true;
    result = read_request(text, *parsed, id);
  }
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;

  std::string bytes;
  JsonParser parser{64};
  bool is_json = false;
  std::string_view id;
  Result<RpcRequest> result = fail(Errc::parse_error);
};

void expect_refused(std::string_view message, std::string_view id, std::string_view mentions) {
  const Read read(message);
  ASSERT_TRUE(read.is_json) << message;
  ASSERT_FALSE(read.result.has_value()) << message;
  EXPECT_EQ(read.result.error().code, Errc::invalid_request) << message;
  EXPECT_EQ(read.id, id) << message;
  EXPECT_NE(read.result.error().detail.find(mentions), std::string::npos) << read.result.error().detail;
}

TEST(RpcRequest, specification_examples_with_parameters) {
  const Read positional(R"({"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1})");
  ASSERT_TRUE(positional.result);
  EXPECT_EQ(positional.result->method, "subtract");
  EXPECT_EQ(positional.result->params, "[42, 23]");
  EXPECT_EQ(positional.result->id, "1");
  EXPECT_FALSE(positional.result->is_notification());
  std::int64_t first = 0;
  ASSERT_EQ(positional.result->params_dom.at(0).get(first), simdjson::SUCCESS);
  EXPECT_EQ(first, 42);

  const Read named(
      R"({"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3})");
  ASSERT_TRUE(named.result);
  EXPECT_EQ(named.result->params, R"({"subtrahend": 23, "minuend": 42})");
  EXPECT_EQ(named.id, "3");
}

TEST(RpcRequest, specification_examples_of_notifications) {
  const Read with(R"({"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]})");
  ASSERT_TRUE(with.result);
  EXPECT_TRUE(with.result->is_notification());
  EXPECT_EQ(with.id, "null");
  const Read without(R"({"jsonrpc": "2.0", "method": "foobar"})");
  ASSERT_TRUE(without.result);
  EXPECT_TRUE(without.result->is_notification());
  EXPECT_EQ(without.result->params, "");
}

TEST(RpcRequest, specification_examples_of_bad_texts) {
  EXPECT_FALSE(Read(R"({"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz])").is_json);
  EXPECT_FALSE(
      Read(
          R"([{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method")")
          .is_json);
  expect_refused(R"({"jsonrpc": "2.0", "method": 1, "params": "bar"})", "null", "method");
  expect_refused("1", "null", "object");
  expect_refused(R"({"foo": "boo"})", "null", "jsonrpc");
  expect_refused("[]", "null", "object");
}

TEST(RpcRequest, specification_example_of_a_batch_item_by_item) {
  const std::string text = R"([
        {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
        {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"} 
    ])";
  const std::string padded = text + std::string(kReadPadding, ' ');
  JsonParser parser(64);
  const auto parsed = parser.parse(std::string_view(padded).substr(0, text.size()));
  ASSERT_TRUE(parsed);
  JsonSlices slices(std::string_view(padded).substr(0, text.size()));
  std::vector<std::string> ids;
  for (const dom::element item : dom::array(*parsed)) {
    ASSERT_TRUE(slices.next());
    std::string_view id;
    const auto request = read_request(slices.value(), item, id);
    ids.push_back(std::string(id) + (!request                     ? " refused"
                                     : request->is_notification() ? " notification"
                                                                  : ""));
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"\"1\"", "null notification", "\"2\"", "null refused", "\"5\"",
                                           "\"9\""}));
}

TEST(RpcRequest, ids_are_kept_byte_for_byte) {
  for (const std::string_view id :
       {"1", "1.0", "1e2", "-0", R"("a\u0062")", R"("")", "null", "123456789012345678901234567890", "-1e999",
        "18446744073709551615", "\"\xF0\x9F\x90\xBC\""}) {
    const Read read(R"({"id" : )" + std::string(id) + R"( ,"jsonrpc":"2.0","method":"m"})");
    ASSERT_TRUE(read.result) << id;
    EXPECT_EQ(read.result->id, id);
    EXPECT_EQ(read.id, id);
    EXPECT_FALSE(read.result->is_notification());
  }
}

TEST(RpcRequest, params_are_kept_byte_for_byte) {
  const Read read(R"({"jsonrpc":"2.0","method":"m","params": [ 1.0, 1e999, {"a":"\u0062"} ] })");
  ASSERT_TRUE(read.result);
  EXPECT_EQ(read.result->params, R"([ 1.0, 1e999, {"a":"\u0062"} ])");
}

TEST(RpcRequest, escaped_member_names_and_methods_are_decoded) {
  const Read read(R"({"\u006asonrpc":"2\u002e0","meth\u006fd":"ec\u0068o","\u0069d":7,"p\u0061rams":{}})");
  ASSERT_TRUE(read.result);
  EXPECT_EQ(read.result->method, "echo");
  EXPECT_EQ(read.result->id, "7");
  EXPECT_EQ(read.result->params, "{}");
}

TEST(RpcRequest, unknown_members_are_ignored) {
  const Read read(
      R"({"x":{"id":9,"method":"no"},"x":1,"jsonrpc":"2.0","":[],"method":"m","result":1,"result":2,"id":4})");
  ASSERT_TRUE(read.result);
  EXPECT_EQ(read.result->method, "m");
  EXPECT_EQ(read.result->id, "4");
}

TEST(RpcRequest, refuses_wrong_versions) {
  for (const auto version : {"2.0", "2", "null", "\"1.0\"", "\"2\"", "\"2.0 \"", "[]", "{}", "true"}) {
    expect_refused(R"({"method":"m","id":5,"jsonrpc":)" + std::string(version) + "}", "5", "jsonrpc");
  }
  expect_refused(R"({"method":"m","id":5})", "5", "jsonrpc");
}

TEST(RpcRequest, refuses_a_method_that_is_missing_or_no_string) {
  expect_refused(R"({"jsonrpc":"2.0","id":5})", "5", "method");
  for (const auto method : {"1", "null", "[]", "{}", "true"})
    expect_refused(R"({"jsonrpc":"2.0","id":"x","method":)" + std::string(method) + "}", "\"x\"", "method");
}

TEST(RpcRequest, refuses_params_that_are_not_structured) {
  for (const auto params : {"1", "null", "\"a\"", "true"})
    expect_refused(R"({"jsonrpc":"2.0","id":5,"method":"m","params":)" + std::string(params) + "}", "5",
                   "params");
}

TEST(RpcRequest, refuses_ids_of_other_types_and_answers_with_null) {
  for (const auto id : {"true", "false", "[]", "{}", "[1]", "{\"a\":1}"})
    expect_refused(R"({"jsonrpc":"2.0","method":"m","id":)" + std::string(id) + "}", "null", "id");
}

TEST(RpcRequest, refuses_repeated_envelope_members) {
  expect_refused(R"({"jsonrpc":"2.0","method":"m","id":1,"id":1})", "null", "id");
  expect_refused(R"({"jsonrpc":"2.0","method":"m","id":true,"id":1})", "null", "id");
  expect_refused(R"({"jsonrpc":"2.0","method":"m","method":"m","id":1})", "1", "method");
  expect_refused(R"({"jsonrpc":"2.0","jsonrpc":"2.0","method":"m","id":1})", "1", "jsonrpc");
  expect_refused(R"({"jsonrpc":"2.0","method":"m","params":[],"id":1,"params":{}})", "1", "params");
  expect_refused(R"({"jsonrpc":"2.0","method":"m","id":1,"meth\u006fd":"n"})", "1", "method");
}

TEST(RpcRequest, refuses_responses_and_does_not_use_their_id) {
  expect_refused(R"({"jsonrpc":"2.0","result":19,"id":1})", "null", "response");
  expect_refused(R"({"jsonrpc":"2.0","error":{"code":1,"message":"x"},"id":"a"})", "null", "response");
}

TEST(RpcReply, results) {
  std::string out = "x";
  append_result(out, "1.0", R"({"a":1})");
  EXPECT_EQ(out, R"(x{"jsonrpc":"2.0","id":1.0,"result":{"a":1}})");
}

TEST(RpcReply, a_result_as_a_message_says_the_same) {
  for (const std::string& result :
       {std::string("null"), '"' + std::string(200, 'x') + '"', std::string(70'000, '1')}) {
    std::string text;
    append_result(text, "\"a\"", result);
    EXPECT_EQ(make_result_frame("\"a\"", result)->wire(), make_frame(Opcode::text, text)->wire());
  }
}

TEST(RpcReply, notifications) {
  std::string out;
  append_notification(out, "session.opened", R"({"a":1})");
  EXPECT_EQ(out, R"({"jsonrpc":"2.0","method":"session.opened","params":{"a":1}})");
  out.clear();
  append_notification(out, "a\"b", "");
  EXPECT_EQ(out, R"({"jsonrpc":"2.0","method":"a\"b"})");
}

std::string reply(const Error& error) {
  std::string out;
  append_error(out, "7", error);
  return out;
}

TEST(RpcReply, errors_carry_code_text_and_retryable) {
  EXPECT_EQ(
      reply(make_error(Errc::method_not_found)),
      R"({"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no such method","data":{"retryable":false}}})");
  Error busy = make_error(Errc::busy);
  busy.limit = "limits.calls_in_flight";
  busy.retry_after_ms = 0;
  EXPECT_EQ(reply(busy),
            R"({"jsonrpc":"2.0","id":7,"error":{"code":-32009,"message":"too many calls in flight","data":)"
            R"({"retryable":true,"limit":"limits.calls_in_flight","retry_after_ms":0}}})");
}

TEST(RpcReply, errors_name_field_constraint_and_type) {
  Error error = make_error(Errc::invalid_params, "bad \"last\"\n");
  error.field = "since.\"x\"";
  error.constraint = "integer in 1..1000";
  error.got = "string";
  EXPECT_EQ(
      reply(error),
      R"({"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"bad \"last\"\n","data":)"
      R"({"retryable":false,"field":"since.\"x\"","constraint":"integer in 1..1000","got":"string"}}})");
}

TEST(RpcReply, application_data_is_merged) {
  const auto with = [](std::string data) { return reply(reject(12, "no", std::move(data)).error()); };
  const std::string head = R"({"jsonrpc":"2.0","id":7,"error":{"code":12,"message":"no","data":{)";
  EXPECT_EQ(with(""), head + R"("retryable":false}}})");
  EXPECT_EQ(with("{}"), head + R"("retryable":false}}})");
  EXPECT_EQ(with(R"( {"a": 1, "b\n":[2]} )"), head + R"("retryable":false,"a":1,"b\n":[2]}}})");
  EXPECT_EQ(with("[1,2]"), head + R"("retryable":false,"detail":[1,2]}}})");
  EXPECT_EQ(with("\"x\""), head + R"("retryable":false,"detail":"x"}}})");
  // The application's word on retrying wins; no member stands twice.
  EXPECT_EQ(with(R"({"retryable":true,"b":1})"), head + R"("retryable":true,"b":1}}})");
}

TEST(RpcReply, internal_errors_keep_their_detail_for_the_log) {
  const std::string text = reply(make_error(Errc::internal_error, "database password rejected"));
  EXPECT_EQ(text.find("password"), std::string::npos);
  EXPECT_NE(text.find("-32603"), std::string::npos);
}

TEST(RpcReply, errors_without_a_code_of_their_own_are_internal) {
  EXPECT_NE(reply(make_error(Errc::no_pong)).find("\"code\":-32603"), std::string::npos);
}

}  // namespace
}  // namespace hubbub::wire
