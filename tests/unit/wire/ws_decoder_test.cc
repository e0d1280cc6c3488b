#include "hubbub/wire/ws_decoder.h"

#include <gtest/gtest.h>

#include "tests/unit/wire/ws_feed.h"

namespace hubbub::wire {
namespace {

using std::string_literals::operator""s;
using testing::Cuts;
using testing::decode;
using testing::Seen;
using Kind = DecoderEvent::Kind;
using Events = std::vector<Seen>;

constexpr std::uint32_t kMask = 0xA1B2C3D4;

std::string client(Opcode opcode, std::string_view payload, bool fin = true, bool rsv1 = false) {
  std::string out;
  append_client_frame(out, opcode, payload, kMask, fin, rsv1);
  return out;
}
std::string text(std::string_view payload, bool fin = true) { return client(Opcode::text, payload, fin); }
std::string more(std::string_view payload, bool fin = true) {
  return client(Opcode::continuation, payload, fin);
}
std::string ping(std::string_view payload = "p") { return client(Opcode::ping, payload); }
std::string close_payload(std::uint16_t code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)} + std::string(reason);
}

Seen seen(Kind kind, std::string payload = {}) {
  Seen event;
  event.kind = kind;
  event.payload = std::move(payload);
  event.error = DecoderEvent{}.error;
  return event;
}
Seen seen_close(std::uint16_t code, std::string reason = {}) {
  Seen event = seen(Kind::close, std::move(reason));
  event.close_code = code;
  return event;
}

// Whole, byte by byte, by twos and threes, and in random cuts: the same events each time.
Events events(std::string_view bytes, const Decoder::Settings& settings = {}) {
  Decoder whole(settings, nullptr);
  const Events expected = decode(whole, bytes, Cuts::whole());
  for (const Cuts& cuts :
       {Cuts::of(1), Cuts::of(2), Cuts::of(3), Cuts::random(1), Cuts::random(2), Cuts::random(3)}) {
    Decoder decoder(settings, nullptr);
    EXPECT_EQ(decode(decoder, bytes, cuts), expected);
  }
  return expected;
}

// The stream gives `before` and then this error, which every later call repeats, whatever comes.
void expect_error(std::string_view bytes, Errc error, const Events& before = {},
                  const Decoder::Settings& settings = {}) {
  Events got = events(bytes, settings);
  ASSERT_EQ(got.size(), before.size() + 1);
  const Seen last = got.back();
  got.pop_back();
  EXPECT_EQ(got, before);
  EXPECT_EQ(last.kind, Kind::error);
  EXPECT_EQ(last.error, error) << error_info(last.error).name;
  EXPECT_FALSE(last.payload.empty());

  Decoder decoder(settings, nullptr);
  static_cast<void>(decode(decoder, bytes, Cuts::whole()));
  EXPECT_EQ(decode(decoder, text("later"), Cuts::whole()), Events{last});
  EXPECT_FALSE(decoder.mid_message());
  EXPECT_EQ(decoder.held_bytes(), 0U);
}

TEST(Decoder, unmasked_form_of_the_rfc_example_arrives) {
  EXPECT_EQ(events("\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"s), (Events{seen(Kind::text, "Hello")}));
}

TEST(Decoder, messages_of_every_length_form_arrive) {
  for (const std::size_t size : {0U, 1U, 7U, 8U, 9U, 125U, 126U, 127U, 128U, 4096U, 65535U, 65536U}) {
    const std::string payload(size, 'x');
    EXPECT_EQ(events(text(payload)), (Events{seen(Kind::text, payload)}));
    EXPECT_EQ(events(client(Opcode::binary, payload)), (Events{seen(Kind::binary, payload)}));
  }
}

TEST(Decoder, many_messages_in_one_read_arrive_in_order) {
  std::string bytes;
  Events expected;
  for (int i = 0; i < 300; ++i) {
    const std::string payload(static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
    bytes += i % 7 == 0 ? ping("n") : text(payload);
    expected.push_back(i % 7 == 0 ? seen(Kind::ping, "n") : seen(Kind::text, payload));
  }
  EXPECT_EQ(events(bytes), expected);
}

TEST(Decoder, whole_message_is_not_copied) {
  testing::ReadBuffer buffer(text("in place"));
  std::span<char> input = buffer.span();
  Decoder decoder({}, nullptr);
  const DecoderEvent event = decoder.next(input);
  EXPECT_EQ(event.payload, "in place");
  EXPECT_EQ(event.payload.data(), buffer.bytes.get() + 6);
  EXPECT_EQ(decoder.held_bytes(), 0U);
  EXPECT_FALSE(decoder.mid_message());
}

TEST(Decoder, fragments_are_joined) {
  EXPECT_EQ(events(text("He", false) + more("l", false) + more("lo")), (Events{seen(Kind::text, "Hello")}));
  EXPECT_EQ(events(client(Opcode::binary, "\xFF", false) + more("\xFE")),
            (Events{seen(Kind::binary, "\xFF\xFE")}));
  EXPECT_EQ(events(text("", false) + more("", false) + more("")), (Events{seen(Kind::text, "")}));
  EXPECT_EQ(events(text("", false) + more("all")), (Events{seen(Kind::text, "all")}));
  EXPECT_EQ(events(text("all", false) + more("")), (Events{seen(Kind::text, "all")}));
}

TEST(Decoder, control_frames_come_through_between_fragments) {
  const std::string longest(kControlPayloadMax, 'L');
  EXPECT_EQ(events(text("a", false) + ping("1") + more("b", false) + client(Opcode::pong, longest) +
                   ping("") + more("c") + text("d")),
            (Events{seen(Kind::ping, "1"), seen(Kind::pong, longest), seen(Kind::ping, ""),
                    seen(Kind::text, "abc"), seen(Kind::text, "d")}));
}

TEST(Decoder, message_of_65536_fragments_arrives) {
  std::string bytes = text("x", false);
  for (int i = 0; i < 65534; ++i) bytes += more("x", false);
  bytes += more("x");
  EXPECT_EQ(events(bytes), (Events{seen(Kind::text, std::string(65536, 'x'))}));
}

TEST(Decoder, fragment_structure_is_enforced) {
  expect_error(more("x"), Errc::ws_protocol);
  expect_error(more("x", false), Errc::ws_protocol);
  expect_error(text("a") + more("b"), Errc::ws_protocol, {seen(Kind::text, "a")});
  expect_error(text("a", false) + text("b"), Errc::ws_protocol);
  expect_error(text("a", false) + client(Opcode::binary, "b", false), Errc::ws_protocol);
  expect_error(text("a", false) + more("b") + more("c"), Errc::ws_protocol, {seen(Kind::text, "ab")});
  expect_error(text("a", false) + ping("p") + text("b"), Errc::ws_protocol, {seen(Kind::ping, "p")});
}

TEST(Decoder, reserved_bits_and_opcodes_are_refused) {
  for (unsigned first = 0; first < 256; ++first) {
    const unsigned opcode = first & 0x0F;
    const bool known = opcode == 1 || opcode == 2 || opcode == 8 || opcode == 9 || opcode == 10;
    if (known && (first & 0x70) == 0 && (opcode < 8 || (first & 0x80))) continue;
    expect_error(text("ok") + std::string{static_cast<char>(first)} + "\x80\0\0\0\0"s, Errc::ws_protocol,
                 {seen(Kind::text, "ok")});
    expect_error(std::string{static_cast<char>(first)}, Errc::ws_protocol);  // seen at the first byte
  }
}

TEST(Decoder, control_frames_are_whole_and_short) {
  for (const Opcode opcode : {Opcode::close, Opcode::ping, Opcode::pong}) {
    expect_error(client(opcode, "", false), Errc::ws_protocol);
    expect_error(client(opcode, std::string(126, 'x')), Errc::ws_protocol);
    expect_error(client(opcode, std::string(70000, 'x')), Errc::ws_protocol);
  }
  const std::string longest(kControlPayloadMax, '\xFE');
  EXPECT_EQ(events(ping(longest)), (Events{seen(Kind::ping, longest)}));
}

TEST(Decoder, frame_without_mask_is_refused) {
  expect_error("\x81\x05Hello"s, Errc::ws_protocol);
  expect_error("\x89\x00"s, Errc::ws_protocol);
  expect_error("\x81\x7E"s, Errc::ws_protocol);
}

TEST(Decoder, length_not_in_its_shortest_form_is_refused) {
  expect_error("\x81\xFE\x00\x00\0\0\0\0"s, Errc::ws_protocol);
  expect_error("\x81\xFE\x00\x7D"s, Errc::ws_protocol);
  expect_error("\x81\xFF\0\0\0\0\0\0\0\x05"s, Errc::ws_protocol);
  expect_error("\x81\xFF\0\0\0\0\0\0\xFF\xFF"s, Errc::ws_protocol);
  expect_error("\x81\xFF\x80\0\0\0\0\0\0\0"s, Errc::ws_protocol);
  expect_error("\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, Errc::ws_protocol);
}

TEST(Decoder, close_gives_code_and_reason) {
  EXPECT_EQ(events(client(Opcode::close, "")), (Events{seen_close(1005)}));
  EXPECT_EQ(events(client(Opcode::close, close_payload(1000))), (Events{seen_close(1000)}));
  const std::string reason(kCloseReasonMax, 'r');
  EXPECT_EQ(events(client(Opcode::close, close_payload(4999, reason))), (Events{seen_close(4999, reason)}));
  EXPECT_EQ(events(text("a", false) + client(Opcode::close, close_payload(1001, "\xC3\xA9"))),
            (Events{seen_close(1001, "\xC3\xA9")}));
}

TEST(Decoder, close_codes_are_validated) {
  for (const unsigned code : {1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U, 1012U, 1013U,
                              1014U, 3000U, 3999U, 4000U, 4999U}) {
    const auto code16 = static_cast<std::uint16_t>(code);
    EXPECT_EQ(events(client(Opcode::close, close_payload(code16))), (Events{seen_close(code16)}));
  }
  for (const unsigned code :
       {0U, 1U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 1100U, 2000U, 2999U, 5000U, 65535U})
    expect_error(client(Opcode::close, close_payload(static_cast<std::uint16_t>(code))), Errc::ws_protocol);
  expect_error(client(Opcode::close, "\x03"), Errc::ws_protocol);
}

TEST(Decoder, close_reason_must_be_utf8) {
  expect_error(client(Opcode::close, close_payload(1000, "\xCE\xBA\xE1\xBD\xB9\xED\xA0\x80")),
               Errc::bad_utf8);
  expect_error(client(Opcode::close, close_payload(1000, "\xC3")), Errc::bad_utf8);
}

TEST(Decoder, nothing_is_read_after_close) {
  const Events expected = {seen(Kind::text, "a"), seen_close(1000)};
  const std::string bytes =
      text("a") + client(Opcode::close, close_payload(1000)) + ping() + text("b") + "\xFF\xFF\xFF";
  EXPECT_EQ(events(bytes), expected);
  Decoder decoder({}, nullptr);
  static_cast<void>(decode(decoder, text("open", false) + bytes.substr(text("a").size()), Cuts::of(1)));
  EXPECT_FALSE(decoder.mid_message());
  EXPECT_EQ(decoder.held_bytes(), 0U);
}

TEST(Decoder, binary_is_not_checked_for_utf8) {
  EXPECT_EQ(events(client(Opcode::binary, "\xFF\xC0\x80")), (Events{seen(Kind::binary, "\xFF\xC0\x80")}));
}

TEST(Decoder, text_must_be_utf8_also_across_fragments) {
  const std::string good = "\xCE\xBA\xE1\xBD\xB9\xF0\x9F\x98\x80";
  const std::string bad = good + "\xED\xA0\x80" + good;
  EXPECT_EQ(events(text(good)), (Events{seen(Kind::text, good)}));
  expect_error(text(bad), Errc::bad_utf8);
  for (std::size_t i = 0; i <= good.size(); ++i)
    EXPECT_EQ(events(text(good.substr(0, i), false) + more(good.substr(i))),
              (Events{seen(Kind::text, good)}));
  for (std::size_t i = 0; i <= bad.size(); ++i)
    expect_error(text(bad.substr(0, i), false) + more(bad.substr(i)), Errc::bad_utf8);
  for (std::size_t i = 1; i < 4; ++i) {
    expect_error(text(good.substr(0, good.size() - i)), Errc::bad_utf8);  // ends inside a character
    expect_error(text(good.substr(0, good.size() - i), false) + more(""), Errc::bad_utf8);
  }
}

TEST(Decoder, bad_text_fails_before_its_frame_or_message_is_complete) {
  // After a fragment: the ping behind it is never reached.
  expect_error(text("\xF4\x90", false) + ping(), Errc::bad_utf8);
  // Inside a frame of which most is still to come, at the first byte that shows it.
  const std::string frame = text("abc\xE1\xBD\xF4\x90 and much more that never arrives");
  const std::size_t shown = 6 + 6;  // header, then 5 bytes that may be and one that may not
  Decoder decoder({}, nullptr);
  EXPECT_TRUE(decode(decoder, frame.substr(0, shown - 1), Cuts::of(1)).empty());
  const Events got = decode(decoder, frame.substr(shown - 1, 1), Cuts::whole());
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].error, Errc::bad_utf8);
}

TEST(Decoder, message_at_the_limit_passes_and_one_over_fails) {
  for (const std::size_t limit : {1U, 125U, 126U, 1000U, 65535U, 65536U, 70000U}) {
    const Decoder::Settings settings{.message_bytes_max = limit};
    const std::string at(limit, 'x');
    EXPECT_EQ(events(text(at), settings), (Events{seen(Kind::text, at)}));
    EXPECT_EQ(events(text(at.substr(1), false) + more("x"), settings), (Events{seen(Kind::text, at)}));
    EXPECT_EQ(events(text(at, false) + more(""), settings), (Events{seen(Kind::text, at)}));
    expect_error(text(at + "x"), Errc::message_too_big, {}, settings);
    expect_error(text(at, false) + more("x"), Errc::message_too_big, {}, settings);
    expect_error(text("x", false) + more(at), Errc::message_too_big, {}, settings);
    EXPECT_EQ(events(text(at, false) + ping(std::string(125, 'p')) + more("") + text(at), settings).size(),
              3U);
  }
}

TEST(Decoder, length_is_refused_before_any_payload) {
  expect_error(
      "\x81\xFF\0\0\0\0\x7F\xFF\xFF\xFF"
      "mask"s,
      Errc::message_too_big);
  expect_error(text("x", false) + "\x80\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFmask"s, Errc::message_too_big);
  Decoder decoder({.message_bytes_max = 1000}, nullptr);
  const Events got = decode(decoder, text(std::string(1001, 'x')).substr(0, 8), Cuts::whole());
  ASSERT_EQ(got.size(), 1U);
  EXPECT_NE(got[0].payload.find("limits.message_bytes (1000)"), std::string::npos);
  EXPECT_LE(got[0].payload.size(), kCloseReasonMax);
}

TEST(Decoder, memory_grows_with_what_arrived_not_with_what_was_claimed) {
  const std::size_t limit = 16 << 20;
  const std::string frame = text(std::string(limit, 'x'));
  Decoder decoder({.message_bytes_max = limit}, nullptr);
  const std::size_t overhead = 1024;
  for (std::size_t sent = 0, size = 1; sent < frame.size(); sent += size, size = 2 * size + 1) {
    static_cast<void>(decode(decoder, std::string_view(frame).substr(sent, size), Cuts::whole()));
    EXPECT_LE(decoder.held_bytes(), std::min(2 * (sent + size), limit) + kReadPadding + overhead);
  }
}

TEST(Decoder, mid_message_is_true_from_the_first_byte_to_the_last) {
  const std::string bytes = text("abc", false) + ping("12") + more("def") + ping("34");
  Decoder decoder({}, nullptr);
  EXPECT_FALSE(decoder.mid_message());
  EXPECT_EQ(decoder.held_bytes(), 0U);
  const std::size_t message_end = bytes.size() - ping("34").size();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    static_cast<void>(decode(decoder, std::string_view(bytes).substr(i, 1), Cuts::whole()));
    const bool at_rest = i + 1 == message_end || i + 1 == bytes.size();
    EXPECT_EQ(decoder.mid_message(), !at_rest) << i;
    EXPECT_EQ(decoder.held_bytes() == 0, at_rest) << i;
  }
}

TEST(Decoder, control_frame_leaves_an_idle_decoder_without_heap) {
  Decoder decoder({}, nullptr);
  EXPECT_EQ(decode(decoder, ping("abc"), Cuts::of(1)).size(), 1U);
  EXPECT_EQ(decoder.held_bytes(), 0U);
}

TEST(Decoder, may_be_moved_in_the_middle_of_a_message) {
  Decoder first({}, nullptr);
  const std::string bytes = text("Hello world");
  static_cast<void>(decode(first, bytes.substr(0, 9), Cuts::of(1)));
  Decoder second(std::move(first));
  EXPECT_EQ(decode(second, bytes.substr(9), Cuts::of(1)), (Events{seen(Kind::text, "Hello world")}));
}

TEST(Decoder, every_mask_is_undone_in_every_cut) {
  std::string payload;
  for (int i = 0; i < 300; ++i) payload += static_cast<char>(i % 128);
  for (const std::uint32_t mask : {0U, 0xFFFFFFFFU, 0x00000001U, 0x80000000U, 0x12345678U}) {
    std::string bytes;
    append_client_frame(bytes, Opcode::binary, payload, mask, false);
    append_client_frame(bytes, Opcode::continuation, payload, ~mask);
    EXPECT_EQ(events(bytes), (Events{seen(Kind::binary, payload + payload)}));
  }
}

}  // namespace
}  // namespace hubbub::wire
