// What one turn publishes to a topic with many subscribers is pushed in one pass (Topics::Run): order and
// membership are as if each publication had been pushed at once.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::at;
using test::Client;
using test::Core;
using test::send_to;

class TopicsRun : public ::testing::Test {
 protected:
  TopicsRun() {
    for (int i = 0; i < 100; ++i) {
      clients.push_back(&core.connect());
      subscribe(*clients.back(), "big");
    }
  }
  void subscribe(Client& client, std::string_view topic) {
    EXPECT_TRUE(core.hub.subscribe(*client.session, topic));
  }
  void publish(std::string_view topic, std::string_view data) { ASSERT_TRUE(core.hub.deliver(topic, data)); }
  // The `data` of all that waits for a client, oldest first.
  static std::string waiting(const Client& client) {
    std::string all;
    const Outbox& outbox = client.session->outbox();
    for (std::uint64_t i = outbox.sent(); i < outbox.tail(); ++i)
      all += at(outbox.at(i)->payload(), "/params/data") + ' ';
    return all;
  }

  Core core;
  std::vector<Client*> clients;
};

TEST_F(TopicsRun, is_pushed_to_each_in_order_at_the_end_of_the_turn) {
  for (const char* data : {"1", "2", "3"}) publish("big", data);
  EXPECT_EQ(waiting(*clients[0]), "");
  core.hub.finish_turn();
  for (const Client* client : clients) EXPECT_EQ(waiting(*client), "1 2 3 ");
  EXPECT_EQ(core.stats.deliveries, 300U);
  core.hub.finish_turn();
  EXPECT_EQ(waiting(*clients[0]), "1 2 3 ");
}

TEST_F(TopicsRun, longer_than_its_bound_is_pushed_in_pieces) {
  std::string all;
  for (int i = 0; i < 100; ++i) {
    publish("big", std::to_string(i));
    all += std::to_string(i) + ' ';
  }
  EXPECT_NE(waiting(*clients[0]), "") << "not all of it waits for the end of the turn";
  core.hub.finish_turn();
  EXPECT_EQ(waiting(*clients[99]), all);
}

TEST_F(TopicsRun, comes_before_what_is_published_or_sent_later) {
  subscribe(*clients[0], "other");
  publish("big", "1");
  publish("other", "2");
  publish("big", "3");
  ASSERT_TRUE(send_to(core.hub, clients[0]->session->code().text(), "somebody", "4"));
  publish("big", "5");
  EXPECT_EQ(core.hub.deliver_to_all(hub_message("6")), 100U);
  EXPECT_EQ(waiting(*clients[0]), "1 2 3 4 5 6 ");
  EXPECT_EQ(waiting(*clients[1]), "1 3 5 6 ");
}

TEST_F(TopicsRun, reaches_those_who_were_subscribed_when_it_was_published) {
  Client& late = core.connect();
  publish("big", "1");
  EXPECT_TRUE(core.hub.unsubscribe(*clients[0]->session, "big"));
  publish("big", "2");
  subscribe(late, "big");
  publish("big", "3");
  core.hub.finish_turn();
  EXPECT_EQ(waiting(*clients[0]), "1 ");
  EXPECT_EQ(waiting(*clients[1]), "1 2 3 ");
  EXPECT_EQ(waiting(late), "3 ");
}

TEST_F(TopicsRun, is_not_lost_by_a_session_that_is_cut_in_the_same_turn) {
  publish("big", "1");
  Session& session = *clients[0]->session;
  core.disconnect(*clients[0]);
  core.hub.finish_turn();
  EXPECT_EQ(session.outbox().unsent(), 1U);
  core.hub.check_invariants();
}

}  // namespace
}  // namespace hubbub
