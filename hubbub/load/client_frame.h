// WebSocket frames seen from the client (RFC 6455 section 5.2): writing masked ones, and looking at the front
// of what a server sent. Minimal by intent: it judges a server's framing only where not doing so would
// miscount.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hubbub/wire/ws_codec.h"

namespace hubbub::load {

using wire::Opcode;

// All frames of the generator carry the same mask: a server must unmask any, and cannot know.
inline constexpr std::array<unsigned char, 4> kMask{0x37, 0xFA, 0x21, 0x3D};

enum class FrameStatus : std::uint8_t { need_more, complete, bad };

struct ServerFrame {
  bool fin = false;
  bool rsv1 = false;
  std::uint8_t opcode = 0;
  std::size_t size = 0;      // header and payload; 0 while the header is not all there
  std::string_view payload;  // set if complete
};

// `bad`: masked, as only a client's frame may be (section 5.1), or longer than memory.
[[nodiscard]] inline FrameStatus parse_server_frame(std::string_view in, ServerFrame& out) {
  out.size = 0;
  if (in.size() < 2) return FrameStatus::need_more;
  const auto byte = [in](std::size_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(in[i]));
  };
  std::uint64_t length = byte(1);
  if (length > 127) return FrameStatus::bad;
  std::size_t header = 2;
  if (length >= 126) {
    header = length == 126 ? 4 : 10;
    if (in.size() < header) return FrameStatus::need_more;
    length = 0;
    for (std::size_t i = 2; i < header; ++i) length = (length << 8) | byte(i);
    if (length > (1ULL << 40)) return FrameStatus::bad;
  }
  out.size = header + static_cast<std::size_t>(length);
  if (in.size() < out.size) return FrameStatus::need_more;
  out.fin = (byte(0) & 0x80) != 0;
  out.rsv1 = (byte(0) & 0x40) != 0;
  out.opcode = static_cast<std::uint8_t>(byte(0) & 0x0F);
  out.payload = in.substr(header, static_cast<std::size_t>(length));
  return FrameStatus::complete;
}

// Appends a whole masked frame (section 5.3).
void append_client_frame(std::string& out, Opcode opcode, std::string_view payload);

}  // namespace hubbub::load
