#include "hubbub/wire/ws_header.h"

#include <cstring>

namespace hubbub::wire {
namespace {

bool opcode_known(unsigned opcode) noexcept { return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xA); }

// Byte 0: FIN, RSV1-3, opcode. Returns what is wrong with it, or nullptr.
const char* check_first(unsigned first, HeaderRules rules) noexcept {
  const unsigned opcode = first & 0x0F;
  const bool control = opcode >= 0x8;
  if (first & 0x30) return "reserved bit set";
  if (!opcode_known(opcode)) return "reserved opcode";
  if ((first & 0x40) && (!rules.deflate || control || opcode == 0)) return "RSV1 where it has no meaning";
  if (control) return first & 0x80 ? nullptr : "fragmented control frame";
  if (rules.message_open) return opcode == 0 ? nullptr : "new message inside a fragmented one";
  return opcode == 0 ? "continuation of nothing" : nullptr;
}

// Byte 1: mask bit and short length.
const char* check_second(unsigned first, unsigned second) noexcept {
  if (!(second & 0x80)) return "frame without mask";
  if ((first & 0x08) && (second & 0x7F) > kControlPayloadMax) return "control frame over 125 bytes";
  return nullptr;
}

std::uint64_t read_big_endian(const char* from, std::size_t size) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(from[i]);
  return value;
}

const char* check_length(std::uint64_t length, std::size_t length_bytes) noexcept {
  if (length >> 63) return "length with its highest bit set";
  if (length < 126 || (length_bytes == 8 && length <= 0xFFFF)) return "length not in its shortest form";
  return nullptr;
}

FrameHeader bad(const char* problem) noexcept {
  FrameHeader header;
  header.status = HeaderStatus::bad;
  header.problem = problem;
  return header;
}

}  // namespace

FrameHeader parse_client_header(std::string_view bytes, HeaderRules rules) noexcept {
  if (bytes.empty()) return {};
  const unsigned first = static_cast<unsigned char>(bytes[0]);
  if (const char* problem = check_first(first, rules)) return bad(problem);
  if (bytes.size() < 2) return {};
  const unsigned second = static_cast<unsigned char>(bytes[1]);
  if (const char* problem = check_second(first, second)) return bad(problem);

  std::uint64_t length = second & 0x7F;
  const std::size_t length_bytes = length < 126 ? 0 : length == 126 ? 2 : 8;
  if (length_bytes > 0) {
    if (bytes.size() < 2 + length_bytes) return {};
    length = read_big_endian(bytes.data() + 2, length_bytes);
    if (const char* problem = check_length(length, length_bytes)) return bad(problem);
  }
  if (bytes.size() < 2 + length_bytes + 4) return {};

  FrameHeader header;
  header.status = HeaderStatus::complete;
  header.fin = first & 0x80;
  header.rsv1 = first & 0x40;
  header.opcode = static_cast<Opcode>(first & 0x0F);
  header.size = static_cast<std::uint8_t>(2 + length_bytes + 4);
  std::memcpy(header.mask, bytes.data() + 2 + length_bytes, 4);
  header.payload_size = length;
  return header;
}

}  // namespace hubbub::wire
