// Decoder with permessage-deflate agreed (RFC 7692 section 6.2).
#include <gtest/gtest.h>

#include "hubbub/wire/ws_decoder.h"
#include "tests/unit/wire/ws_feed.h"

namespace hubbub::wire {
namespace {

using std::string_literals::operator""s;
using testing::Cuts;
using testing::decode;
using testing::Seen;
using Kind = DecoderEvent::Kind;
using Events = std::vector<Seen>;

constexpr DeflateParams kNoTakeover{};
constexpr DeflateParams kTakeover{.client_no_context_takeover = false};

std::string frame(Opcode opcode, std::string_view payload, bool fin, bool rsv1) {
  std::string out;
  append_client_frame(out, opcode, payload, 0x0F1E2D3C, fin, rsv1);
  return out;
}
std::string packed(std::string_view body, Opcode opcode = Opcode::text) {
  return frame(opcode, body, true, true);
}
std::string plain(std::string_view payload) { return frame(Opcode::text, payload, true, false); }

std::string compressed(std::string_view message) {
  return std::string(Deflater(6, 15, false).compress(message));
}

// `body` in frames of `size` bytes.
std::string in_fragments(std::string_view body, std::size_t size) {
  std::string out;
  bool first = true;
  do {
    const std::string_view piece = body.substr(0, size);
    body.remove_prefix(piece.size());
    out += frame(first ? Opcode::text : Opcode::continuation, piece, body.empty(), first);
    first = false;
  } while (!body.empty());
  return out;
}

Seen seen(Kind kind, std::string payload) {
  Seen event;
  event.kind = kind;
  event.payload = std::move(payload);
  event.error = DecoderEvent{}.error;
  return event;
}
Seen text(std::string payload) { return seen(Kind::text, std::move(payload)); }

Events events(std::string_view bytes, const DeflateParams* params = &kNoTakeover, std::size_t limit = 65536) {
  const Decoder::Settings settings{.message_bytes_max = limit, .deflate = params};
  Inflater shared(15, false);  // one for all, as in a shard
  Decoder whole(settings, &shared);
  const Events expected = decode(whole, bytes, Cuts::whole());
  for (const Cuts& cuts :
       {Cuts::of(1), Cuts::of(2), Cuts::of(7), Cuts::random(1), Cuts::random(2), Cuts::random(3)}) {
    Decoder decoder(settings, &shared);
    EXPECT_EQ(decode(decoder, bytes, cuts), expected);
  }
  return expected;
}

void expect_error(std::string_view bytes, Errc error, const DeflateParams* params = &kNoTakeover,
                  std::size_t limit = 65536) {
  const Events got = events(bytes, params, limit);
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(got.back().kind, Kind::error);
  EXPECT_EQ(got.back().error, error) << error_info(got.back().error).name;
}

TEST(DecoderDeflate, compressed_and_plain_messages_mix) {
  const std::string long_text(5000, 'z');
  EXPECT_EQ(
      events(packed(compressed("Hello")) + plain("plain") + packed(compressed(long_text), Opcode::binary)),
      (Events{text("Hello"), text("plain"), seen(Kind::binary, long_text)}));
}

TEST(DecoderDeflate, fragments_of_any_size_and_control_frames_between_them) {
  const std::string message = "a message, a message, a message that repeats itself \xE2\x82\xAC";
  const std::string body = compressed(message);
  for (std::size_t size = 1; size <= body.size(); ++size)
    EXPECT_EQ(events(in_fragments(body, size) + plain("next")), (Events{text(message), text("next")}));
  const std::string ping = frame(Opcode::ping, "p", true, false);
  EXPECT_EQ(events(frame(Opcode::text, body.substr(0, 5), false, true) + ping +
                   frame(Opcode::continuation, body.substr(5), false, false) + ping +
                   frame(Opcode::continuation, "", true, false)),
            (Events{seen(Kind::ping, "p"), seen(Kind::ping, "p"), text(message)}));
}

TEST(DecoderDeflate, unusual_but_valid_bodies_arrive) {
  EXPECT_EQ(events(packed("")), (Events{text("")}));
  EXPECT_EQ(events(packed("\x00"s)), (Events{text("")}));
  EXPECT_EQ(events(packed("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s)), (Events{text("Hello")}));
  EXPECT_EQ(events(packed("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s) + packed("\xf3\x48\xcd\xc9\xc9\x07\x00"s)),
            (Events{text("Hello"), text("Hello")}));
  EXPECT_EQ(events(packed("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s)), (Events{text("Hello")}));
}

TEST(DecoderDeflate, rsv1_stands_only_on_the_first_frame_of_a_message) {
  expect_error(packed("\x00"s), Errc::ws_protocol, nullptr);  // not agreed
  for (const Opcode control : {Opcode::close, Opcode::ping, Opcode::pong})
    expect_error(frame(control, "", true, true), Errc::ws_protocol);
  expect_error(frame(Opcode::text, "\x00"s, false, true) + frame(Opcode::continuation, "", true, true),
               Errc::ws_protocol);
  expect_error(frame(Opcode::text, "a", false, false) + frame(Opcode::continuation, "\x00"s, true, true),
               Errc::ws_protocol);
}

TEST(DecoderDeflate, corrupt_or_unfinished_data_is_refused) {
  for (const DeflateParams* params : {&kNoTakeover, &kTakeover}) {
    expect_error(packed("\x07"s), Errc::bad_utf8, params);
    expect_error(packed("\xf2\x48\xcd"s), Errc::bad_utf8, params);
    expect_error(packed("\xff\xff\xff\xff"s), Errc::bad_utf8, params);
    expect_error(packed(compressed("abc\xC3")), Errc::bad_utf8, params);
    expect_error(packed(compressed("\xED\xA0\x80")), Errc::bad_utf8, params);
  }
  EXPECT_EQ(events(packed(compressed("\xFF"), Opcode::binary)), (Events{seen(Kind::binary, "\xFF")}));
}

TEST(DecoderDeflate, failure_leaves_the_shared_inflater_clean) {
  Inflater shared(15, false);
  const Decoder::Settings settings{.deflate = &kNoTakeover};
  Decoder broken(settings, &shared);
  Decoder half(settings, &shared);
  Decoder good(settings, &shared);
  const std::string hello = packed(compressed("Hello"));
  EXPECT_TRUE(decode(half, hello.substr(0, hello.size() - 2), Cuts::of(1)).empty());
  EXPECT_EQ(decode(broken, packed("\xf2\x48\x07"s), Cuts::whole())[0].kind, Kind::error);
  EXPECT_EQ(decode(good, hello, Cuts::whole()), (Events{text("Hello")}));
  EXPECT_EQ(decode(half, hello.substr(hello.size() - 2), Cuts::of(1)), (Events{text("Hello")}));
}

TEST(DecoderDeflate, window_is_kept_only_where_it_was_agreed) {
  const std::string twice = packed("\xf2\x48\xcd\xc9\xc9\x07\x00"s) + packed("\xf2\x00\x11\x00\x00"s);
  EXPECT_EQ(events(twice, &kTakeover), (Events{text("Hello"), text("Hello")}));
  expect_error(twice, Errc::bad_utf8, &kNoTakeover);
}

TEST(DecoderDeflate, every_client_window_round_trips_with_takeover) {
  for (int bits = 8; bits <= 15; ++bits) {
    const DeflateParams params{.client_no_context_takeover = false,
                               .client_max_window_bits = static_cast<std::uint8_t>(bits)};
    Deflater client(6, bits, true);
    std::string bytes;
    Events expected;
    for (std::size_t i = 0; i < 12; ++i) {
      std::string message;
      while (message.size() < 100 * i) message += "message " + std::to_string(message.size() % 977) + ", ";
      bytes += i % 3 == 0 ? in_fragments(client.compress(message), 10) : packed(client.compress(message));
      expected.push_back(text(message));
    }
    EXPECT_EQ(events(bytes, &params), expected) << bits;
  }
}

TEST(DecoderDeflate, limit_counts_inflated_bytes) {
  for (const DeflateParams* params : {&kNoTakeover, &kTakeover}) {
    const std::string at(5000, 'x');
    EXPECT_EQ(events(packed(compressed(at)), params, 5000), (Events{text(at)}));
    EXPECT_EQ(events(in_fragments(compressed(at), 3), params, 5000), (Events{text(at)}));
    expect_error(packed(compressed(at + "x")), Errc::message_too_big, params, 5000);
    expect_error(in_fragments(compressed(at + "x"), 3), Errc::message_too_big, params, 5000);
  }
}

TEST(DecoderDeflate, incompressible_message_at_the_limit_passes) {
  for (const std::size_t limit : {1U, 100U, 65536U}) {
    std::string random(limit, '\0');
    SeededRng(9).fill({reinterpret_cast<unsigned char*>(random.data()), random.size()});
    const std::string body = compressed(random);
    EXPECT_GT(body.size(), limit);
    EXPECT_EQ(events(packed(body, Opcode::binary), &kNoTakeover, limit),
              (Events{seen(Kind::binary, random)}));
  }
}

TEST(DecoderDeflate, compressed_bytes_are_bounded_before_they_are_held) {
  const std::size_t limit = 1000;
  const std::size_t allowed = limit + limit / 8 + 64;
  const std::string empty_blocks(allowed, '\0');  // refused by its length, before a look at what is in it
  expect_error(frame(Opcode::text, empty_blocks + "\0"s, false, true), Errc::message_too_big, &kNoTakeover,
               limit);
  expect_error(
      frame(Opcode::text, empty_blocks, false, true) + frame(Opcode::continuation, "x", false, false),
      Errc::message_too_big, &kNoTakeover, limit);
  EXPECT_TRUE(events(frame(Opcode::text, empty_blocks, false, true), &kNoTakeover, limit).empty());
}

TEST(DecoderDeflate, bomb_costs_no_more_memory_than_the_limit) {
  const std::size_t limit = 65536;
  const std::string bomb = in_fragments(Deflater(9, 15, false).compress(std::string(8 << 20, '\0')), 100);
  Inflater shared(15, false);
  Decoder decoder({.message_bytes_max = limit, .deflate = &kNoTakeover}, &shared);
  std::size_t most = 0;
  const Events got =
      decode(decoder, bomb, Cuts::of(50), [&] { most = std::max(most, decoder.held_bytes()); });
  EXPECT_EQ(got.back().error, Errc::message_too_big);
  EXPECT_LE(most, 20'000U);  // what arrived
  EXPECT_EQ(decoder.held_bytes(), 0U);
}

TEST(DecoderDeflate, message_of_65536_compressed_fragments_arrives) {
  std::string message(65536, '\0');
  SeededRng rng(3);
  for (char& c : message) c = static_cast<char>('0' + rng.below(64));
  std::string body = compressed(message);
  std::string bytes = in_fragments(body, 1);
  for (std::size_t i = body.size(); i < 65536; ++i)
    bytes.insert(bytes.end() - 7, {'\0', '\x80', '\0', '\0', '\0', '\0'});  // empty fragments before the last
  EXPECT_EQ(events(bytes), (Events{text(message)}));
}

}  // namespace
}  // namespace hubbub::wire
