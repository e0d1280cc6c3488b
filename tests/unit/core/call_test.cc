#include "hubbub/core/call.h"

#include <gtest/gtest.h>

#include <thread>
#include <type_traits>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::Client;
using test::Core;

// An answer can be given away and not copied; its second use ends the program (below).
static_assert(std::is_move_constructible_v<Reply<int>> && !std::is_copy_constructible_v<Reply<int>>);
static_assert(!std::is_copy_assignable_v<Reply<int>> && !std::is_move_assignable_v<Reply<int>>);

constexpr std::string_view kLater = R"({"jsonrpc":"2.0","id":1,"method":"later"})";
using Replies = std::vector<std::string>;

class World : public Core {
 public:
  explicit World(const Limits& with = {}) : Core(with) {
    table.add<NoParams, int>("later", [this](Call& call, const NoParams&) {
      later.emplace_back(call.defer<int>());
      return Deferred{};
    });
    table.add<NoParams, void>("later_void", [this](Call& call, const NoParams&) {
      later_void.emplace_back(call.defer<void>());
      return Deferred{};
    });
    table.add<RawJson, std::string>("about", [](Call& call, const RawJson&) {
      return std::string(call.method()) + ' ' + call.session().code().text() +
             (call.is_notification() ? " no id" : " id");
    });
  }
  ~World() {
    later.clear();
    later_void.clear();
  }
  std::vector<Reply<int>> later;
  std::vector<Reply<void>> later_void;
};

TEST(Call, tells_the_handler_what_it_serves) {
  World world;
  Client& client = world.connect();
  EXPECT_EQ(world.call(client, R"({"jsonrpc":"2.0","id":1,"method":"about"})"),
            R"({"jsonrpc":"2.0","id":1,"result":"about )" + client.code() + R"( id"})");
}

TEST(Reply, of_nothing_is_null) {
  World world;
  Client& client = world.connect();
  world.deliver(client, R"({"jsonrpc":"2.0","id":1,"method":"later_void"})");
  world.deliver(client, R"({"jsonrpc":"2.0","id":2,"method":"later_void"})");
  world.later_void[0].send();
  world.later_void[1].fail(make_error(Errc::timeout));
  const auto replies = client.link.take();
  EXPECT_EQ(replies.at(0), R"({"jsonrpc":"2.0","id":1,"result":null})");
  EXPECT_EQ(test::at(replies.at(1), "/error/code"), "-32002");
}

TEST(Reply, from_another_thread_arrives_in_a_later_turn_on_the_shard_s_thread) {
  World world;
  Client& client = world.connect();
  world.deliver(client, kLater);
  std::thread worker([reply = std::move(world.later[0])]() mutable { reply.send(7); });
  worker.join();
  EXPECT_TRUE(client.link.take().empty());
  EXPECT_EQ(world.poster->run(), 1u);
  EXPECT_EQ(client.link.take(), Replies{R"({"jsonrpc":"2.0","id":1,"result":7})"});
}

TEST(Reply, dropped_on_another_thread_answers_too) {
  World world;
  Client& client = world.connect();
  world.deliver(client, kLater);
  std::thread worker([reply = std::move(world.later[0])] {});
  worker.join();
  world.poster->run();
  EXPECT_EQ(test::at(client.link.take().at(0), "/error/code"), "-32603");
}

TEST(Reply, many_threads_answer_a_batch_which_is_sent_once) {
  World world;
  Client& client = world.connect();
  std::string batch = "[";
  for (int i = 0; i < 8; ++i) {
    if (i > 0) batch += ',';
    batch += R"({"jsonrpc":"2.0","id":)" + std::to_string(i) + R"(,"method":"later"})";
  }
  world.deliver(client, batch + "]");
  std::vector<std::thread> workers;
  for (int i = 0; i < 8; ++i)
    workers.emplace_back(
        [reply = std::move(world.later[static_cast<std::size_t>(i)]), i]() mutable { reply.send(i); });
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(world.poster->run(), 8u);
  const auto replies = client.link.take();
  ASSERT_EQ(replies.size(), 1u);
  for (int i = 0; i < 8; ++i) {
    const std::string item = test::at(replies[0], "/" + std::to_string(i));
    EXPECT_EQ(test::at(item, "/id"), test::at(item, "/result"));
  }
  EXPECT_EQ(test::at(replies[0], "/8"), "absent");
}

TEST(Reply, from_another_thread_after_the_session_is_gone_goes_nowhere) {
  World world({.grace_ms = 0});
  Client& client = world.connect();
  world.deliver(client, kLater);
  std::thread worker([reply = std::move(world.later[0])]() mutable { reply.send(7); });
  worker.join();
  world.disconnect(client);
  EXPECT_EQ(world.poster->run(), 1u);
  EXPECT_EQ(world.dispatcher.calls_in_flight(), 0u);
}

TEST(Reply, finds_a_closed_door_when_the_shard_has_ended) {
  std::vector<Reply<int>> late;
  std::shared_ptr<test::TestPoster> poster;
  {
    World world;
    Client& client = world.connect();
    world.deliver(client, kLater);
    world.deliver(client, R"({"jsonrpc":"2.0","id":2,"method":"later"})");
    late.swap(world.later);
    poster = world.poster;
  }
  std::thread early([reply = std::move(late[0])]() mutable { reply.send(7); });
  early.join();
  EXPECT_EQ(poster->run(), 1u) << "posted, and finds no dispatcher";
  poster->close();
  std::thread worker([reply = std::move(late[1])]() mutable { reply.send(7); });
  worker.join();
  EXPECT_EQ(poster->run(), 0u);
}

TEST(ReplyDeathTest, answering_twice_ends_the_program) {
  World world;
  Client& client = world.connect();
  world.deliver(client, kLater);
  world.later[0].send(1);
  EXPECT_DEATH(world.later[0].send(2), "desk_");
}

TEST(CallDeathTest, deferring_twice_ends_the_program) {
  World world;
  Client& client = world.connect();
  world.table.add<NoParams, int>("twice", [](Call& call, const NoParams&) {
    const auto first = call.defer<int>();
    const auto second = call.defer<int>();
    return Deferred{};
  });
  EXPECT_DEATH(world.deliver(client, R"({"jsonrpc":"2.0","id":1,"method":"twice"})"), "pending_");
}

}  // namespace
}  // namespace hubbub
