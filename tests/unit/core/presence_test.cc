#include "hubbub/core/presence.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::Core;
using test::subscribe_now;

void subscribe(Core& core, Client& client, std::optional<bool> presence = std::nullopt,
               std::string_view topic = "room") {
  ASSERT_TRUE(subscribe_now(core.hub.topics(), *client.session, topic, {.presence = presence}));
}

// As topic.presence is answered.
Members members_of(Core& core) {
  Members members;
  core.hub.broker().members("room", 100, [&members](Result<Members> told) { members = std::move(*told); });
  return members;
}

// A watcher that has been told of itself.
Client& watcher_of(Core& core, std::string_view topic = "room") {
  Client& watcher = core.connect();
  subscribe(core, watcher, true, topic);
  core.advance(core.limits.presence_interval_ms);
  watcher.link.take();
  return watcher;
}

// Applies a notice to what somebody knows of the members.
void follow(std::set<std::string>& members, const std::string& notice) {
  for (int i = 0;; ++i) {
    const std::string code = at(notice, "/params/joined/" + std::to_string(i));
    if (code == "absent") break;
    members.insert(code.substr(1, code.size() - 2));
  }
  for (int i = 0;; ++i) {
    const std::string code = at(notice, "/params/left/" + std::to_string(i));
    if (code == "absent") break;
    members.erase(code.substr(1, code.size() - 2));
  }
}

std::string list_of(const std::vector<std::string>& codes) {
  std::string out = "[";
  for (const std::string& code : codes) out += (out.size() > 1 ? ",\"" : "\"") + code + '"';
  return out + "]";
}

TEST(Presence, tells_who_joined_and_who_left_after_the_interval) {
  Core core;
  Client& stays = core.connect();
  subscribe(core, stays);
  Client& watcher = watcher_of(core);
  Client& comes = core.connect();
  subscribe(core, comes);
  core.hub.unsubscribe(*stays.session, "room");
  core.advance(core.limits.presence_interval_ms - 1);
  EXPECT_TRUE(watcher.link.take().empty());
  core.advance(1);
  EXPECT_EQ(
      watcher.link.take(),
      std::vector<std::string>{R"({"jsonrpc":"2.0","method":"topic.presence","params":{"topic":"room",)"
                               R"("count":2,"joined":)" +
                               list_of({comes.code()}) + R"(,"left":)" + list_of({stays.code()}) + "}}"});
  core.advance(10 * core.limits.presence_interval_ms);
  EXPECT_TRUE(watcher.link.take().empty()) << "nothing happened, nothing is told";
  EXPECT_TRUE(comes.link.take().empty()) << "who did not ask is not told";
  core.hub.check_invariants();
}

TEST(Presence, tells_a_new_watcher_of_itself_so_that_it_knows_the_count) {
  Core core;
  subscribe(core, core.connect());
  Client& watcher = core.connect();
  subscribe(core, watcher, true);
  core.advance(core.limits.presence_interval_ms);
  const auto told = watcher.link.take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(at(told[0], "/params/count"), "2");
  EXPECT_EQ(at(told[0], "/params/joined"), list_of({watcher.code()}));
}

TEST(Presence, does_not_tell_of_one_who_joined_and_left_in_one_interval) {
  Core core;
  Client& watcher = watcher_of(core);
  Client& visitor = core.connect();
  for (int i = 0; i < 3; ++i) {
    subscribe(core, visitor);
    core.hub.unsubscribe(*visitor.session, "room");
  }
  core.advance(core.limits.presence_interval_ms);
  EXPECT_TRUE(watcher.link.take().empty());
  subscribe(core, visitor);
  core.advance(core.limits.presence_interval_ms);
  EXPECT_EQ(watcher.link.take().size(), 1u);
  core.hub.unsubscribe(*visitor.session, "room");
  subscribe(core, visitor);
  core.advance(core.limits.presence_interval_ms);
  EXPECT_TRUE(watcher.link.take().empty()) << "left and came back";
}

TEST(Presence, leaves_no_ghost_with_one_who_asked_for_the_members_in_between) {
  Core core;
  Client& watcher = watcher_of(core);
  Client& visitor = core.connect();
  subscribe(core, visitor);
  EXPECT_EQ(members_of(core).count, 2u) << "the visitor is shown";
  core.hub.unsubscribe(*visitor.session, "room");
  core.advance(core.limits.presence_interval_ms);
  auto told = watcher.link.take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(at(told[0], "/params/left"), list_of({visitor.code()}));
  EXPECT_EQ(at(told[0], "/params/joined"), "absent");
  subscribe(core, visitor);
  core.advance(core.limits.presence_interval_ms);
  watcher.link.take();
  core.hub.unsubscribe(*visitor.session, "room");
  EXPECT_EQ(members_of(core).count, 1u) << "the visitor is missing";
  subscribe(core, visitor);
  core.hub.check_invariants();
  core.advance(core.limits.presence_interval_ms);
  told = watcher.link.take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(at(told[0], "/params/joined"), list_of({visitor.code()}));
  EXPECT_EQ(at(told[0], "/params/left"), "absent");
}

// Random joins, leaves and questions: whoever follows the notices from an answer on knows who is there.
TEST(Presence, followed_from_any_answer_tells_who_is_there) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    SeededRng rng(seed);
    Core core;
    Client& watcher = watcher_of(core);
    std::vector<Client*> others;
    for (int i = 0; i < 5; ++i) others.push_back(&core.connect());
    std::vector<bool> in(others.size(), false);
    std::vector<std::set<std::string>> followers;  // each began with an answer
    for (int step = 0; step < 300; ++step) {
      const std::size_t who = rng.next() % others.size();
      const std::uint64_t roll = rng.next() % 10;
      if (roll == 0 && followers.size() < 50) {
        const auto codes = members_of(core).codes;
        followers.emplace_back(codes.begin(), codes.end());
      } else if (roll == 1) {
        core.advance(core.limits.presence_interval_ms);
        for (const std::string& notice : watcher.link.take())
          for (std::set<std::string>& follower : followers) follow(follower, notice);
      } else if (in[who]) {
        core.hub.unsubscribe(*others[who]->session, "room");
        in[who] = false;
      } else {
        subscribe(core, *others[who]);
        in[who] = true;
      }
      core.hub.check_invariants();
    }
    core.advance(core.limits.presence_interval_ms);
    for (const std::string& notice : watcher.link.take())
      for (std::set<std::string>& follower : followers) follow(follower, notice);
    const auto codes = members_of(core).codes;
    for (const std::set<std::string>& follower : followers)
      ASSERT_EQ(follower, std::set<std::string>(codes.begin(), codes.end()));
  }
}

TEST(Presence, subscribing_again_is_not_joining_again) {
  Core core;
  Client& watcher = watcher_of(core);
  Client& member = core.connect();
  subscribe(core, member);
  subscribe(core, member);
  subscribe(core, watcher, true);
  core.advance(core.limits.presence_interval_ms);
  const auto told = watcher.link.take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(at(told[0], "/params/joined"), list_of({member.code()}));
}

TEST(Presence, a_member_in_its_grace_time_is_there_and_leaves_when_it_expires) {
  Core core({.grace_ms = 10'000});
  Client& watcher = watcher_of(core);
  Client& crashed = core.connect();
  const std::string code = crashed.code();
  subscribe(core, crashed);
  core.advance(core.limits.presence_interval_ms);
  watcher.link.take();
  core.disconnect(crashed);
  core.advance(9'999);
  EXPECT_TRUE(watcher.link.take().empty());
  core.advance(1);
  core.advance(core.limits.presence_interval_ms);
  const auto told = watcher.link.take();
  ASSERT_EQ(told.size(), 1u) << "no ghost";
  EXPECT_EQ(at(told[0], "/params/left"), list_of({code}));
  EXPECT_EQ(at(told[0], "/params/count"), "1");
  core.hub.check_invariants();
}

TEST(Presence, a_session_that_is_closed_leaves) {
  Core core;
  Client& watcher = watcher_of(core);
  Client& member = core.connect();
  subscribe(core, member);
  core.advance(core.limits.presence_interval_ms);
  watcher.link.take();
  core.hub.end(*member.session, 1000, "over");
  core.advance(core.limits.presence_interval_ms);
  const auto told = watcher.link.take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(at(told[0], "/params/left"), list_of({member.code()}));
}

TEST(Presence, lists_in_the_order_in_which_it_happened_up_to_presence_list) {
  Core core({.presence_list = 3});
  Client& watcher = watcher_of(core);
  std::vector<std::string> codes;
  for (int i = 0; i < 3; ++i) {
    Client& member = core.connect();
    subscribe(core, member);
    codes.push_back(member.code());
  }
  core.advance(core.limits.presence_interval_ms);
  auto told = watcher.link.take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(at(told[0], "/params/joined"), list_of(codes));
  EXPECT_EQ(at(told[0], "/params/more"), "absent") << "as many as the list takes";
  codes.clear();
  for (int i = 0; i < 4; ++i) {
    Client& member = core.connect();
    subscribe(core, member);
    if (i < 3) codes.push_back(member.code());
  }
  core.advance(core.limits.presence_interval_ms);
  told = watcher.link.take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(at(told[0], "/params/joined"), list_of(codes));
  EXPECT_EQ(at(told[0], "/params/more"), "true") << "one over";
  EXPECT_EQ(at(told[0], "/params/count"), "8");
}

TEST(Presence, a_later_choice_replaces_the_earlier_one_and_none_keeps_it) {
  Core core;
  Client& watcher = watcher_of(core);
  subscribe(core, watcher);
  subscribe(core, core.connect());
  core.advance(core.limits.presence_interval_ms);
  EXPECT_EQ(watcher.link.take().size(), 1u) << "not said: as before";
  subscribe(core, watcher, false);
  subscribe(core, core.connect());
  core.advance(core.limits.presence_interval_ms);
  EXPECT_TRUE(watcher.link.take().empty());
  core.hub.check_invariants();
}

TEST(Presence, topics_are_told_of_apart) {
  Core core;
  Client& watcher = watcher_of(core, "a");
  Client& member = core.connect();
  subscribe(core, member, std::nullopt, "b");
  core.advance(core.limits.presence_interval_ms);
  EXPECT_TRUE(watcher.link.take().empty());
}

TEST(Presence, costs_nothing_while_nobody_watches) {
  Core core;
  std::vector<Client*> members;
  for (int i = 0; i < 10; ++i) members.push_back(&core.connect());
  const std::int64_t frames = Frame::alive();
  const std::size_t timers = core.timers.size();
  for (Client* member : members) subscribe(core, *member);
  EXPECT_EQ(core.timers.size(), timers);
  core.advance(10 * core.limits.presence_interval_ms);
  EXPECT_EQ(Frame::alive(), frames);
}

TEST(Presence, watchers_share_one_frame) {
  Core core;
  std::vector<Client*> watchers;
  for (int i = 0; i < 10; ++i) watchers.push_back(&watcher_of(core));
  for (Client* watcher : watchers) watcher->link.take();
  const std::int64_t frames = Frame::alive();
  subscribe(core, core.connect());
  core.advance(core.limits.presence_interval_ms);
  EXPECT_EQ(Frame::alive(), frames + 1);
}

TEST(Presence, ten_thousand_who_join_and_leave_cost_each_watcher_one_message_an_interval) {
  constexpr std::size_t kMembers = 10'000;
  constexpr std::size_t kWatchers = 5;
  constexpr std::size_t kIntervals = 4;
  Core core;
  std::vector<Client*> watchers;
  for (std::size_t i = 0; i < kWatchers; ++i) watchers.push_back(&watcher_of(core));
  std::vector<Client*> members;
  for (std::size_t i = 0; i < kMembers; ++i) members.push_back(&core.connect());
  const std::uint64_t before = core.stats.deliveries;
  for (std::size_t i = 0; i < kMembers; ++i) {
    subscribe(core, *members[i]);
    if (i % (kMembers / kIntervals) == 0) core.advance(core.limits.presence_interval_ms);
  }
  core.advance(core.limits.presence_interval_ms);
  EXPECT_LE(core.stats.deliveries - before, (kIntervals + 1) * kWatchers);
  const std::uint64_t joined = core.stats.deliveries;
  for (Client* member : members) core.hub.end(*member->session, 1000, "over");
  core.advance(core.limits.presence_interval_ms);
  EXPECT_EQ(core.stats.deliveries - joined, kWatchers);
  const auto told = watchers[0]->link.take();
  EXPECT_EQ(at(told.back(), "/params/count"), std::to_string(kWatchers));
  EXPECT_EQ(at(told.back(), "/params/more"), "true");
  core.hub.check_invariants();
}

}  // namespace
}  // namespace hubbub
