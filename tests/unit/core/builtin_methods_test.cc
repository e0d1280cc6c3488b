#include "hubbub/core/builtin_methods.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::Core;

std::string json_text(std::string_view text) {
  std::string out;
  wire::append_json_string(out, text);
  return out;
}

std::string ask(Core& core, Client& client, std::string_view method, std::string_view params = {}) {
  std::string text = R"({"jsonrpc":"2.0","id":1,"method":)" + json_text(method);
  if (!params.empty()) text += R"(,"params":)" + std::string(params);
  return core.call(client, text + '}');
}

std::string result_of(Core& core, Client& client, std::string_view method, std::string_view params = {}) {
  return at(ask(core, client, method, params), "/result");
}

std::string error_of(Core& core, Client& client, std::string_view method, std::string_view params = {}) {
  return at(ask(core, client, method, params), "/error/code");
}

TEST(BuiltinMethods, ping_tells_the_server_s_time) {
  Core core;
  Client& client = core.connect();
  EXPECT_EQ(result_of(core, client, "ping"), R"({"time":"2026-11-23T10:00:00.000Z"})");
  core.advance(1234);
  EXPECT_EQ(result_of(core, client, "ping", R"({"any":"params"})"), R"({"time":"2026-11-23T10:00:01.234Z"})");
}

TEST(BuiltinMethods, echo_answers_its_params_byte_for_byte) {
  Core core;
  Client& client = core.connect();
  for (const std::string_view params :
       {R"({"a":1})", R"([ 1.0,  1e400, "\u0062", {"a":1,"a":2} ])", "[]", "{}"})
    EXPECT_EQ(ask(core, client, "echo", params),
              R"({"jsonrpc":"2.0","id":1,"result":)" + std::string(params) + '}');
  EXPECT_EQ(result_of(core, client, "echo"), "null");
}

TEST(BuiltinMethods, session_info_tells_code_counts_topics_data_and_limits) {
  Core core;
  Client& client = core.connect(R"({"name":"Ada"})");
  result_of(core, client, "topic.subscribe", R"(["b"])");
  result_of(core, client, "topic.subscribe", R"(["a"])");
  const std::string info = result_of(core, client, "session.info");
  EXPECT_EQ(at(info, "/code"), json_text(client.code()));
  EXPECT_EQ(at(info, "/epoch"), json_text(client.session->identity().epoch));
  EXPECT_EQ(at(info, "/state"), R"("attached")");
  EXPECT_EQ(at(info, "/sent"), "2");
  EXPECT_EQ(at(info, "/received"), "3");
  EXPECT_EQ(at(info, "/unsent"), "0");
  EXPECT_EQ(at(info, "/topics"), R"(["b","a"])") << "in the order of subscription";
  EXPECT_EQ(at(info, "/data"), R"({"name":"Ada"})");
  EXPECT_EQ(at(info, "/limits/topics"), "128");
  EXPECT_EQ(at(info, "/limits/ttl_ms"), "120000");
  EXPECT_FALSE(info.contains(client.token));
}

TEST(BuiltinMethods, session_close_is_answered_and_ends_the_session) {
  Core core;
  Client& client = core.connect();
  const std::string code = client.code();
  EXPECT_EQ(result_of(core, client, "session.close"), "null");
  EXPECT_EQ(core.hub.find(code), nullptr);
  ASSERT_EQ(client.link.closes.size(), 1u);
  EXPECT_EQ(client.link.closes[0].code, 1000);
}

TEST(BuiltinMethods, session_send_reaches_its_target_once_with_the_sender_s_code) {
  Core core;
  Client& from = core.connect();
  Client& to = core.connect();
  EXPECT_EQ(
      result_of(core, from, "session.send", R"({"to":)" + json_text(to.code()) + R"(,"data":{"x":1.0}})"),
      R"({"status":"delivered"})");
  EXPECT_EQ(to.link.take(),
            std::vector<std::string>{R"({"jsonrpc":"2.0","method":"session.message","params":{"from":)" +
                                     json_text(from.code()) + R"(,"data":{"x":1.0}}})"});
  EXPECT_TRUE(from.link.take().empty());
}

TEST(BuiltinMethods, session_send_to_nobody_names_the_field) {
  Core core;
  Client& client = core.connect();
  const std::string reply = ask(core, client, "session.send", R"({"to":"happy-panda-1","data":1})");
  EXPECT_EQ(at(reply, "/error/code"), "-32026");
  EXPECT_EQ(at(reply, "/error/data/field"), R"("to")");
  EXPECT_EQ(error_of(core, client, "session.send", R"({"to":"happy-panda-1"})"), "-32602");
}

TEST(BuiltinMethods, topics_are_subscribed_published_and_unsubscribed) {
  Core core;
  Client& client = core.connect();
  Client& publisher = core.connect();
  const std::string start = result_of(core, client, "topic.subscribe", R"({"topic":"news"})");
  EXPECT_EQ(at(start, "/offset"), "0");
  const std::string position = result_of(core, publisher, "topic.publish", R"({"topic":"news","data":[1]})");
  EXPECT_EQ(at(position, "/offset"), "1");
  EXPECT_EQ(at(position, "/epoch"), at(start, "/epoch"));
  EXPECT_EQ(
      client.link.take(),
      std::vector<std::string>{
          R"({"jsonrpc":"2.0","method":"topic.message","params":{"topic":"news","offset":1,"data":[1]}})"});
  EXPECT_EQ(result_of(core, client, "topic.unsubscribe", R"({"topic":"news"})"), R"({"unsubscribed":true})");
  EXPECT_EQ(result_of(core, client, "topic.unsubscribe", R"({"topic":"news"})"), R"({"unsubscribed":false})");
  result_of(core, publisher, "topic.publish", R"({"topic":"news","data":[2]})");
  EXPECT_TRUE(client.link.take().empty());
}

TEST(BuiltinMethods, a_publisher_that_listens_gets_its_message_and_its_reply) {
  Core core;
  Client& client = core.connect();
  result_of(core, client, "topic.subscribe", R"(["news"])");
  const auto got =
      core.exchange(client, R"({"jsonrpc":"2.0","id":1,"method":"topic.publish","params":["news",1]})");
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(at(got[0], "/method"), R"("topic.message")");
  EXPECT_EQ(at(got[1], "/result/offset"), "1");
}

TEST(BuiltinMethods, topic_names_out_of_bounds_are_refused) {
  Core core;
  Client& client = core.connect();
  for (const std::string_view method : {"topic.subscribe", "topic.publish"})
    EXPECT_EQ(error_of(core, client, method, method == "topic.publish" ? R"(["$mine",1])" : R"(["$mine"])"),
              "-32030");
  EXPECT_EQ(error_of(core, client, "topic.subscribe", R"([5])"), "-32602");
  EXPECT_EQ(error_of(core, client, "topic.subscribe"), "-32602");
}

TEST(BuiltinMethods, hub_broadcast_reaches_everyone_and_counts_them) {
  Core core;
  Client& client = core.connect();
  Client& other = core.connect();
  const auto got =
      core.exchange(client, R"({"jsonrpc":"2.0","id":1,"method":"hub.broadcast","params":{"data":"hi"}})");
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0], R"({"jsonrpc":"2.0","method":"hub.message","params":{"data":"hi"}})");
  EXPECT_EQ(at(got[1], "/result"), R"({"sessions":2})");
  EXPECT_EQ(other.link.take(), std::vector<std::string>{got[0]});
}

TEST(BuiltinMethods, hub_stats_counts) {
  Core core({.grace_ms = 1000});
  Client& client = core.connect();
  core.disconnect(core.connect());
  result_of(core, client, "topic.subscribe", R"(["news"])");
  core.exchange(client, R"({"jsonrpc":"2.0","id":1,"method":"topic.publish","params":["news",1]})");
  const std::string stats = result_of(core, client, "hub.stats");
  EXPECT_EQ(at(stats, "/sessions"),
            R"({"attached":1,"detached":1,"opened":2,"resumed":0,"expired":0,"closed":0})");
  EXPECT_EQ(at(stats, "/topics"), "1");
  EXPECT_EQ(at(stats, "/subscriptions"), "1");
  EXPECT_EQ(at(stats, "/calls"), "3");
  EXPECT_EQ(at(stats, "/publishes"), "1");
  EXPECT_EQ(at(stats, "/deliveries"), "1");
  EXPECT_EQ(at(stats, "/draining"), "false");
}

TEST(BuiltinMethods, opening_or_resuming_again_is_refused) {
  Core core;
  Client& client = core.connect();
  EXPECT_EQ(error_of(core, client, "session.open", "{}"), "-32600");
  EXPECT_EQ(error_of(core, client, "session.resume", R"({"code":"a","token":"b","epoch":"c","received":0})"),
            "-32600");
}

TEST(BuiltinMethods, rpc_discover_describes_every_method) {
  Core core;
  Client& client = core.connect();
  const std::string document = result_of(core, client, "rpc.discover");
  std::set<std::string> described;
  for (int i = 0; at(document, "/methods/" + std::to_string(i)) != "absent"; ++i)
    described.insert(at(document, "/methods/" + std::to_string(i) + "/name"));
  for (const std::string_view name : core.table.names())
    EXPECT_TRUE(described.contains(json_text(name))) << name;
}

TEST(BuiltinMethods, each_has_a_line_for_people_and_the_privileged_are_marked) {
  const Core core;
  std::set<std::string> privileged;
  for (const Method& method : core.table.methods()) {
    EXPECT_FALSE(method.summary.empty()) << method.name;
    if (method.privileged) privileged.insert(method.name);
  }
  EXPECT_EQ(privileged, (std::set<std::string>{"hub.broadcast", "hub.stats"}));
}

}  // namespace
}  // namespace hubbub
