#include "hubbub/wire/ws_codec.h"

#include <algorithm>
#include <bit>
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
Word xor_word(char* at, Word mask) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  word = static_cast<Word>(word ^ mask);
  std::memcpy(at, &word, sizeof word);
  return word;
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

FrameDraft draft_frame(Opcode opcode, std::size_t size, bool compressed, Origin origin) {
  char header[kServerHeaderMax];
  const std::size_t header_size = write_server_header(header, opcode, size, compressed);
  return {{header, header_size}, size, origin};
}

FrameRef make_frame(Opcode opcode, std::string_view payload, bool compressed, Origin origin) {
  FrameDraft draft = draft_frame(opcode, payload.size(), compressed, origin);
  draft.append(payload);
  return draft.finish();
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

bool unmask(char* data, std::size_t size, const unsigned char (&mask)[4], std::size_t offset) noexcept {
  std::uint32_t mask4 = 0;
  std::memcpy(&mask4, mask, sizeof mask4);
  const int turned = static_cast<int>(8 * (offset & 3));
  mask4 = std::endian::native == std::endian::little ? std::rotr(mask4, turned) : std::rotl(mask4, turned);
  const std::uint64_t mask8 = std::uint64_t{mask4} << 32 | mask4;
  std::uint64_t any = 0;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) any |= xor_word(data + i, mask8);
  if (size & 4) {
    any |= xor_word(data + i, mask4);
    i += 4;
  }
  unsigned char left[4];
  std::memcpy(left, &mask4, sizeof left);
  for (std::size_t k = 0; i < size; ++i, ++k) any |= xor_word(data + i, left[k]);
  return (any & 0x8080808080808080ULL) == 0;
}

}  // namespace hubbub::wire
