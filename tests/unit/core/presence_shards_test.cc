// Presence across shards: who is told of whom, and what is said when a report finds no room.
#include <gtest/gtest.h>

#include "hubbub/core/broker.h"
#include "tests/unit/core/shards_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::json_text;
using test::kFar;
using test::kHome;
using test::kOther;
using test::offsets;
using test::reply_to;
using test::request;
using test::Shards;
using test::subscribe_text;
using test::topic_params;

// Three shards, and a topic of the first.
struct Room {
  Client& join(ShardId shard, bool watching = false) {
    Client& client = shards[shard].connect();
    shards.exchange(shard, client, subscribe_text(topic, watching ? R"(,"presence":true)" : ""));
    return client;
  }
  void leave(ShardId shard, Client& client) {
    ASSERT_TRUE(shards[shard].hub.unsubscribe(*client.session, topic));
    shards.settle();
  }
  // The one topic.presence that comes within presence.interval; "" if none does.
  std::string notice(Client& client) {
    shards.advance(shards[kHome].limits.presence_interval_ms);
    shards.settle();
    const auto told = client.link.take();
    EXPECT_LE(told.size(), 1u);
    return told.empty() ? "" : at(told[0], "/params");
  }

  Shards shards{3};
  std::string topic = shards.topic_at(kHome);
};

TEST(PresenceShards, a_watcher_far_from_home_hears_of_joins_and_leaves_on_every_shard) {
  Room room;
  Client& watcher = room.join(kFar, true);
  room.notice(watcher);  // perhaps of itself
  Client& home = room.join(kHome);
  Client& far = room.join(kFar);
  Client& other = room.join(kOther);
  const std::string came = room.notice(watcher);
  EXPECT_EQ(at(came, "/count"), "4");
  EXPECT_EQ(at(came, "/joined"),
            '[' + json_text(home.code()) + ',' + json_text(far.code()) + ',' + json_text(other.code()) + ']');
  room.leave(kHome, home);
  room.leave(kFar, far);
  room.leave(kOther, other);
  const std::string went = room.notice(watcher);
  EXPECT_EQ(at(went, "/count"), "1");
  EXPECT_EQ(at(went, "/left"),
            '[' + json_text(home.code()) + ',' + json_text(far.code()) + ',' + json_text(other.code()) + ']');
}

TEST(PresenceShards, a_watcher_hears_of_itself_wherever_the_topic_s_home_is) {
  for (const ShardId shard : {kHome, kFar}) {
    Room room;
    Client& watcher = room.join(shard, true);
    EXPECT_EQ(at(room.notice(watcher), "/joined"), '[' + json_text(watcher.code()) + ']') << shard;
  }
}

// A client that has its answer may act on it: what follows on that shard is told, heard of by the home or
// not.
TEST(PresenceShards, a_leave_right_behind_the_answer_is_told_before_the_home_knows_who_watches) {
  Room room;
  Client& watcher = room.join(kFar);
  Client& one = room.join(kFar);
  room.shards[kFar].deliver(watcher, subscribe_text(room.topic, R"(,"presence":true)"));
  EXPECT_EQ(watcher.link.take().size(), 1u);
  ASSERT_TRUE(room.shards[kFar].hub.unsubscribe(*one.session, room.topic));
  room.shards.settle();
  EXPECT_EQ(at(room.notice(watcher), "/left"), '[' + json_text(one.code()) + ']');
}

TEST(PresenceShards, watching_again_before_the_home_said_no_reports_go_on) {
  Room room;
  Client& watcher = room.join(kFar, true);
  Client& one = room.join(kFar);
  room.notice(watcher);
  room.shards[kFar].deliver(watcher, subscribe_text(room.topic, R"(,"presence":false)"));
  room.shards.flow(kFar, kHome);
  room.shards[kFar].deliver(watcher, subscribe_text(room.topic, R"(,"presence":true)"));
  room.shards.flow(kHome, kFar);  // the home's "no"
  ASSERT_TRUE(room.shards[kFar].hub.unsubscribe(*one.session, room.topic));
  room.shards.settle();
  watcher.link.take();
  EXPECT_EQ(at(room.notice(watcher), "/left"), '[' + json_text(one.code()) + ']');
}

TEST(PresenceShards, a_report_that_finds_no_room_is_made_good_by_more) {
  Room room;
  Client& watcher = room.join(kHome, true);
  Client& one = room.join(kFar);
  room.join(kFar);  // keeps the mirror
  room.notice(watcher);
  room.shards.way(kFar, kHome).room = 0;
  ASSERT_TRUE(room.shards[kFar].hub.unsubscribe(*one.session, room.topic));
  room.join(kOther);
  EXPECT_EQ(at(room.notice(watcher), "/count"), "4") << "the home has not heard of it";
  room.shards.make_room(kFar, kHome);
  room.shards.settle();
  const std::string told = room.notice(watcher);
  EXPECT_EQ(at(told, "/count"), "3");
  EXPECT_EQ(at(told, "/more"), "true");
  EXPECT_EQ(at(told, "/left"), "absent");
}

TEST(PresenceShards, a_report_that_found_no_room_is_made_good_also_if_its_mirror_leaves) {
  Room room;
  Client& watcher = room.join(kHome, true);
  Client& one = room.join(kFar);
  room.notice(watcher);
  room.shards.way(kFar, kHome).room = 0;
  ASSERT_TRUE(room.shards[kFar].hub.unsubscribe(*one.session, room.topic));
  room.shards.advance(2000);  // nobody there needs the topic any more
  room.shards.settle();
  const std::string told = room.notice(watcher);
  EXPECT_EQ(at(told, "/count"), "1");
  EXPECT_EQ(at(told, "/more"), "true");
}

TEST(PresenceShards, a_notification_that_finds_no_room_is_made_good_by_more) {
  Room room;
  Client& watcher = room.join(kFar, true);
  room.notice(watcher);
  room.shards.way(kHome, kFar).room = 0;
  room.join(kHome);
  EXPECT_EQ(room.notice(watcher), "");
  room.join(kOther);
  EXPECT_EQ(room.notice(watcher), "");
  room.shards.make_room(kHome, kFar, 0);
  room.shards.make_room(kHome, kFar);
  room.shards.settle();
  const auto told = watcher.link.take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(at(told[0], "/params/count"), "3");
  EXPECT_EQ(at(told[0], "/params/more"), "true");
  Client& later = room.join(kHome);
  const std::string next = room.notice(watcher);
  EXPECT_EQ(at(next, "/joined"), '[' + json_text(later.code()) + ']');
  EXPECT_EQ(at(next, "/more"), "absent");
}

TEST(PresenceShards, who_was_there_before_anybody_watched_is_counted_and_told_when_it_leaves) {
  Room room;
  Client& before = room.join(kOther);
  Client& watcher = room.join(kHome, true);
  room.notice(watcher);
  Client& later = room.join(kFar);
  EXPECT_EQ(at(room.notice(watcher), "/count"), "3");
  room.leave(kOther, before);
  const std::string went = room.notice(watcher);
  EXPECT_EQ(at(went, "/count"), "2");
  EXPECT_EQ(at(went, "/left"), '[' + json_text(before.code()) + ']');
  room.leave(kFar, later);
}

TEST(PresenceShards, watchers_on_several_shards_hear_the_same_until_they_stop) {
  Room room;
  Client& far = room.join(kFar, true);
  Client& other = room.join(kOther, true);
  room.notice(far);
  other.link.take();
  room.join(kHome);
  const std::string told = room.notice(far);
  const auto same = other.link.take();
  ASSERT_EQ(same.size(), 1u);
  EXPECT_EQ(at(same[0], "/params"), told);
  room.shards.exchange(kFar, far, subscribe_text(room.topic, R"(,"presence":false)"));
  room.join(kHome);
  EXPECT_EQ(room.notice(far), "");
  EXPECT_EQ(other.link.take().size(), 1u);
}

TEST(PresenceShards, nobody_reports_to_a_home_where_nobody_watches_any_more) {
  Room room;
  Client& watcher = room.join(kFar, true);
  Client& other = room.join(kOther);
  room.notice(watcher);
  room.leave(kFar, watcher);
  const auto asked = [&] { return room.shards.way(kOther, kHome).messages.size(); };
  ASSERT_TRUE(room.shards[kOther].hub.unsubscribe(*other.session, room.topic));
  EXPECT_EQ(asked(), 0u);
}

TEST(PresenceShards, a_watcher_s_end_ends_its_watch) {
  Room room;
  Client& watcher = room.join(kFar, true);
  room.notice(watcher);
  room.shards[kFar].hub.end(*watcher.session, 1000, "bye");
  room.shards[kFar].disconnect(watcher);
  room.shards.settle();
  room.join(kHome);
  room.shards.advance(5000);
  room.shards.settle();
  room.shards.check_invariants();
}

// What a watcher asks for and what it is told must leave no hole: who comes after the list was made is told.
TEST(PresenceShards, one_that_joins_after_a_far_watcher_asked_who_is_there_is_told_to_it) {
  Room room;
  room.join(kFar);
  Client& watcher = room.shards[kFar].connect();
  room.shards[kFar].deliver(watcher, subscribe_text(room.topic, R"(,"presence":true)"));
  room.shards[kFar].deliver(watcher, request(5, "topic.presence", topic_params(room.topic)));
  // Nothing of that has reached the home yet.
  Client& late = room.shards[kFar].connect();
  room.shards[kFar].deliver(late, subscribe_text(room.topic));
  room.shards.settle();
  const bool listed = reply_to(watcher.link.take(), 5).contains(late.code());
  EXPECT_TRUE(room.notice(watcher).contains(late.code()) || listed);
}

TEST(PresenceShards, one_that_gives_up_before_its_subscription_begins_is_not_told_of) {
  Room room;
  Client& watcher = room.join(kHome, true);
  room.join(kFar);
  room.notice(watcher);
  ASSERT_TRUE(room.shards[kHome].hub.deliver(room.topic, "1"));  // on its way to the mirror
  const std::string epoch = room.shards[kHome].hub.topics().history(room.topic, {}, 1)->position.epoch;
  Client& ahead = room.shards[kFar].connect();
  room.shards[kFar].deliver(
      ahead, subscribe_text(room.topic, R"(,"since":{"epoch":")" + epoch + R"(","offset":1})"));
  room.leave(kFar, ahead);
  watcher.link.take();
  EXPECT_EQ(room.notice(watcher), "");
}

TEST(PresenceShards, topic_presence_lists_and_counts_the_members_of_all_shards) {
  Room room;
  std::vector<std::string> codes;
  for (const ShardId shard : {kHome, kFar, kOther}) codes.push_back(room.join(shard).code());
  Client& asks = room.shards[kFar].connect();
  const std::string reply =
      reply_to(room.shards.exchange(kFar, asks, request(1, "topic.presence", topic_params(room.topic))));
  EXPECT_EQ(at(reply, "/result/count"), "3");
  for (const std::string& code : codes) EXPECT_TRUE(reply.contains(json_text(code)));
}

TEST(PresenceShards, topic_presence_lists_at_most_presence_members_of_all_shards_together) {
  Shards shards(2, {.presence_members = 3});
  const std::string topic = shards.topic_at(kHome);
  for (const ShardId shard : {kHome, kFar})
    for (int i = 0; i < 2; ++i) shards.exchange(shard, shards[shard].connect(), subscribe_text(topic));
  const std::string reply = reply_to(
      shards.exchange(kFar, shards[kFar].connect(), request(1, "topic.presence", topic_params(topic))));
  EXPECT_EQ(at(reply, "/result/count"), "4");
  EXPECT_NE(at(reply, "/result/members/2"), "absent");
  EXPECT_EQ(at(reply, "/result/members/3"), "absent");
}

}  // namespace
}  // namespace hubbub
