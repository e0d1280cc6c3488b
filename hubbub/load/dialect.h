// What is said to the server, and which of its messages count: the texts the user gave, or the dialect's own.
// The hubbub dialect is docs/protocol.md in as many words as it needs; raw expects a server that sends back
// what it gets, or sends it to everybody.
#pragma once

#include <string_view>

#include "hubbub/load/options.h"
#include "hubbub/load/recognizer.h"
#include "hubbub/load/workload.h"

namespace hubbub::load {

inline constexpr std::string_view kTopic = "bench";

// From the upgrade to a connection that is ready: the session, then --hello.
[[nodiscard]] Script opening_script(const Options& options);
// Becoming a subscriber.
[[nodiscard]] Step subscribe_step(const Options& options);
// One call and its answer, for connections that idle.
[[nodiscard]] Step call_step(const Options& options);

// hubbub's own: says `request` and waits for its answer.
[[nodiscard]] Step request_step(std::string_view request, bool counted);

[[nodiscard]] MessageTemplate echo_message(const Options& options);
[[nodiscard]] Recognizer echo_recognizer(const Options& options, const MessageTemplate& message);
[[nodiscard]] MessageTemplate publication(const Options& options);
[[nodiscard]] Recognizer delivery_recognizer(const Options& options, const MessageTemplate& message);
// True if every publication is answered, and the answers can be counted.
[[nodiscard]] bool publications_are_answered(const Options& options);

}  // namespace hubbub::load
