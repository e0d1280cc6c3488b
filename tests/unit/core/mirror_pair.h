// A topic of one shard and a client on another that subscribes to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/core/shards_fixture.h"

namespace hubbub::test {

// Two shards, a topic of the first, and somebody on the second who subscribes to it.
struct MirrorPair {
  explicit MirrorPair(const Limits& limits = {}) : shards(2, limits) {}
  // The reply and what came with it.
  std::vector<std::string> subscribe(std::string_view more = {}) {
    return shards.exchange(kFar, reader, subscribe_text(topic, more));
  }
  void publish(int times = 1) {
    for (; times > 0; --times) ASSERT_TRUE(shards[kHome].hub.deliver(topic, "1"));
  }
  [[nodiscard]] std::string epoch() {
    return shards[kHome].hub.topics().history(topic, {}, 1)->position.epoch;
  }
  [[nodiscard]] std::string since(std::uint64_t offset) {
    return R"(,"since":{"epoch":")" + epoch() + R"(","offset":)" + std::to_string(offset) + "}";
  }
  // Sends the request without delivering anything between the shards.
  void ask(std::string_view more = {}) { shards[kFar].deliver(reader, subscribe_text(topic, more)); }

  Shards shards;
  std::string topic = shards.topic_at(kHome);
  Client& reader = shards[kFar].connect();
};

}  // namespace hubbub::test
