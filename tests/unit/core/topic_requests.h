// Requests about topics, and what came of them in short.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/core/core_fixture.h"

namespace hubbub::test {

inline std::string topic_request(std::string_view method, std::string_view params, int id = 1) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" + std::string(method) +
         R"(","params":)" + std::string(params) + "}";
}
inline std::string subscribe_request(std::string_view params, int id = 1) {
  return topic_request("topic.subscribe", params, id);
}

// Publishes 1, 2, … `count` to "news"; gives the topic's epoch.
inline std::string publish_numbers(Core& core, int count) {
  std::string epoch;
  for (int i = 1; i <= count; ++i) epoch = core.hub.deliver("news", std::to_string(i))->epoch;
  return epoch;
}

inline std::string since(std::string_view epoch, std::uint64_t offset) {
  return R"("since":{"epoch":")" + std::string(epoch) + R"(","offset":)" + std::to_string(offset) + "}";
}

// Replies as "reply", publications as their offsets, other notifications by name.
inline std::string told(const std::vector<std::string>& messages) {
  std::string out;
  for (const std::string& message : messages) {
    if (!out.empty()) out += ' ';
    const std::string method = at(message, "/method");
    if (method == R"("topic.message")")
      out += at(message, "/params/offset");
    else
      out += method == "absent" ? "reply" : method;
  }
  return out;
}

}  // namespace hubbub::test
