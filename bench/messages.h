// What the load generator says and expects to hear: JSON-RPC to hubbub (docs/protocol.md, plain mode), or to
// the floor raw payloads of the same size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "bench/link.h"

namespace hubbub::bench {

enum class Target : std::uint8_t { hubbub, floor };

inline constexpr std::string_view kTopic = "bench";
inline constexpr std::string_view kEchoRequest =
    R"({"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":1}})";
// A publication's number in its data: fixed width, so that it stands at the same place of every delivery.
inline constexpr std::size_t kDigits = 12;

// A session's own notification that a server may send any time, and that is no answer to anything.
[[nodiscard]] inline bool is_ack(std::string_view text) {
  return text.find(R"("session.ack")") != std::string_view::npos;
}

// The next message that is no acknowledgement.
[[nodiscard]] inline Outcome<std::string> hear_answer(Link& link) {
  for (;;) {
    auto text = link.hear();
    if (!text || !is_ack(*text)) return text;
  }
}

// Opens a link ready for load: upgraded, and for hubbub with its session.opened heard.
[[nodiscard]] inline Outcome<Link> open_link(std::uint16_t port, Target target) {
  auto link = Link::open(port);
  if (!link || target == Target::floor) return link;
  const auto opened = hear_answer(*link);
  if (!opened) return std::unexpected(opened.error());
  if (opened->find(R"("session.opened")") == std::string::npos) {
    return std::unexpected(fmt::format("expected session.opened, got {}", *opened));
  }
  return link;
}

// `data`: the publication's digits and filling.
[[nodiscard]] inline std::string publish_message(Target target, std::string_view data) {
  if (target == Target::hubbub) {
    return fmt::format(
        R"({{"jsonrpc":"2.0","id":1,"method":"topic.publish","params":{{"topic":"{}","data":"{}"}}}})",
        kTopic, data);
  }
  // As long as the notification that hubbub's subscribers get; the floor looks at the first letter only.
  return fmt::format(
      R"(p"jsonrpc":"2.0","method":"topic.message","params":{{"topic":"{}","offset":100000,"data":"{}"}}}})",
      kTopic, data);
}

[[nodiscard]] inline Outcome<void> subscribe(Link& link, Target target) {
  const std::string request =
      target == Target::floor
          ? std::string("sub")
          : fmt::format(R"({{"jsonrpc":"2.0","id":1,"method":"topic.subscribe","params":{{"topic":"{}"}}}})",
                        kTopic);
  if (auto said = link.say(request); !said) return said;
  const auto answer = hear_answer(link);
  if (!answer) return std::unexpected(answer.error());
  const std::string_view wanted = target == Target::floor ? "ok" : R"("result")";
  if (answer->find(wanted) == std::string::npos)
    return std::unexpected(fmt::format("subscribe: {}", *answer));
  return {};
}

}  // namespace hubbub::bench
