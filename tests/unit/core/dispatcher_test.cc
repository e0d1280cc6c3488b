#include "hubbub/core/dispatcher.h"

#include <gtest/gtest.h>

#include <boost/describe/class.hpp>
#include <numeric>
#include <stdexcept>

#include "hubbub/wire/utf8.h"
#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::Core;

struct Subtract {
  std::int64_t minuend, subtrahend;
};
BOOST_DESCRIBE_STRUCT(Subtract, (), (minuend, subtrahend))

using Replies = std::vector<std::string>;

std::string error_code(std::string_view reply) { return at(reply, "/error/code"); }

std::string request(std::string_view id, std::string_view method, std::string_view params = {}) {
  std::string out =
      R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":")" + std::string(method) + '"';
  if (!params.empty()) out += R"(,"params":)" + std::string(params);
  return out + '}';
}

std::string notification_of(std::string_view method) {
  return R"({"jsonrpc":"2.0","method":")" + std::string(method) + R"("})";
}

// The methods of the examples in JSON-RPC 2.0 section 7, and handlers that misbehave.
class World : public Core {
 public:
  explicit World(const Limits& with = {}) : Core(with) {
    table.add<Subtract, std::int64_t>("subtract",
                                      [](Call&, const Subtract& p) { return p.minuend - p.subtrahend; });
    table.add<RawJson, std::int64_t>("sum", [](Call&, const RawJson& params) {
      std::int64_t sum = 0;
      for (wire::JsonSlices item(params.text); item.next();) sum += std::stoll(std::string(item.value()));
      return sum;
    });
    table.add<NoParams, JsonText>("get_data",
                                  [](Call&, const NoParams&) { return JsonText{R"(["hello",5])"}; });
    for (const std::string_view name : {"update", "notify_hello", "notify_sum"})
      table.add<RawJson, void>(name, [this](Call&, const RawJson&) { ++notified; });
    table.add<NoParams, int>("count", [this](Call&, const NoParams&) { return ++counted; });
    table.add<NoParams, int>(
        "throw", [](Call&, const NoParams&) -> int { throw std::runtime_error("secret detail"); });
    table.add<NoParams, int>("throw_int", [](Call&, const NoParams&) -> int { throw 7; });
    table.add<NoParams, int>(
        "reject", [](Call&, const NoParams&) { return reject(17, "no such room", R"({"room":"a"})"); });
    table.add<NoParams, std::string>("blow",
                                     [this](Call&, const NoParams&) { return std::string(blow_bytes, 'x'); });
    table.add<NoParams, int>("later", [this](Call& call, const NoParams&) {
      later.emplace_back(call.defer<int>());
      return Deferred{};
    });
    table.add<NoParams, int>("never_deferred", [](Call&, const NoParams&) { return Deferred{}; });
    table.add<NoParams, int>("at_once", [](Call& call, const NoParams&) {
      call.defer<int>().send(1);
      return Deferred{};
    });
    table.add<NoParams, int>("dropped", [](Call& call, const NoParams&) {
      static_cast<void>(call.defer<int>());
      return Deferred{};
    });
    table.add<NoParams, int>("deferred_and_threw", [this](Call& call, const NoParams&) -> Deferred {
      later.emplace_back(call.defer<int>());
      throw std::runtime_error("after the promise");
    });
    table.add<NoParams, int>("deferred_and_returned", [this](Call& call, const NoParams&) {
      later.emplace_back(call.defer<int>());
      return 5;
    });
    table.add<NoParams, int>("dropped_and_threw", [](Call& call, const NoParams&) -> Deferred {
      const auto reply = call.defer<int>();
      throw std::runtime_error("with the reply in hand");
    });
    table.add<NoParams, void>(
        "end_me", [](Call& call, const NoParams&) { call.hub().end(call.session(), 4503, "kicked"); });
  }
  ~World() { later.clear(); }

  int notified = 0;
  int counted = 0;
  std::size_t blow_bytes = 0;
  std::vector<Reply<int>> later;
};

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
    const std::string reply = world.call(client, request(id, "count"));
    EXPECT_EQ(reply, R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"result":)" +
                         std::to_string(world.counted) + '}');
    EXPECT_TRUE(world.call(client, request(id, "nope"))
                    .starts_with(R"({"jsonrpc":"2.0","id":)" + std::string(id) + ','));
    world.deliver(client, '[' + request(id, "later") + ']');
    world.later.back().send(1);
    EXPECT_EQ(client.link.take(),
              Replies{R"([{"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"result":1}])"});
  }
}

TEST(Dispatcher, refuses_ids_that_are_no_ids_under_id_null) {
  World world;
  Client& client = world.connect();
  for (const std::string_view id : {"true", "{}", "[1]"}) {
    const std::string reply = world.call(client, request(id, "count"));
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
    const std::string reply = world.call(client, request("1", method));
    EXPECT_EQ(error_code(reply), "-32603");
    EXPECT_FALSE(reply.contains("secret")) << "details are for the log";
  }
  EXPECT_TRUE(world.log.mentions("method threw method=throw what=secret detail"));
  EXPECT_TRUE(world.log.mentions("method threw method=throw_int"));
  EXPECT_EQ(world.errors(Errc::internal_error), 2u);
  const std::string batch =
      world.call(client, '[' + request("1", "throw") + ',' + request("2", "count") + ']');
  EXPECT_EQ(at(batch, "/0/error/code"), "-32603");
  EXPECT_EQ(at(batch, "/1/result"), "1");
  EXPECT_TRUE(client.link.closes.empty());
}

TEST(Dispatcher, a_handler_s_own_error_is_told_with_its_code_and_data) {
  World world;
  Client& client = world.connect();
  EXPECT_EQ(
      world.call(client, request("1", "reject")),
      R"({"jsonrpc":"2.0","id":1,"error":{"code":17,"message":"no such room","data":{"retryable":false,"room":"a"}}})");
}

TEST(Dispatcher, an_unknown_method_s_name_is_never_cut_inside_a_character) {
  World world;
  Client& client = world.connect();
  for (std::size_t ahead = 120; ahead <= 130; ++ahead) {
    const std::string name = std::string(ahead, 'x') + "\xF0\x9F\x90\xBC\xF0\x9F\x90\xBC\xF0\x9F\x90\xBC";
    const std::string reply = world.call(client, request("1", name));
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
  world.deliver(client, request("1", "bad_text"));
  world.deliver(client, '[' + request("1", "bad_text") + ']');
  world.deliver(client, request("1", "later"));
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
  world.call(client, '[' + request("1", "count") + ',' + notification_of("count") + ",1]");
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
  EXPECT_EQ(world.call(client, request("1", "later")), "");
  EXPECT_EQ(world.call(client, request("2", "count")), R"({"jsonrpc":"2.0","id":2,"result":1})")
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
  EXPECT_EQ(world.call(client, request("1", "at_once")), R"({"jsonrpc":"2.0","id":1,"result":1})");
  EXPECT_EQ(world.call(client, '[' + request("1", "at_once") + ',' + request("2", "count") + ']'),
            R"([{"jsonrpc":"2.0","id":2,"result":1},{"jsonrpc":"2.0","id":1,"result":1}])");
}

TEST(Dispatcher, a_deferred_call_can_fail) {
  World world;
  Client& client = world.connect();
  world.deliver(client, request("1", "later"));
  world.later[0].fail(make_error(Errc::timeout));
  EXPECT_EQ(error_code(client.link.take().at(0)), "-32002");
}

TEST(Dispatcher, a_handler_that_forgets_to_answer_answers_with_an_error) {
  World world;
  Client& client = world.connect();
  for (const std::string_view method :
       {"dropped", "never_deferred", "dropped_and_threw", "deferred_and_threw"}) {
    EXPECT_EQ(error_code(world.call(client, request("1", method))), "-32603") << method;
    const std::string batch =
        world.call(client, '[' + request("1", method) + ',' + request("2", "get_data") + ']');
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
  EXPECT_EQ(world.call(client, request("1", "deferred_and_returned")),
            R"({"jsonrpc":"2.0","id":1,"result":5})");
  world.later[0].send(6);
  EXPECT_TRUE(client.link.take().empty());
}

TEST(Dispatcher, a_batch_with_deferred_items_is_answered_once_and_whole) {
  World world;
  Client& client = world.connect();
  EXPECT_EQ(world.call(client, '[' + request("1", "later") + ',' + request("2", "count") + ',' +
                                   notification_of("later") + ',' + request("3", "later") + ',' +
                                   request("4", "nope") + ']'),
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
  world.deliver(client, '[' + request("1", "later") + ',' + request("2", "later") + ']');
  world.deliver(client, '[' + request("3", "later") + ']');
  world.deliver(client, request("4", "later"));
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
  world.deliver(client, request("1", "later"));
  world.deliver(client, '[' + request("2", "later") + ',' + request("3", "later") + ']');
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
  world.deliver(
      client, '[' + request("1", "count") + ',' + request("2", "end_me") + ',' + request("3", "count") + ']');
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
    world.deliver(client, request("1", "later"));
    late.swap(world.later);
  }
  late[0].send(1);
}

// $/cancelRequest

TEST(Dispatcher, cancelling_answers_the_call_at_once_and_only_once) {
  World world;
  Client& client = world.connect();
  world.deliver(client, request(R"("a")", "later"));
  world.deliver(client, request("1", "later"));
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
  world.deliver(client, '[' + request("1", "later") + ',' + request("2", "count") + ']');
  const std::string reply =
      world.call(client, R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":[1]})");
  EXPECT_EQ(at(reply, "/0/result"), "1");
  EXPECT_EQ(at(reply, "/1/error/code"), "-32800");
}

TEST(Dispatcher, a_call_can_be_cancelled_from_its_own_batch) {
  World world;
  Client& client = world.connect();
  const std::string reply =
      world.call(client, '[' + request("1", "later") + ',' + request("2", "$/cancelRequest", "[1]") + ']');
  EXPECT_EQ(at(reply, "/0"), R"({"jsonrpc":"2.0","id":2,"result":null})");
  EXPECT_EQ(at(reply, "/1/error/code"), "-32800");
}

TEST(Dispatcher, nobody_cancels_another_session_s_call) {
  World world;
  Client& client = world.connect();
  Client& other = world.connect();
  world.deliver(client, request("1", "later"));
  EXPECT_EQ(world.call(other, request("2", "$/cancelRequest", "[1]")),
            R"({"jsonrpc":"2.0","id":2,"result":null})");
  EXPECT_TRUE(client.link.take().empty());
  world.later[0].send(1);
  EXPECT_EQ(client.link.take().size(), 1u);
}

// Limits: at it, one over, its counter

TEST(Dispatcher, batch_items_are_bounded_and_no_item_of_a_larger_batch_runs) {
  World world({.batch_items = 3});
  Client& client = world.connect();
  const std::string item = request("1", "count");
  EXPECT_EQ(at(world.call(client, '[' + item + ',' + item + ',' + item + ']'), "/2/result"), "3");
  EXPECT_EQ(world.hits(LimitHit::batch_items), 0u);
  const std::string reply = world.call(client, '[' + item + ',' + item + ',' + item + ',' + item + ']');
  EXPECT_EQ(error_code(reply), "-32010");
  EXPECT_EQ(at(reply, "/id"), "null");
  EXPECT_EQ(at(reply, "/error/data/limit"), R"("limits.batch_items")");
  EXPECT_EQ(world.hits(LimitHit::batch_items), 1u);
  EXPECT_EQ(world.counted, 3);
}

TEST(Dispatcher, replies_of_a_batch_are_bounded_and_what_cannot_be_answered_does_not_run) {
  World world({.batch_response_bytes = 1000});
  Client& client = world.connect();
  const std::string tail =
      ',' + request("2", "count") + ',' + notification_of("count") + ',' + request("3", "count") + ']';
  world.blow_bytes = 100;
  EXPECT_EQ(at(world.call(client, '[' + request("1", "blow") + tail), "/2/result"), "3");
  EXPECT_EQ(world.hits(LimitHit::batch_response_bytes), 0u);
  world.blow_bytes = 1000;
  const std::string reply = world.call(client, '[' + request("1", "blow") + tail);
  EXPECT_EQ(at(reply, "/0/id"), "1");
  for (const std::string index : {"/1", "/2"}) {
    EXPECT_EQ(at(reply, index + "/error/code"), "-32008");
    EXPECT_EQ(at(reply, index + "/error/data/limit"), R"("limits.batch_response_bytes")");
  }
  EXPECT_EQ(at(reply, "/3"), "absent");
  EXPECT_EQ(world.counted, 3);
  EXPECT_EQ(world.hits(LimitHit::batch_response_bytes), 2u);
}

TEST(Dispatcher, late_replies_of_a_batch_are_bounded_too) {
  World world({.batch_response_bytes = 1000});
  world.blow_bytes = 900;
  std::vector<Reply<std::string>> late;
  world.table.add<NoParams, std::string>("late_text", [&late](Call& call, const NoParams&) {
    late.emplace_back(call.defer<std::string>());
    return Deferred{};
  });
  Client& client = world.connect();
  std::string batch = "[" + request("0", "blow");
  for (int i = 1; i <= 4; ++i) batch += ',' + request(std::to_string(i), "late_text");
  world.deliver(client, batch + ']');
  for (auto& reply : late) reply.send(std::string(900, 'x'));
  const auto replies = client.link.take();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_LT(replies[0].size(), 3500u);
  EXPECT_EQ(at(replies[0], "/1/error/code"), "absent");
  for (const std::string index : {"/2", "/3", "/4"})
    EXPECT_EQ(at(replies[0], index + "/error/code"), "-32008");
  EXPECT_EQ(at(replies[0], "/5"), "absent");
  EXPECT_EQ(world.hits(LimitHit::batch_response_bytes), 3u);
}

TEST(Dispatcher, one_reply_is_bounded) {
  World world({.response_bytes = 1000});
  Client& client = world.connect();
  world.blow_bytes = 998;  // and two quotes
  EXPECT_EQ(error_code(world.call(client, request("1", "blow"))), "absent");
  EXPECT_EQ(world.hits(LimitHit::response_bytes), 0u);
  world.blow_bytes = 999;
  const std::string reply = world.call(client, request("1", "blow"));
  EXPECT_EQ(error_code(reply), "-32008");
  EXPECT_EQ(at(reply, "/error/data/limit"), R"("limits.response_bytes")");
  EXPECT_EQ(world.hits(LimitHit::response_bytes), 1u);
}

TEST(Dispatcher, calls_in_flight_of_a_session_are_bounded) {
  World world({.calls_in_flight = 2});
  Client& client = world.connect();
  Client& other = world.connect();
  EXPECT_EQ(world.call(client, request("1", "later")), "");
  EXPECT_EQ(world.call(client, request("2", "later")), "");
  EXPECT_EQ(world.hits(LimitHit::calls_in_flight), 0u);
  const std::string reply = world.call(client, request("3", "later"));
  EXPECT_EQ(error_code(reply), "-32009");
  EXPECT_EQ(at(reply, "/error/data/limit"), R"("limits.calls_in_flight")");
  EXPECT_EQ(at(reply, "/error/data/retryable"), "true");
  EXPECT_EQ(world.hits(LimitHit::calls_in_flight), 1u);
  EXPECT_EQ(world.call(other, request("1", "later")), "") << "each session has its own";
  EXPECT_EQ(error_code(world.call(client, request("3", "$/cancelRequest", "[9]"))), "absent")
      << "cancelling must stay possible";
  world.later[0].send(1);
  client.link.take();
  EXPECT_EQ(world.call(client, request("3", "later")), "");
}

TEST(Dispatcher, the_rate_counts_every_item_of_a_batch) {
  World world({.rate_per_s = 10, .rate_burst = 4});
  Client& client = world.connect();
  const std::string item = request("1", "count");
  world.call(client, item);
  const std::string reply = world.call(
      client, '[' + item + ',' + item + ',' + item + ',' + item + ',' + notification_of("count") + ']');
  EXPECT_EQ(at(reply, "/2/result"), "4");
  EXPECT_EQ(at(reply, "/3/error/code"), "-32025");
  EXPECT_EQ(at(reply, "/3/error/data/retry_after_ms"), "100");
  EXPECT_EQ(at(reply, "/3/error/data/limit"), R"("limits.rate_per_s")");
  EXPECT_EQ(at(reply, "/4"), "absent");
  EXPECT_EQ(world.counted, 4) << "the notification did not run either";
  EXPECT_EQ(world.hits(LimitHit::rate_per_s), 2u);
  world.advance(100);
  EXPECT_EQ(at(world.call(client, item), "/result"), "5");
  EXPECT_EQ(error_code(world.call(client, "{")), "-32025") << "what is not JSON costs a message too";
}

TEST(Dispatcher, depth_of_a_message_is_bounded) {
  World world({.json_depth = 8});
  Client& client = world.connect();
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(at(world.call(client, request("1", "echo", nested(7))), "/result"), nested(7));
  EXPECT_EQ(world.hits(LimitHit::json_depth), 0u);
  const std::string reply = world.call(client, request("1", "echo", nested(8)));
  EXPECT_EQ(error_code(reply), "-32700");
  EXPECT_EQ(at(reply, "/error/data/limit"), R"("limits.json_depth")");
  EXPECT_EQ(world.hits(LimitHit::json_depth), 1u);
}

TEST(Dispatcher, calls_only_what_the_access_rules_allow) {
  World world;
  world.access.allow = {"count", "topic.*"};
  Client& client = world.connect();
  EXPECT_EQ(at(world.call(client, request("1", "count")), "/result"), "1");
  EXPECT_EQ(error_code(world.call(client, request("1", "topic.subscribe", R"(["news"])"))), "absent");
  for (const std::string_view method : {"subtract", "hub.broadcast", "hub.stats", "session.info"})
    EXPECT_EQ(error_code(world.call(client, request("1", method))), "-32024") << method;
  EXPECT_EQ(error_code(world.call(client, request("1", "nope"))), "-32601");
  EXPECT_EQ(world.call(client, notification_of("update")), "");
  EXPECT_EQ(world.notified, 0);
}

TEST(Dispatcher, logs_methods_and_sizes_and_no_contents) {
  World world;
  Client& client = world.connect();
  world.call(client, request("1", "echo", R"({"password":"hunter2"})"));
  EXPECT_TRUE(world.log.mentions("method=echo bytes="));
  EXPECT_FALSE(world.log.mentions("hunter2"));
}

TEST(Dispatcher, large_messages_and_small_ones_follow_each_other_unharmed) {
  World world({.rate_per_s = 0});
  Client& client = world.connect();
  for (int i = 0; i < 5; ++i) {
    const std::string large = '"' + std::string(300'000, 'x') + '"';
    EXPECT_EQ(world.call(client, request("1", "echo", '[' + large + ']')),
              R"({"jsonrpc":"2.0","id":1,"result":[)" + large + "]}");
    EXPECT_EQ(world.call(client, request("2", "echo", "[1]")), R"({"jsonrpc":"2.0","id":2,"result":[1]})");
  }
}

}  // namespace
}  // namespace hubbub
