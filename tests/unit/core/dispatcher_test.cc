#include "hubbub/core/dispatcher.h"

#include <gtest/gtest.h>

#include <numeric>

#include "hubbub/wire/utf8.h"
#include "tests/unit/core/dispatcher_world.h"

namespace hubbub {
namespace {

using test::at;
using test::call_text;
using test::Client;
using test::error_code;
using test::notification_of;
using World = test::DispatcherWorld;
using Replies = std::vector<std::string>;

// JSON-RPC 2.0 section 7: request and the reply's id, and its result or its error code.
struct Example {
  std::string_view request;
  std::string_view id;
  std::string_view result;  // "absent": an error
  std::string_view code;
};

TEST(Dispatcher, answers_the_single_examples_of_the_specification) {
  World world;
  Client& client = world.connect();
  const Example examples[] = {
      {R"({"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1})", "1", "19", "absent"},
      {R"({"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2})", "2", "-19", "absent"},
      {R"({"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3})",
       "3", "19", "absent"},
      {R"({"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4})",
       "4", "19", "absent"},
      {R"({"jsonrpc": "2.0", "method": "foobar", "id": "1"})", R"("1")", "absent", "-32601"},
      {R"({"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz])", "null", "absent", "-32700"},
      {R"({"jsonrpc": "2.0", "method": 1, "params": "bar"})", "null", "absent", "-32600"},
      {R"([{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method"])",
       "null", "absent", "-32700"},
      {"[]", "null", "absent", "-32600"},
  };
  for (const Example& example : examples) {
    const std::string reply = world.call(client, example.request);
    EXPECT_EQ(at(reply, "/jsonrpc"), R"("2.0")") << example.request;
    EXPECT_EQ(at(reply, "/id"), example.id) << example.request;
    EXPECT_EQ(at(reply, "/result"), example.result) << example.request;
    EXPECT_EQ(error_code(reply), example.code) << example.request;
  }
}

TEST(Dispatcher, answers_no_notification_of_the_specification) {
  World world;
  Client& client = world.connect();
  EXPECT_EQ(world.call(client, R"({"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]})"), "");
  EXPECT_EQ(world.call(client, R"({"jsonrpc": "2.0", "method": "foobar"})"), "");
  EXPECT_EQ(world.call(client, R"([{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
                                   {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}])"),
            "");
  EXPECT_EQ(world.notified, 3);
}

TEST(Dispatcher, answers_the_invalid_batches_of_the_specification) {
  World world;
  Client& client = world.connect();
  const std::string one = world.call(client, "[1]");
  EXPECT_EQ(at(one, "/0/error/code"), "-32600");
  EXPECT_EQ(at(one, "/0/id"), "null");
  EXPECT_EQ(at(one, "/1"), "absent");
  const std::string three = world.call(client, "[1,2,3]");
  for (const std::string_view index : {"/0", "/1", "/2"})
    EXPECT_EQ(at(three, std::string(index) + "/error/code"), "-32600");
  EXPECT_EQ(at(three, "/3"), "absent");
}

TEST(Dispatcher, answers_the_batch_of_the_specification_with_one_message) {
  World world;
  Client& client = world.connect();
  const std::string reply = world.call(client, R"([
        {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
        {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ])");
  EXPECT_EQ(at(reply, "/0"), R"({"jsonrpc":"2.0","id":"1","result":7})");
  EXPECT_EQ(at(reply, "/1"), R"({"jsonrpc":"2.0","id":"2","result":19})");
  EXPECT_EQ(at(reply, "/2/error/code"), "-32600");
  EXPECT_EQ(at(reply, "/2/id"), "null");
  EXPECT_EQ(at(reply, "/3/error/code"), "-32601");
  EXPECT_EQ(at(reply, "/3/id"), R"("5")");
  EXPECT_EQ(at(reply, "/4"), R"({"jsonrpc":"2.0","id":"9","result":["hello",5]})");
  EXPECT_EQ(at(reply, "/5"), "absent");
}

TEST(Dispatcher, echoes_ids_byte_for_byte) {
  World world;
  Client& client = world.connect();
  for (const std::string_view id : {"1", "1.0", "1e0", "-0", "123456789012345678901234567890", "1e400",
                                    R"("a\u0062")", R"("é")", R"("")", "null", "18446744073709551615"}) {
    const std::string reply = world.call(client, call_text(id, "count"));
    EXPECT_EQ(reply, R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"result":)" +
                         std::to_string(world.counted) + '}');
    EXPECT_TRUE(world.call(client, call_text(id, "nope"))
                    .starts_with(R"({"jsonrpc":"2.0","id":)" + std::string(id) + ','));
    world.deliver(client, '[' + call_text(id, "later") + ']');
    world.later.back().send(1);
    EXPECT_EQ(client.link.take(),
              Replies{R"([{"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"result":1}])"});
  }
}

TEST(Dispatcher, refuses_ids_that_are_no_ids_under_id_null) {
  World world;
  Client& client = world.connect();
  for (const std::string_view id : {"true", "{}", "[1]"}) {
    const std::string reply = world.call(client, call_text(id, "count"));
    EXPECT_EQ(error_code(reply), "-32600") << id;
    EXPECT_EQ(at(reply, "/id"), "null") << id;
  }
  EXPECT_EQ(world.counted, 0);
}

TEST(Dispatcher, never_answers_a_notification_however_it_fails) {
  World world({.calls_in_flight = 2});
  Client& client = world.connect();
  for (const std::string_view method :
       {"nope", "throw", "throw_int", "reject", "dropped", "never_deferred", "deferred_and_threw",
        "dropped_and_threw", "subtract", "later", "at_once", "count"})
    EXPECT_EQ(world.call(client, notification_of(method)), "") << method;
  world.later.clear();
  EXPECT_TRUE(client.link.take().empty());
  EXPECT_EQ(world.dispatcher.calls_in_flight(), 0u);
  EXPECT_TRUE(client.session->calls.empty());
}

TEST(Dispatcher, a_handler_that_throws_answers_its_call_and_harms_nothing_else) {
  World world;
  Client& client = world.connect();
  for (const std::string_view method : {"throw", "throw_int"}) {
    const std::string reply = world.call(client, call_text("1", method));
    EXPECT_EQ(error_code(reply), "-32603");
    EXPECT_FALSE(reply.contains("secret")) << "details are for the log";
  }
  EXPECT_TRUE(world.log.mentions("method threw method=throw what=secret detail"));
  EXPECT_TRUE(world.log.mentions("method threw method=throw_int"));
  EXPECT_EQ(world.errors(Errc::internal_error), 2u);
  const std::string batch =
      world.call(client, '[' + call_text("1", "throw") + ',' + call_text("2", "count") + ']');
  EXPECT_EQ(at(batch, "/0/error/code"), "-32603");
  EXPECT_EQ(at(batch, "/1/result"), "1");
  EXPECT_TRUE(client.link.closes.empty());
}

TEST(Dispatcher, a_handler_s_own_error_is_told_with_its_code_and_data) {
  World world;
  Client& client = world.connect();
  EXPECT_EQ(
      world.call(client, call_text("1", "reject")),
      R"({"jsonrpc":"2.0","id":1,"error":{"code":17,"message":"no such room","data":{"retryable":false,"room":"a"}}})");
}

TEST(Dispatcher, an_unknown_method_s_name_is_never_cut_inside_a_character) {
  World world;
  Client& client = world.connect();
  for (std::size_t ahead = 120; ahead <= 130; ++ahead) {
    const std::string name = std::string(ahead, 'x') + "\xF0\x9F\x90\xBC\xF0\x9F\x90\xBC\xF0\x9F\x90\xBC";
    const std::string reply = world.call(client, call_text("1", name));
    EXPECT_TRUE(wire::utf8_valid(reply)) << ahead;
    EXPECT_EQ(error_code(reply), "-32601") << ahead;
    EXPECT_TRUE(reply.contains(std::string(120, 'x'))) << "still says which: " << ahead;
  }
}

TEST(Dispatcher, a_handler_s_error_that_is_not_utf_8_is_mended) {
  World world;
  world.table.add<NoParams, int>(
      "bad_text", [](Call&, const NoParams&) { return reject(17, "no room \xFF", "{\"room\":\"\xC3\"}"); });
  Client& client = world.connect();
  world.deliver(client, call_text("1", "bad_text"));
  world.deliver(client, '[' + call_text("1", "bad_text") + ']');
  world.deliver(client, call_text("1", "later"));
  world.later[0].fail(reject(18, "late \xE2\x82").error());
  const auto replies = client.link.take();
  ASSERT_EQ(replies.size(), 3u);
  for (const std::string& reply : replies) EXPECT_TRUE(wire::utf8_valid(reply)) << reply;
  EXPECT_EQ(at(replies[0], "/error/message"), "\"no room \xEF\xBF\xBD\"");
  EXPECT_EQ(at(replies[0], "/error/data/room"), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(at(replies[1], "/0/error/code"), "17");
  EXPECT_EQ(error_code(replies[2]), "18");
}

TEST(Dispatcher, every_error_says_whether_to_try_again) {
  World world;
  Client& client = world.connect();
  for (const std::string_view text : {"{", "[]", "{}", "1"})
    EXPECT_EQ(at(world.call(client, text), "/error/data/retryable"), "false");
}

TEST(Dispatcher, counts_messages_calls_and_errors) {
  World world;
  Client& client = world.connect();
  world.call(client, '[' + call_text("1", "count") + ',' + notification_of("count") + ",1]");
  world.call(client, "{");
  EXPECT_EQ(world.stats.messages_in, 2u);
  EXPECT_EQ(client.session->received(), 2u);
  EXPECT_EQ(world.stats.calls, 3u);
  EXPECT_EQ(world.errors(Errc::invalid_request), 1u);
  EXPECT_EQ(world.errors(Errc::parse_error), 1u);
}

// Deferred answers

TEST(Dispatcher, answers_a_deferred_call_when_its_reply_is_sent) {
  World world;
  Client& client = world.connect();
  EXPECT_EQ(world.call(client, call_text("1", "later")), "");
  EXPECT_EQ(world.call(client, call_text("2", "count")), R"({"jsonrpc":"2.0","id":2,"result":1})")
      << "nobody waits for it";
  EXPECT_EQ(world.dispatcher.calls_in_flight(), 1u);
  world.later[0].send(7);
  EXPECT_EQ(client.link.take(), Replies{R"({"jsonrpc":"2.0","id":1,"result":7})"});
  EXPECT_EQ(world.dispatcher.calls_in_flight(), 0u);
  EXPECT_TRUE(client.session->calls.empty());
}

TEST(Dispatcher, answers_a_deferred_call_that_is_answered_inside_the_handler) {
  World world;
  Client& client = world.connect();
  EXPECT_EQ(world.call(client, call_text("1", "at_once")), R"({"jsonrpc":"2.0","id":1,"result":1})");
  EXPECT_EQ(world.call(client, '[' + call_text("1", "at_once") + ',' + call_text("2", "count") + ']'),
            R"([{"jsonrpc":"2.0","id":2,"result":1},{"jsonrpc":"2.0","id":1,"result":1}])");
}

TEST(Dispatcher, a_deferred_call_can_fail) {
  World world;
  Client& client = world.connect();
  world.deliver(client, call_text("1", "later"));
  world.later[0].fail(make_error(Errc::timeout));
  EXPECT_EQ(error_code(client.link.take().at(0)), "-32002");
}

TEST(Dispatcher, a_handler_that_forgets_to_answer_answers_with_an_error) {
  World world;
  Client& client = world.connect();
  for (const std::string_view method :
       {"dropped", "never_deferred", "dropped_and_threw", "deferred_and_threw"}) {
    EXPECT_EQ(error_code(world.call(client, call_text("1", method))), "-32603") << method;
    const std::string batch =
        world.call(client, '[' + call_text("1", method) + ',' + call_text("2", "get_data") + ']');
    const bool first = at(batch, "/0/id") == "1";
    EXPECT_EQ(at(batch, first ? "/0/error/code" : "/1/error/code"), "-32603") << method;
    EXPECT_EQ(at(batch, first ? "/1/id" : "/0/id"), "2") << method;
    EXPECT_EQ(at(batch, "/2"), "absent") << method;
  }
  world.later.clear();
  EXPECT_TRUE(client.link.take().empty()) << "answered already";
  EXPECT_EQ(world.dispatcher.calls_in_flight(), 0u);
}

TEST(Dispatcher, a_handler_that_defers_and_returns_a_value_answers_once) {
  World world;
  Client& client = world.connect();
  EXPECT_EQ(world.call(client, call_text("1", "deferred_and_returned")),
            R"({"jsonrpc":"2.0","id":1,"result":5})");
  world.later[0].send(6);
  EXPECT_TRUE(client.link.take().empty());
}

TEST(Dispatcher, a_batch_with_deferred_items_is_answered_once_and_whole) {
  World world;
  Client& client = world.connect();
  EXPECT_EQ(world.call(client, '[' + call_text("1", "later") + ',' + call_text("2", "count") + ',' +
                                   notification_of("later") + ',' + call_text("3", "later") + ',' +
                                   call_text("4", "nope") + ']'),
            "");
  world.later[2].send(30);
  EXPECT_TRUE(client.link.take().empty());
  world.later[0].send(10);
  EXPECT_TRUE(client.link.take().empty()) << "the notification is still at work";
  world.later[1].send(20);
  const auto replies = client.link.take();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(at(replies[0], "/0"), R"({"jsonrpc":"2.0","id":2,"result":1})");
  EXPECT_EQ(at(replies[0], "/1/error/code"), "-32601");
  EXPECT_EQ(at(replies[0], "/2"), R"({"jsonrpc":"2.0","id":3,"result":30})");
  EXPECT_EQ(at(replies[0], "/3"), R"({"jsonrpc":"2.0","id":1,"result":10})");
  EXPECT_EQ(at(replies[0], "/4"), "absent");
}

TEST(Dispatcher, two_batches_at_work_do_not_mix) {
  World world;
  Client& client = world.connect();
  world.deliver(client, '[' + call_text("1", "later") + ',' + call_text("2", "later") + ']');
  world.deliver(client, '[' + call_text("3", "later") + ']');
  world.deliver(client, call_text("4", "later"));
  world.later[3].send(4);
  world.later[1].send(2);
  world.later[2].send(3);
  world.later[0].send(1);
  EXPECT_EQ(client.link.take(),
            (Replies{R"({"jsonrpc":"2.0","id":4,"result":4})", R"([{"jsonrpc":"2.0","id":3,"result":3}])",
                     R"([{"jsonrpc":"2.0","id":2,"result":2},{"jsonrpc":"2.0","id":1,"result":1}])"}));
}

TEST(Dispatcher, a_batch_of_deferred_notifications_is_never_answered) {
  World world;
  Client& client = world.connect();
  world.deliver(client, '[' + notification_of("later") + ',' + notification_of("later") + ']');
  world.later.clear();
  EXPECT_TRUE(client.link.take().empty());
}

TEST(Dispatcher, an_answer_after_the_session_is_gone_goes_nowhere) {
  World world({.grace_ms = 0});
  Client& client = world.connect();
  world.deliver(client, call_text("1", "later"));
  world.deliver(client, '[' + call_text("2", "later") + ',' + call_text("3", "later") + ']');
  world.disconnect(client);
  world.later[0].send(1);
  world.later[1].send(1);
  world.later.clear();
  EXPECT_EQ(world.dispatcher.calls_in_flight(), 0u);
  world.hub.check_invariants();
}

TEST(Dispatcher, a_handler_may_end_its_own_session) {
  World world;
  Client& client = world.connect();
  world.deliver(client, '[' + call_text("1", "count") + ',' + call_text("2", "end_me") + ',' +
                            call_text("3", "count") + ']');
  EXPECT_EQ(world.counted, 1) << "nothing of an ended session is run";
  ASSERT_EQ(client.link.closes.size(), 1u);
  EXPECT_EQ(client.link.closes[0].code, 4503);
  world.hub.check_invariants();
}

TEST(Dispatcher, may_die_before_the_answers_it_is_owed) {
  std::vector<Reply<int>> late;
  {
    World world;
    Client& client = world.connect();
    world.deliver(client, call_text("1", "later"));
    late.swap(world.later);
  }
  late[0].send(1);
}

// $/cancelRequest

TEST(Dispatcher, cancelling_answers_the_call_at_once_and_only_once) {
  World world;
  Client& client = world.connect();
  world.deliver(client, call_text(R"("a")", "later"));
  world.deliver(client, call_text("1", "later"));
  EXPECT_EQ(world.call(client, R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"b"}})"), "")
      << "no such call";
  const std::string reply =
      world.call(client, R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"a"}})");
  EXPECT_EQ(error_code(reply), "-32800");
  EXPECT_EQ(at(reply, "/id"), R"("a")");
  world.later[0].send(1);
  EXPECT_TRUE(client.link.take().empty());
  EXPECT_EQ(world.dispatcher.calls_in_flight(), 1u);
}

TEST(Dispatcher, cancelling_completes_a_batch) {
  World world;
  Client& client = world.connect();
  world.deliver(client, '[' + call_text("1", "later") + ',' + call_text("2", "count") + ']');
  const std::string reply =
      world.call(client, R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":[1]})");
  EXPECT_EQ(at(reply, "/0/result"), "1");
  EXPECT_EQ(at(reply, "/1/error/code"), "-32800");
}

TEST(Dispatcher, a_call_can_be_cancelled_from_its_own_batch) {
  World world;
  Client& client = world.connect();
  const std::string reply = world.call(
      client, '[' + call_text("1", "later") + ',' + call_text("2", "$/cancelRequest", "[1]") + ']');
  EXPECT_EQ(at(reply, "/0"), R"({"jsonrpc":"2.0","id":2,"result":null})");
  EXPECT_EQ(at(reply, "/1/error/code"), "-32800");
}

TEST(Dispatcher, nobody_cancels_another_session_s_call) {
  World world;
  Client& client = world.connect();
  Client& other = world.connect();
  world.deliver(client, call_text("1", "later"));
  EXPECT_EQ(world.call(other, call_text("2", "$/cancelRequest", "[1]")),
            R"({"jsonrpc":"2.0","id":2,"result":null})");
  EXPECT_TRUE(client.link.take().empty());
  world.later[0].send(1);
  EXPECT_EQ(client.link.take().size(), 1u);
}

// Limits: at it, one over, its counter

TEST(Dispatcher, calls_only_what_the_access_rules_allow) {
  World world;
  world.access.allow = {"count", "topic.*"};
  Client& client = world.connect();
  EXPECT_EQ(at(world.call(client, call_text("1", "count")), "/result"), "1");
  EXPECT_EQ(error_code(world.call(client, call_text("1", "topic.subscribe", R"(["news"])"))), "absent");
  for (const std::string_view method : {"subtract", "hub.broadcast", "hub.stats", "session.info"})
    EXPECT_EQ(error_code(world.call(client, call_text("1", method))), "-32024") << method;
  EXPECT_EQ(error_code(world.call(client, call_text("1", "nope"))), "-32601");
  EXPECT_EQ(world.call(client, notification_of("update")), "");
  EXPECT_EQ(world.notified, 0);
}

TEST(Dispatcher, logs_methods_and_sizes_and_no_contents) {
  World world;
  Client& client = world.connect();
  world.call(client, call_text("1", "echo", R"({"password":"hunter2"})"));
  EXPECT_TRUE(world.log.mentions("method=echo bytes="));
  EXPECT_FALSE(world.log.mentions("hunter2"));
}

TEST(Dispatcher, large_messages_and_small_ones_follow_each_other_unharmed) {
  World world({.rate_per_s = 0});
  Client& client = world.connect();
  for (int i = 0; i < 5; ++i) {
    const std::string large = '"' + std::string(300'000, 'x') + '"';
    EXPECT_EQ(world.call(client, call_text("1", "echo", '[' + large + ']')),
              R"({"jsonrpc":"2.0","id":1,"result":[)" + large + "]}");
    EXPECT_EQ(world.call(client, call_text("2", "echo", "[1]")), R"({"jsonrpc":"2.0","id":2,"result":[1]})");
  }
}

}  // namespace
}  // namespace hubbub
