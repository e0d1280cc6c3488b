#include "hubbub/wire/ws_codec.h"

#include <algorithm>
#include <cstring>

#include "hubbub/wire/utf8.h"

namespace hubbub::wire {
namespace {

constexpr unsigned char kFin = 0x80;
constexpr unsigned char kRsv1 = 0x40;
constexpr unsigned char kMasked = 0x80;

// Everything before the mask: first byte, length in its shortest form (RFC 6455 section 5.2).
std::size_t write_header(char* out, unsigned char first, unsigned char mask_bit, std::size_t size) noexcept {
  out[0] = static_cast<char>(first);
  if (size < 126) {
    out[1] = static_cast<char>(mask_bit | size);
    return 2;
  }
  const bool wide = size > 0xFFFF;
  out[1] = static_cast<char>(mask_bit | (wide ? 127U : 126U));
  const std::size_t length_bytes = wide ? 8 : 2;
  for (std::size_t i = 0; i < length_bytes; ++i)
    out[2 + i] = static_cast<char>(static_cast<std::uint64_t>(size) >> (8 * (length_bytes - 1 - i)));
  return 2 + length_bytes;
}

unsigned char first_byte(Opcode opcode, bool fin, bool rsv1) noexcept {
  return static_cast<unsigned char>((fin ? kFin : 0U) | (rsv1 ? kRsv1 : 0U) | static_cast<unsigned>(opcode));
}

template <class Word>
void xor_word(char* at, Word mask) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  word = static_cast<Word>(word ^ mask);
  std::memcpy(at, &word, sizeof word);
}

}  // namespace

bool close_code_valid(std::uint16_t code) noexcept {
  if (code >= 3000) return code <= 4999;  // libraries and applications
  if (code >= 1007) return code <= 1014;  // 1012-1014: IANA's registry; 1015 is never sent
  return code >= 1000 && code <= 1003;    // 1004 is reserved, 1005 and 1006 are never sent
}

std::size_t write_server_header(char (&out)[kServerHeaderMax], Opcode opcode, std::size_t size,
                                bool compressed) noexcept {
  return write_header(out, first_byte(opcode, true, compressed), 0, size);
}

FrameRef make_frame(Opcode opcode, std::string_view payload, bool compressed, Origin origin) {
  char header[kServerHeaderMax];
  const std::size_t size = write_server_header(header, opcode, payload.size(), compressed);
  return Frame::make({header, size}, payload, origin);
}

FrameRef make_close_frame(std::uint16_t code, std::string_view reason) {
  if (code == 0) return make_frame(Opcode::close, {});
  const std::string_view kept = utf8_prefix(reason, kCloseReasonMax);
  char payload[kControlPayloadMax];
  payload[0] = static_cast<char>(code >> 8);
  payload[1] = static_cast<char>(code & 0xFF);
  std::copy(kept.begin(), kept.end(), payload + 2);
  return make_frame(Opcode::close, {payload, kept.size() + 2});
}

void append_client_frame(std::string& out, Opcode opcode, std::string_view payload, std::uint32_t mask,
                         bool fin, bool rsv1) {
  char header[kClientHeaderMax];
  std::size_t size = write_header(header, first_byte(opcode, fin, rsv1), kMasked, payload.size());
  unsigned char key[4];
  for (unsigned i = 0; i < 4; ++i) {
    key[i] = static_cast<unsigned char>(mask >> (24 - 8 * i));
    header[size++] = static_cast<char>(key[i]);
  }
  out.append(header, size);
  const std::size_t start = out.size();
  out.append(payload);
  unmask(out.data() + start, payload.size(), key, 0);
}

void unmask(char* data, std::size_t size, const unsigned char (&mask)[4], std::size_t offset) noexcept {
  unsigned char rotated[8];
  for (std::size_t i = 0; i < sizeof rotated; ++i) rotated[i] = mask[(offset + i) & 3];
  std::uint64_t mask8 = 0;
  std::uint32_t mask4 = 0;
  std::uint16_t mask2 = 0;
  std::memcpy(&mask8, rotated, sizeof mask8);
  std::memcpy(&mask4, rotated, sizeof mask4);
  std::memcpy(&mask2, rotated, sizeof mask2);
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) xor_word(data + i, mask8);
  if (size & 4) {
    xor_word(data + i, mask4);
    i += 4;
  }
  if (size & 2) {
    xor_word(data + i, mask2);
    i += 2;
  }
  if (size & 1) data[i] = static_cast<char>(static_cast<unsigned char>(data[i]) ^ rotated[i & 3]);
}

}  // namespace hubbub::wire
