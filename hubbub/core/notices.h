// The notifications a server sends, encoded as frames: one function each, so that every message's members are
// spelled in one place (docs/protocol.md, "Messages"). `data` is raw JSON from a validated message and is
// passed on byte for byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hubbub/base/frame.h"
#include "hubbub/core/env.h"

namespace hubbub {

[[nodiscard]] FrameRef notification(std::string_view method, std::string_view params_json,
                                    Origin origin = {});
// session.message {from, data}
[[nodiscard]] FrameRef session_message(std::string_view from, std::string_view data);
// topic.message {topic, offset, data}; `serial` is the topic's, for the frame's Origin.
[[nodiscard]] FrameRef topic_message(std::string_view topic, std::uint64_t offset, std::string_view data,
                                     std::uint32_t serial = 0);
// hub.message {data}
[[nodiscard]] FrameRef hub_message(std::string_view data);
// session.draining {retry_after_ms}
[[nodiscard]] FrameRef draining_notice(Millis retry_after_ms);
// session.ack {received}
[[nodiscard]] FrameRef ack_notice(std::uint64_t received);
// session.gap {missing: {from, to, replies}}: the messages with these numbers (from 1) do not come any more;
// `replies`: there may be answers among them.
[[nodiscard]] FrameRef gap_notice(std::uint64_t from, std::uint64_t to, bool replies);
// session.closing {code, reason, retry_after_ms?}; retry_after_ms < 0: left out.
[[nodiscard]] FrameRef closing_notice(std::uint16_t code, std::string_view reason, Millis retry_after_ms);

}  // namespace hubbub
