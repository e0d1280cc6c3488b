#include "hubbub/wire/deflate.h"

#include <gtest/gtest.h>

#include <limits>

#include "hubbub/base/rng.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub::wire {
namespace {

using std::string_literals::operator""s;
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

std::string random_bytes(std::size_t size, std::uint64_t seed) {
  std::string out(size, '\0');
  SeededRng(seed).fill({reinterpret_cast<unsigned char*>(out.data()), out.size()});
  return out;
}

// Words from a small vocabulary: compresses, with repeats at every distance.
std::string prose(std::size_t size, std::uint64_t seed) {
  SeededRng rng(seed);
  const std::string_view words[] = {"topic ",          "session ", "\"data\":", "{}, ",
                                    "happy-panda-42 ", "publish ", "0123 "};
  std::string out;
  while (out.size() < size) out += words[static_cast<std::size_t>(rng.below(std::size(words)))];
  out.resize(size);
  return out;
}

struct Inflated {
  InflateStatus status;
  std::string text;
  friend bool operator==(const Inflated&, const Inflated&) = default;
};

Inflated inflate_in_pieces(Inflater& inflater, std::string_view body, std::size_t step,
                           std::size_t size_max) {
  Inflated result{InflateStatus::ok, {}};
  for (std::size_t i = 0; i < body.size() && result.status == InflateStatus::ok; i += step)
    result.status = inflater.feed(body.substr(i, step), result.text, size_max);
  if (result.status == InflateStatus::ok) result.status = inflater.finish(result.text, size_max);
  return result;
}

Inflated inflate_whole(Inflater& inflater, std::string_view body, std::size_t size_max = kNoLimit) {
  return inflate_in_pieces(inflater, body, std::max<std::size_t>(body.size(), 1), size_max);
}

const Inflated kHello{InflateStatus::ok, "Hello"};

TEST(Inflater, examples_of_rfc7692_section_7_2_3_inflate) {
  Inflater inflater(15, false);
  EXPECT_EQ(inflate_whole(inflater, "\xf2\x48\xcd\xc9\xc9\x07\x00"s), kHello);                  // 7.2.3.1
  EXPECT_EQ(inflate_whole(inflater, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s), kHello);  // 7.2.3.3
  EXPECT_EQ(inflate_whole(inflater, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s), kHello);              // 7.2.3.4
  EXPECT_EQ(inflate_whole(inflater, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s),
            kHello);                                                               // 7.2.3.5
  EXPECT_EQ(inflate_whole(inflater, "\x00"s), (Inflated{InflateStatus::ok, ""}));  // 7.2.3.6
}

TEST(Inflater, second_message_uses_the_window_of_the_first_7_2_3_2) {
  Inflater keeps(15, true);
  EXPECT_EQ(inflate_whole(keeps, "\xf2\x48\xcd\xc9\xc9\x07\x00"s), kHello);
  EXPECT_EQ(inflate_whole(keeps, "\xf2\x00\x11\x00\x00"s), kHello);
  Inflater forgets(15, false);
  EXPECT_EQ(inflate_whole(forgets, "\xf2\x48\xcd\xc9\xc9\x07\x00"s), kHello);
  EXPECT_EQ(inflate_whole(forgets, "\xf2\x00\x11\x00\x00"s).status, InflateStatus::corrupt);
}

TEST(Inflater, window_survives_a_stream_that_ended) {
  Inflater inflater(15, true);
  EXPECT_EQ(inflate_whole(inflater, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s), kHello);
  EXPECT_EQ(inflate_whole(inflater, "\xf2\x00\x11\x00\x00"s), kHello);
}

TEST(Inflater, final_block_at_the_very_end_wants_no_tail) {
  Inflater inflater(15, true);
  EXPECT_EQ(inflate_whole(inflater, "\xf3\x48\xcd\xc9\xc9\x07\x00"s), kHello);
  EXPECT_EQ(inflate_whole(inflater, "\xf2\x48\xcd\xc9\xc9\x07\x00"s), kHello);
  EXPECT_EQ(inflate_whole(inflater, ""), (Inflated{InflateStatus::ok, ""}));
  EXPECT_EQ(inflate_whole(inflater, "\xf2\x00\x11\x00\x00"s), kHello);
}

TEST(Inflater, several_final_blocks_in_one_message_are_joined) {
  Inflater inflater(15, false);
  const std::string final_hello = "\xf3\x48\xcd\xc9\xc9\x07\x00"s;
  const Inflated expected{InflateStatus::ok, "HelloHelloHello"};
  const std::string body = final_hello + final_hello + final_hello + "\x00"s;
  for (std::size_t step = 1; step <= body.size(); ++step)
    EXPECT_EQ(inflate_in_pieces(inflater, body, step, kNoLimit), expected);
}

TEST(Inflater, corrupt_and_cut_short_are_corrupt_and_leave_it_usable) {
  Inflater inflater(15, true);
  for (const auto& body :
       {"\x07"s, "\x06\xff\xff"s, "\xf2\x48\xcd"s, "\x00\x06\x00\xf9\xff\x48"s, "\xff\xff\xff"s}) {
    EXPECT_EQ(inflate_whole(inflater, body).status, InflateStatus::corrupt);
    EXPECT_EQ(inflate_whole(inflater, "\xf2\x48\xcd\xc9\xc9\x07\x00"s), kHello);
  }
}

TEST(Inflater, limit_is_met_exactly) {
  Deflater deflater(6, 15, false);
  Inflater inflater(15, false);
  for (const std::size_t size : {1U, 5U, 1000U, 16383U, 16384U, 16385U, 32768U, 100000U}) {
    const std::string text = prose(size, size);
    const std::string body(deflater.compress(text));
    for (const std::size_t step : {std::size_t{1}, std::size_t{100}, body.size()}) {
      EXPECT_EQ(inflate_in_pieces(inflater, body, step, size), (Inflated{InflateStatus::ok, text}));
      EXPECT_EQ(inflate_in_pieces(inflater, body, step, size - 1).status, InflateStatus::too_big);
    }
  }
}

TEST(Inflater, bomb_stops_at_the_bound_with_bounded_memory) {
  Deflater deflater(9, 15, false);
  const std::string bomb(deflater.compress(std::string(8 << 20, '\0')));
  EXPECT_LT(bomb.size(), 20'000U);
  Inflater inflater(15, false);
  std::string out;
  EXPECT_EQ(inflater.feed(bomb, out, 65536), InflateStatus::too_big);
  EXPECT_LE(out.size(), 65536U);
  EXPECT_LE(out.capacity(), 65536U + kReadPadding);
  EXPECT_EQ(inflate_whole(inflater, "\xf2\x48\xcd\xc9\xc9\x07\x00"s), kHello);
}

TEST(Inflater, reset_drops_a_message_half_way) {
  Inflater inflater(15, false);
  std::string out;
  EXPECT_EQ(inflater.feed("\xf2\x48\xcd"s, out, kNoLimit), InflateStatus::ok);
  inflater.reset();
  EXPECT_EQ(inflate_whole(inflater, "\xf2\x48\xcd\xc9\xc9\x07\x00"s), kHello);
}

TEST(Deflater, empty_message_is_one_zero_byte) {
  for (const bool keep : {false, true}) {
    Deflater deflater(6, 15, keep);
    EXPECT_EQ(deflater.compress(""), "\0"s);
    EXPECT_EQ(deflater.compress(""), "\0"s);
    Inflater inflater(15, keep);
    EXPECT_EQ(inflate_whole(inflater, deflater.compress("x")).text, "x");
    EXPECT_EQ(inflate_whole(inflater, deflater.compress("")).text, "");
    EXPECT_EQ(inflate_whole(inflater, deflater.compress("x")).text, "x");
  }
}

TEST(Deflater, takeover_makes_a_repeated_message_small) {
  Deflater keeps(6, 15, true);
  Deflater forgets(6, 15, false);
  const std::string text = random_bytes(1000, 1);
  EXPECT_GT(keeps.compress(text).size(), 1000U);
  EXPECT_LT(keeps.compress(text).size(), 50U);
  EXPECT_GT(forgets.compress(text).size(), 1000U);
  EXPECT_GT(forgets.compress(text).size(), 1000U);
}

TEST(Deflater, several_megabytes_round_trip) {
  for (const std::string& text : {prose(5 << 20, 2), random_bytes(3 << 20, 3)}) {
    Deflater deflater(1, 15, false);
    Inflater inflater(15, false);
    for (int round = 0; round < 2; ++round)
      EXPECT_TRUE(inflate_whole(inflater, deflater.compress(text)) == (Inflated{InflateStatus::ok, text}));
  }
}

// Repeats just inside and beyond the window: an inflater of exactly the agreed size refuses any reference
// beyond it.
TEST(Deflater, never_refers_beyond_the_agreed_window) {
  for (int bits = 8; bits <= 15; ++bits) {
    for (const bool keep : {false, true}) {
      for (const int level : {1, 6, 9}) {
        Deflater deflater(level, bits, keep);
        Inflater inflater(bits, keep);
        const std::size_t window = std::size_t{1} << bits;
        for (const std::size_t gap :
             {window / 2, window - 6, window - 5, window - 4, window, window + 5, 3 * window}) {
          std::string text = random_bytes(gap, gap);
          text += text + text.substr(0, gap / 2) + prose(2 * window, gap);
          const std::string body(deflater.compress(text));
          ASSERT_TRUE(inflate_whole(inflater, body) == (Inflated{InflateStatus::ok, text}))
              << bits << " bits, level " << level << ", gap " << gap;
        }
      }
    }
  }
}

FrameRef text_frame(std::string_view payload) { return make_frame(Opcode::text, payload); }

TEST(SharedDeflated, twin_is_made_once_and_inflates_to_the_payload) {
  Deflater shard(1, 15, false);
  const std::string text = prose(1000, 4);
  const FrameRef frame = make_frame(Opcode::binary, text);
  const Frame* twin = shared_deflated(*frame, 15, shard, {});
  ASSERT_NE(twin, nullptr);
  ASSERT_NE(twin, frame.get());
  EXPECT_EQ(static_cast<unsigned char>(twin->wire()[0]), 0xC2);
  EXPECT_LT(twin->size(), frame->size());
  Inflater inflater(10, false);
  EXPECT_EQ(inflate_whole(inflater, twin->payload()).text, text);
  EXPECT_EQ(shared_deflated(*frame, 15, shard, {}), twin);
  EXPECT_EQ(shared_deflated(*frame, 10, shard, {}), twin);  // 1000 bytes fit a window of 1024
}

TEST(SharedDeflated, smaller_window_than_the_message_compresses_privately) {
  Deflater shard(1, 15, false);
  for (int bits = 8; bits <= 14; ++bits) {
    const std::size_t window = std::size_t{1} << bits;
    const auto bits8 = static_cast<std::uint8_t>(bits);
    const FrameRef fits = text_frame(prose(window, 5));
    const FrameRef over = text_frame(prose(window + 1, 5));
    const Frame* twin = shared_deflated(*fits, bits8, shard, {});
    ASSERT_NE(twin, nullptr);
    Inflater inflater(bits, false);
    EXPECT_EQ(inflate_whole(inflater, twin->payload()).text, fits->payload());
    EXPECT_EQ(shared_deflated(*over, bits8, shard, {}), nullptr);
    EXPECT_NE(shared_deflated(*over, 15, shard, {}), nullptr);
    EXPECT_EQ(shared_deflated(*over, bits8, shard, {}), nullptr);
  }
}

TEST(SharedDeflated, what_compression_does_not_shrink_stays_as_it_is) {
  Deflater shard(1, 15, false);
  const DeflateSettings settings;
  const std::int64_t before = Frame::alive();
  {
    const FrameRef random = text_frame(random_bytes(5000, 6));
    EXPECT_EQ(shared_deflated(*random, 15, shard, settings), random.get());
    EXPECT_EQ(random->deflated(), random.get());
    EXPECT_EQ(shared_deflated(*random, 9, shard, settings), random.get());
    const FrameRef small = text_frame(std::string(settings.size_min - 1, 'x'));
    EXPECT_EQ(shared_deflated(*small, 15, shard, settings), small.get());
    EXPECT_EQ(small->deflated(), nullptr);
    const FrameRef least = text_frame(std::string(settings.size_min, 'x'));
    EXPECT_NE(shared_deflated(*least, 15, shard, settings), least.get());
    const FrameRef ping = make_frame(Opcode::ping, std::string(125, 'x'));
    EXPECT_EQ(shared_deflated(*ping, 15, shard, {.size_min = 0}), ping.get());
  }
  EXPECT_EQ(Frame::alive(), before);
}

}  // namespace
}  // namespace hubbub::wire
