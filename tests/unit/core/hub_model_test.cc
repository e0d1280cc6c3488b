// The hub beside a model, under random use.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::Client;
using test::Core;

// The hub beside a model that knows nothing but sets.
class RandomHub {
 public:
  explicit RandomHub(std::uint64_t seed) : random_(seed) {}

  void step() {
    switch (random_.below(10)) {
      case 0:
      case 1:
        return open();
      case 2:
        return close();
      case 3:
        return core_.advance(static_cast<Millis>(random_.below(400)));
      case 4:
      case 5:
      case 6:
        return subscribe();
      case 7:
        return unsubscribe();
      default:
        return publish();
    }
  }

  void check() {
    core_.hub.check_invariants();
    std::size_t subscriptions = 0;
    for (const auto& [client, topics] : subscribed_) subscriptions += topics.size();
    EXPECT_EQ(core_.hub.counts().attached, subscribed_.size());
    EXPECT_GE(core_.hub.counts().subscriptions, subscriptions) << "detached ones keep theirs";
  }

  void wait_for_grace() {
    core_.advance(core_.limits.grace_ms);
    EXPECT_EQ(core_.hub.counts().detached, 0u);
    std::size_t subscriptions = 0;
    for (const auto& [client, topics] : subscribed_) subscriptions += topics.size();
    EXPECT_EQ(core_.hub.counts().subscriptions, subscriptions);
  }

 private:
  void open() { subscribed_[order_.emplace_back(&core_.connect())]; }

  Client* any() { return order_.empty() ? nullptr : order_[random_.below(order_.size())]; }
  std::string topic() { return "topic" + std::to_string(random_.below(6)); }

  void close() {
    Client* client = any();
    if (!client) return;
    if (random_.below(2) == 0) core_.hub.end(*client->session, 1000, "over");
    core_.disconnect(*client);
    subscribed_.erase(client);
    std::erase(order_, client);
  }

  void subscribe() {
    Client* client = any();
    if (!client) return;
    const std::string name = topic();
    auto& topics = subscribed_[client];
    const bool room = topics.contains(name) || topics.size() < core_.limits.topics_per_session;
    EXPECT_EQ(core_.hub.subscribe(*client->session, name).has_value(), room);
    if (room) topics.insert(name);
  }

  void unsubscribe() {
    Client* client = any();
    if (!client) return;
    const std::string name = topic();
    EXPECT_EQ(core_.hub.unsubscribe(*client->session, name), subscribed_[client].erase(name) == 1);
  }

  void publish() {
    const std::string name = topic();
    ASSERT_TRUE(core_.hub.deliver(name, "1").has_value());
    for (Client* client : order_)
      EXPECT_EQ(client->link.take().size(), subscribed_[client].contains(name) ? 1u : 0u);
  }

  SeededRng random_;
  Core core_{Limits{.grace_ms = 1000, .topics_per_session = 4, .topic_idle_ms = 300}};
  std::vector<Client*> order_;
  std::map<Client*, std::set<std::string>> subscribed_;
};

TEST(Hub, agrees_with_a_model_under_random_use) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    RandomHub hub(seed);
    for (int i = 0; i < 1000; ++i) {
      hub.step();
      if (i % 10 == 0) hub.check();
    }
    hub.check();
    hub.wait_for_grace();
    hub.check();
  }
}

}  // namespace
}  // namespace hubbub
