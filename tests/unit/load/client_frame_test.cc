#include "hubbub/load/client_frame.h"

#include <gtest/gtest.h>

namespace hubbub::load {
namespace {

std::string server_frame(std::size_t size, char first = '\x81') {
  std::string wire(1, first);
  if (size < 126) {
    wire.push_back(static_cast<char>(size));
  } else {
    const int bytes = size < 65536 ? 2 : 8;
    wire.push_back(static_cast<char>(bytes == 2 ? 126 : 127));
    for (int i = bytes - 1; i >= 0; --i) wire.push_back(static_cast<char>((size >> (8 * i)) & 0xFF));
  }
  return wire.append(size, 'x');
}

// Payloads around the three length encodings of RFC 6455 section 5.2.
TEST(ServerFrame, is_taken_whole_or_not_at_all_wherever_it_is_cut) {
  for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 300UL, 65535UL, 65536UL, 70000UL}) {
    const std::string wire = server_frame(size);
    ServerFrame frame;
    for (std::size_t cut = 0; cut < wire.size(); ++cut) {
      ASSERT_EQ(parse_server_frame(std::string_view(wire).substr(0, cut), frame), FrameStatus::need_more);
      ASSERT_TRUE(frame.size == 0 || frame.size == wire.size()) << size << " cut at " << cut;
    }
    ASSERT_EQ(parse_server_frame(wire + "next", frame), FrameStatus::complete);
    EXPECT_TRUE(frame.fin);
    EXPECT_EQ(frame.opcode, 1);
    EXPECT_EQ(frame.payload.size(), size);
    EXPECT_EQ(frame.size, wire.size());
  }
}

TEST(ServerFrame, tells_a_compressed_and_a_fragmented_one) {
  ServerFrame frame;
  ASSERT_EQ(parse_server_frame(server_frame(3, '\xC1'), frame), FrameStatus::complete);
  EXPECT_TRUE(frame.rsv1);
  ASSERT_EQ(parse_server_frame(server_frame(3, '\x01'), frame), FrameStatus::complete);
  EXPECT_FALSE(frame.fin);
}

TEST(ServerFrame, is_bad_if_masked_or_longer_than_memory) {
  ServerFrame frame;
  EXPECT_EQ(parse_server_frame("\x81\x85", frame), FrameStatus::bad);
  EXPECT_EQ(parse_server_frame(std::string("\x82\x7F\x7F") + std::string(7, '\xFF'), frame),
            FrameStatus::bad);
}

TEST(ClientFrame, is_masked_and_unmasks_to_what_was_said) {
  for (const std::size_t size : {0UL, 5UL, 125UL, 126UL, 65535UL, 65536UL}) {
    const std::string said(size, 'h');
    std::string wire;
    append_client_frame(wire, Opcode::text, said);
    const std::size_t header = size < 126 ? 6 : size < 65536 ? 8 : 14;
    ASSERT_EQ(wire.size(), header + size);
    EXPECT_NE(wire[1] & 0x80, 0);
    std::string heard = wire.substr(header);
    for (std::size_t i = 0; i < size; ++i) heard[i] = static_cast<char>(heard[i] ^ wire[header - 4 + i % 4]);
    EXPECT_EQ(heard, said);
  }
}

}  // namespace
}  // namespace hubbub::load
