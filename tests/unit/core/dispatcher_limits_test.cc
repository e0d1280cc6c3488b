// What the dispatcher bounds: batches, replies, calls in flight, rate, depth.
#include "hubbub/core/dispatcher.h"

#include <gtest/gtest.h>

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

TEST(Dispatcher, batch_items_are_bounded_and_no_item_of_a_larger_batch_runs) {
  World world({.batch_items = 3});
  Client& client = world.connect();
  const std::string item = call_text("1", "count");
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
      ',' + call_text("2", "count") + ',' + notification_of("count") + ',' + call_text("3", "count") + ']';
  world.blow_bytes = 100;
  EXPECT_EQ(at(world.call(client, '[' + call_text("1", "blow") + tail), "/2/result"), "3");
  EXPECT_EQ(world.hits(LimitHit::batch_response_bytes), 0u);
  world.blow_bytes = 1000;
  const std::string reply = world.call(client, '[' + call_text("1", "blow") + tail);
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
  std::string batch = "[" + call_text("0", "blow");
  for (int i = 1; i <= 4; ++i) batch += ',' + call_text(std::to_string(i), "late_text");
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
  EXPECT_EQ(error_code(world.call(client, call_text("1", "blow"))), "absent");
  EXPECT_EQ(world.hits(LimitHit::response_bytes), 0u);
  world.blow_bytes = 999;
  const std::string reply = world.call(client, call_text("1", "blow"));
  EXPECT_EQ(error_code(reply), "-32008");
  EXPECT_EQ(at(reply, "/error/data/limit"), R"("limits.response_bytes")");
  EXPECT_EQ(world.hits(LimitHit::response_bytes), 1u);
}

TEST(Dispatcher, calls_in_flight_of_a_session_are_bounded) {
  World world({.calls_in_flight = 2});
  Client& client = world.connect();
  Client& other = world.connect();
  EXPECT_EQ(world.call(client, call_text("1", "later")), "");
  EXPECT_EQ(world.call(client, call_text("2", "later")), "");
  EXPECT_EQ(world.hits(LimitHit::calls_in_flight), 0u);
  const std::string reply = world.call(client, call_text("3", "later"));
  EXPECT_EQ(error_code(reply), "-32009");
  EXPECT_EQ(at(reply, "/error/data/limit"), R"("limits.calls_in_flight")");
  EXPECT_EQ(at(reply, "/error/data/retryable"), "true");
  EXPECT_EQ(world.hits(LimitHit::calls_in_flight), 1u);
  EXPECT_EQ(world.call(other, call_text("1", "later")), "") << "each session has its own";
  EXPECT_EQ(error_code(world.call(client, call_text("3", "$/cancelRequest", "[9]"))), "absent")
      << "cancelling must stay possible";
  world.later[0].send(1);
  client.link.take();
  EXPECT_EQ(world.call(client, call_text("3", "later")), "");
}

TEST(Dispatcher, the_rate_counts_every_item_of_a_batch) {
  World world({.rate_per_s = 10, .rate_burst = 4});
  Client& client = world.connect();
  const std::string item = call_text("1", "count");
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
  EXPECT_EQ(at(world.call(client, call_text("1", "echo", nested(7))), "/result"), nested(7));
  EXPECT_EQ(world.hits(LimitHit::json_depth), 0u);
  const std::string reply = world.call(client, call_text("1", "echo", nested(8)));
  EXPECT_EQ(error_code(reply), "-32700");
  EXPECT_EQ(at(reply, "/error/data/limit"), R"("limits.json_depth")");
  EXPECT_EQ(world.hits(LimitHit::json_depth), 1u);
}

}  // namespace
}  // namespace hubbub
