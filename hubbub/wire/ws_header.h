// The header of a client's frame (RFC 6455 section 5.2). parse_client_header() looks at the bytes there are,
// keeps no state and reports a violation at the first byte that shows it; so the outcome does not depend on
// how they were cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hubbub/wire/ws_codec.h"

namespace hubbub::wire {

enum class HeaderStatus : std::uint8_t { need_more, complete, bad };

// What the connection's state lets a frame be.
struct HeaderRules {
  bool deflate;       // permessage-deflate was agreed: RSV1 may mark the first frame of a message (RFC 7692
                      // section 6)
  bool message_open;  // inside a fragmented message: the next data frame must be a continuation (section 5.4)
};

struct FrameHeader {
  HeaderStatus status = HeaderStatus::need_more;
  bool fin = false;
  bool rsv1 = false;
  Opcode opcode = Opcode::continuation;
  std::uint8_t size = 0;  // bytes of the header itself, mask included
  unsigned char mask[4] = {};
  std::uint64_t payload_size = 0;
  const char* problem = nullptr;  // bad: what was wrong, for the close reason
};

[[nodiscard]] inline bool is_control(Opcode opcode) noexcept { return static_cast<unsigned>(opcode) >= 0x8; }

// All fields are set if the status is `complete`; `problem` if it is `bad`. No length is trusted here: the
// caller compares payload_size with its bound.
[[nodiscard]] FrameHeader parse_client_header(std::string_view bytes, HeaderRules rules) noexcept;

}  // namespace hubbub::wire
