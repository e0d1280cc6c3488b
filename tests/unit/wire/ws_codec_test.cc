#include "hubbub/wire/ws_codec.h"

#include <gtest/gtest.h>

#include <set>

#include "hubbub/wire/ws_header.h"

namespace hubbub::wire {
namespace {

using std::string_literals::operator""s;

std::string server_header(Opcode opcode, std::size_t size, bool compressed = false) {
  char out[kServerHeaderMax];
  return {out, write_server_header(out, opcode, size, compressed)};
}

TEST(WsCodec, lengths_take_their_shortest_form) {
  EXPECT_EQ(server_header(Opcode::text, 0), "\x81\x00"s);
  EXPECT_EQ(server_header(Opcode::text, 125), "\x81\x7D"s);
  EXPECT_EQ(server_header(Opcode::text, 126), "\x81\x7E\x00\x7E"s);
  EXPECT_EQ(server_header(Opcode::text, 65535), "\x81\x7E\xFF\xFF"s);
  EXPECT_EQ(server_header(Opcode::text, 65536), "\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s);
  EXPECT_EQ(server_header(Opcode::binary, 0x123456789AULL), "\x82\x7F\x00\x00\x00\x12\x34\x56\x78\x9A"s);
}

TEST(WsCodec, rsv1_marks_a_compressed_message) {
  EXPECT_EQ(server_header(Opcode::text, 3, true), "\xC1\x03"s);
}

TEST(WsCodec, frame_is_header_and_payload) {
  const FrameRef frame = make_frame(Opcode::ping, "abc");
  EXPECT_EQ(frame->wire(),
            "\x89\x03"
            "abc");
  EXPECT_EQ(frame->payload(), "abc");
}

TEST(WsCodec, close_frame_holds_code_and_reason) {
  EXPECT_EQ(make_close_frame(1000, "bye")->wire(),
            "\x88\x05\x03\xE8"
            "bye");
  EXPECT_EQ(make_close_frame(4512, "")->payload(), "\x11\xA0");
  EXPECT_EQ(make_close_frame(0, "ignored")->wire(), "\x88\x00"s);
}

TEST(WsCodec, close_reason_is_cut_between_characters) {
  EXPECT_EQ(make_close_frame(1000, std::string(123, 'x'))->payload().size(), 125U);
  EXPECT_EQ(make_close_frame(1000, std::string(124, 'x'))->payload().size(), 125U);
  const std::string euro = "\xE2\x82\xAC";
  for (std::size_t before = 118; before <= 123; ++before) {
    const std::string reason = std::string(before, 'x') + euro + euro;
    const std::string kept(make_close_frame(1000, reason)->payload().substr(2));
    EXPECT_LE(kept.size(), kCloseReasonMax);
    EXPECT_GT(kept.size(), kCloseReasonMax - 3);
    EXPECT_EQ((kept.size() - before) % 3, 0U) << before;
    EXPECT_TRUE(reason.starts_with(kept));
  }
}

TEST(WsCodec, only_codes_that_may_be_sent_are_valid) {
  std::set<std::uint16_t> valid = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014};
  for (std::uint32_t code = 0; code <= 65535; ++code) {
    const auto code16 = static_cast<std::uint16_t>(code);
    EXPECT_EQ(close_code_valid(code16), valid.contains(code16) || (code >= 3000 && code <= 4999)) << code;
  }
}

TEST(WsCodec, unmask_tells_whether_all_is_ascii) {
  const unsigned char mask[4] = {0x81, 0x7F, 0xFF, 0x00};
  for (std::size_t size = 0; size < 40; ++size) {
    std::string data(size, 'a');
    unmask(data.data(), size, mask, 1);
    EXPECT_TRUE(unmask(data.data(), size, mask, 1)) << size;
    EXPECT_EQ(data, std::string(size, 'a'));
    for (std::size_t at = 0; at < size; ++at) {
      std::string other(size, 'a');
      other[at] = '\x80';
      unmask(other.data(), size, mask, 3);
      EXPECT_FALSE(unmask(other.data(), size, mask, 3)) << size << " " << at;
    }
  }
}

TEST(WsCodec, unmask_agrees_with_the_rfc_at_every_offset_and_size) {
  const unsigned char mask[4] = {0x37, 0xFA, 0x21, 0x3D};
  for (std::size_t size = 0; size < 70; ++size) {
    for (std::size_t offset = 0; offset < 9; ++offset) {
      std::string data(size + 1, 'Q');
      std::string expected = data;
      for (std::size_t i = 0; i < size; ++i)
        expected[i] = static_cast<char>(static_cast<unsigned char>('Q') ^ mask[(i + offset) % 4]);
      unmask(data.data(), size, mask, offset);
      ASSERT_EQ(data, expected) << size << " at " << offset;
    }
  }
}

TEST(WsCodec, client_frame_is_the_example_of_rfc6455_section_5_7) {
  std::string out;
  append_client_frame(out, Opcode::text, "Hello", 0x37FA213D);
  EXPECT_EQ(out, "\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"s);
}

TEST(WsHeader, what_append_client_frame_writes_is_read_back) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U}) {
    std::string out;
    append_client_frame(out, Opcode::binary, std::string(size, 'x'), 0x01020304, false, true);
    const FrameHeader header = parse_client_header(out, {.deflate = true, .message_open = false});
    ASSERT_EQ(header.status, HeaderStatus::complete);
    EXPECT_EQ(header.payload_size, size);
    EXPECT_EQ(header.opcode, Opcode::binary);
    EXPECT_FALSE(header.fin);
    EXPECT_TRUE(header.rsv1);
    EXPECT_EQ(header.mask[0], 1);
    EXPECT_EQ(header.mask[3], 4);
    EXPECT_EQ(header.size + size, out.size());
    for (std::size_t cut = 0; cut < header.size; ++cut) {
      const FrameHeader part = parse_client_header(std::string_view(out).substr(0, cut), {true, false});
      EXPECT_EQ(part.status, HeaderStatus::need_more);
    }
  }
}

TEST(WsHeader, a_violation_shows_at_its_own_byte) {
  EXPECT_EQ(parse_client_header("\x83", {false, false}).status, HeaderStatus::bad);
  EXPECT_EQ(parse_client_header("\x81\x05", {false, false}).status, HeaderStatus::bad);
  EXPECT_EQ(parse_client_header("\x81\xFE\x00\x7D"s, {false, false}).status, HeaderStatus::bad);
  EXPECT_EQ(parse_client_header("\x81\xFF\x80\x00\x00\x00\x00\x00\x00\x00"s, {false, false}).status,
            HeaderStatus::bad);
}

}  // namespace
}  // namespace hubbub::wire
