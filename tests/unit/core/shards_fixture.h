// Shards: several cores of one node, without threads: what one sends another waits in a queue until the test
// delivers it. A way can be made full.
//
// Each pair has its own queue, so a test decides which shard hears of something first; within a pair order is
// kept, as Neighbours promises. After a delivery the invariants of the hub concerned are checked.
#pragma once

#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/core/core_fixture.h"

namespace hubbub::test {

// Where a test's topic lives, and shards that are not that one.
constexpr ShardId kHome = 0;
constexpr ShardId kFar = 1;
constexpr ShardId kOther = 2;

inline std::string topic_params(std::string_view topic) {
  return R"({"topic":")" + std::string(topic) + R"("})";
}
inline std::string json_text(std::string_view text) { return '"' + std::string(text) + '"'; }

class FakeNeighbours final : public Neighbours {
 public:
  struct Message {
    HubTask task;  // empty: a publication
    FrameRef frame;
    std::size_t data_size = 0;
    bool counted = false;
  };
  struct Way {
    std::deque<Message> messages;
    std::size_t room = kUnlimited;  // counted messages that may wait
    std::size_t refused = 0;
    std::size_t publications = 0;  // sent so far
  };
  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

  FakeNeighbours(ShardId self, ShardId shards) : ways(shards), self_(self) {}

  [[nodiscard]] ShardId self() const override { return self_; }
  [[nodiscard]] bool ask(ShardId to, HubTask&& task, std::size_t) override {
    if (full(to)) return false;  // and the task stays with the caller
    ways[to].messages.push_back({.task = std::move(task), .frame = {}, .counted = true});
    return true;
  }
  void answer(ShardId to, HubTask task) override {
    HUBBUB_ASSERT(to != self_);
    ways[to].messages.push_back({.task = std::move(task), .frame = {}});
  }
  [[nodiscard]] bool deliver(ShardId to, const FrameRef& frame, std::size_t data_size) override {
    if (full(to)) return false;
    ways[to].messages.push_back({.task = {}, .frame = frame, .data_size = data_size, .counted = true});
    ++ways[to].publications;
    return true;
  }

  std::vector<Way> ways;

 private:
  [[nodiscard]] bool full(ShardId to) {
    HUBBUB_ASSERT(to != self_);
    Way& way = ways[to];
    const auto waiting = static_cast<std::size_t>(std::ranges::count(way.messages, true, &Message::counted));
    if (waiting < way.room) return false;
    ++way.refused;
    return true;
  }

  ShardId self_;
};

class Shards {
 public:
  explicit Shards(ShardId count, const Limits& limits = {}) : node(count, 7) {
    for (ShardId shard = 0; shard < count; ++shard) {
      ways_.push_back(std::make_unique<FakeNeighbours>(shard, count));
      cores_.push_back(std::make_unique<Core>(limits, node, *ways_.back()));
    }
  }

  Core& operator[](ShardId shard) { return *cores_[shard]; }
  [[nodiscard]] ShardId count() const { return static_cast<ShardId>(cores_.size()); }
  FakeNeighbours::Way& way(ShardId from, ShardId to) { return ways_[from]->ways[to]; }

  // The nth topic name whose home is that shard.
  [[nodiscard]] std::string topic_at(ShardId home, int n = 0) const {
    for (int i = 0;; ++i) {
      std::string name = "topic-" + std::to_string(i);
      if (node.home_of(name) == home && n-- == 0) return name;
    }
  }

  // Delivers the oldest message of that way; false if there is none.
  bool step(ShardId from, ShardId to) {
    auto& messages = way(from, to).messages;
    if (messages.empty()) return false;
    FakeNeighbours::Message message = std::move(messages.front());
    messages.pop_front();
    Hub& hub = cores_[to]->hub;
    if (message.task)
      message.task(hub);
    else
      hub.topics().mirrors().on_publication(message.frame, message.data_size);
    hub.finish_turn();
    hub.check_invariants();
    return true;
  }
  // Delivers all of that way.
  void flow(ShardId from, ShardId to) {
    for (int bound = 0; step(from, to); ++bound) HUBBUB_ASSERT(bound < kStepsMax);
  }
  // Delivers until nothing is on the way.
  void settle() {
    bool moved = true;
    for (int bound = 0; moved; ++bound) {
      HUBBUB_ASSERT(bound < kStepsMax);
      moved = false;
      for (ShardId from = 0; from < count(); ++from)
        for (ShardId to = 0; to < count(); ++to) moved |= step(from, to);
    }
  }
  // The way takes that many more; what was refused is offered again, as a shard does at the end of a turn.
  void make_room(ShardId from, ShardId to, std::size_t room = FakeNeighbours::kUnlimited) {
    way(from, to).room = room;
    cores_[from]->hub.topics().mirrors().catch_up(to);
  }

  void advance(Millis ms) {
    for (auto& core : cores_) core->advance(ms);
  }
  // A request or notification, and all the client has got once the shards have nothing left to do.
  std::vector<std::string> exchange(ShardId shard, Client& client, std::string_view text) {
    cores_[shard]->deliver(client, text);
    settle();
    return client.link.take();
  }
  void check_invariants() {
    for (auto& core : cores_) core->hub.check_invariants();
  }

  static constexpr int kStepsMax = 100'000;
  Node node;

 private:
  std::vector<std::unique_ptr<FakeNeighbours>> ways_;
  std::vector<std::unique_ptr<Core>> cores_;
};

// {"jsonrpc":"2.0","id":ID,"method":METHOD,"params":PARAMS}
inline std::string request(int id, std::string_view method, std::string_view params) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" + std::string(method) +
         R"(","params":)" + std::string(params) + "}";
}
inline std::string subscribe_text(std::string_view topic, std::string_view more = {}) {
  return request(1, "topic.subscribe", R"({"topic":")" + std::string(topic) + '"' + std::string(more) + '}');
}
inline std::string publish_text(std::string_view topic, int data, int id = 2) {
  return request(id, "topic.publish",
                 R"({"topic":")" + std::string(topic) + R"(","data":)" + std::to_string(data) + '}');
}
// The offsets of the topic.message among `messages`, in order: "1 2 3".
inline std::string offsets(const std::vector<std::string>& messages) {
  std::string out;
  for (const std::string& message : messages)
    if (at(message, "/method") == R"("topic.message")")
      out += (out.empty() ? "" : " ") + at(message, "/params/offset");
  return out;
}
// The message that answers request `id`; "" if none does.
inline std::string reply_to(const std::vector<std::string>& messages, int id = 1) {
  for (const std::string& message : messages)
    if (at(message, "/id") == std::to_string(id)) return message;
  return {};
}

}  // namespace hubbub::test
