// WebSocket values shared by decoder, encoder and connection: opcodes, close codes, frame headers (RFC 6455
// sections 5.2, 5.5 and 7.4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hubbub/base/frame.h"

namespace hubbub::wire {

enum class Opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA
};

// Longest control payload (RFC 6455 section 5.5) and longest close reason (2 bytes are the code).
inline constexpr std::size_t kControlPayloadMax = 125;
inline constexpr std::size_t kCloseReasonMax = kControlPayloadMax - 2;
// Server frames carry no mask: 2, 4 or 10 bytes.
inline constexpr std::size_t kServerHeaderMax = 10;
inline constexpr std::size_t kClientHeaderMax = 14;
// Bytes after every message view that may be read (not written): simdjson wants them.
inline constexpr std::size_t kReadPadding = 64;

// True if a peer may send this code in a Close frame (RFC 6455 section 7.4.1, IANA's registry; 3000-4999
// belong to libraries and applications).
[[nodiscard]] bool close_code_valid(std::uint16_t code) noexcept;

// Writes a server frame header (FIN set, no mask) for `size` payload bytes into `out`; returns its length.
// `compressed` sets RSV1 (RFC 7692 section 6).
std::size_t write_server_header(char (&out)[kServerHeaderMax], Opcode opcode, std::size_t size,
                                bool compressed = false) noexcept;

// One whole unfragmented server message of `size` payload bytes, which are still to be written.
[[nodiscard]] FrameDraft draft_frame(Opcode opcode, std::size_t size, bool compressed = false,
                                     Origin origin = {});
// One whole unfragmented server message.
[[nodiscard]] FrameRef make_frame(Opcode opcode, std::string_view payload, bool compressed = false,
                                  Origin origin = {});
// A Close frame; code 0: with empty payload. The reason is cut at kCloseReasonMax without splitting a UTF-8
// character.
[[nodiscard]] FrameRef make_close_frame(std::uint16_t code, std::string_view reason);

// Client side, for tests, tools and load generators: appends a masked frame to `out`.
void append_client_frame(std::string& out, Opcode opcode, std::string_view payload, std::uint32_t mask,
                         bool fin = true, bool rsv1 = false);

// XORs `data` with the mask whose first byte to use is mask byte `offset % 4` (RFC 6455 section 5.3). True if
// every byte is ASCII now.
bool unmask(char* data, std::size_t size, const unsigned char (&mask)[4], std::size_t offset) noexcept;

}  // namespace hubbub::wire
