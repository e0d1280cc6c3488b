// The measuring tools measured: a benchmark that counts or reports wrongly is worse than none.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "bench/histogram.h"
#include "bench/link.h"

namespace hubbub::bench {
namespace {

TEST(Histogram, is_exact_for_small_values) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 50; ++value) histogram.record(value);
  EXPECT_EQ(histogram.count(), 50U);
  EXPECT_EQ(histogram.quantile(0.5), 25U);
  EXPECT_EQ(histogram.quantile(0.02), 1U);
  EXPECT_EQ(histogram.quantile(1.0), 50U);
}

TEST(Histogram, reports_at_least_the_value_and_at_most_a_32nd_more) {
  for (std::uint64_t value = 1; value < (1ULL << 62); value = value * 3 / 2 + 1) {
    Histogram histogram;
    histogram.record(value);
    const std::uint64_t reported = histogram.quantile(0.5);
    EXPECT_GE(reported, value);
    EXPECT_LE(reported - value, value / 32);
  }
}

TEST(Histogram, keeps_the_largest_value_there_is) {
  Histogram histogram;
  histogram.record(UINT64_MAX);
  EXPECT_EQ(histogram.quantile(1.0), UINT64_MAX);
}

TEST(Histogram, finds_a_rare_slow_one_in_the_tail_only) {
  Histogram histogram;
  for (int i = 0; i < 999; ++i) histogram.record(10);
  histogram.record(60);
  EXPECT_EQ(histogram.quantile(0.99), 10U);
  EXPECT_EQ(histogram.quantile(0.999), 10U);
  EXPECT_EQ(histogram.quantile(1.0), 60U);
}

TEST(Histogram, is_empty_after_clear) {
  Histogram histogram;
  histogram.record(7);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.quantile(0.5), 0U);
}

// Server frames with payloads around the three length encodings of RFC 6455 section 5.2.
TEST(ServerFrame, is_taken_whole_or_not_at_all_wherever_it_is_cut) {
  for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 300UL, 65535UL, 65536UL, 70000UL}) {
    std::string wire = "\x81";
    if (size < 126) {
      wire.push_back(static_cast<char>(size));
    } else {
      const int bytes = size < 65536 ? 2 : 8;
      wire.push_back(static_cast<char>(bytes == 2 ? 126 : 127));
      for (int i = bytes - 1; i >= 0; --i) wire.push_back(static_cast<char>((size >> (8 * i)) & 0xFF));
    }
    wire.append(size, 'x');
    for (std::size_t cut = 0; cut < wire.size(); ++cut) {
      ASSERT_FALSE(parse_server_frame(std::string_view(wire).substr(0, cut))) << size << " cut at " << cut;
    }
    const auto frame = parse_server_frame(wire + "next");
    ASSERT_TRUE(frame);
    EXPECT_TRUE(frame->fin);
    EXPECT_EQ(frame->opcode, 1);
    EXPECT_EQ(frame->payload.size(), size);
    EXPECT_EQ(frame->size, wire.size());
  }
}

TEST(ClientFrame, is_masked_and_unmasks_to_what_was_said) {
  for (const std::size_t size : {0UL, 5UL, 125UL, 126UL, 65535UL, 65536UL}) {
    const std::string said(size, 'h');
    std::string wire;
    append_text_frame(wire, said);
    const std::size_t header = size < 126 ? 6 : size < 65536 ? 8 : 14;
    ASSERT_EQ(wire.size(), header + size);
    EXPECT_NE(wire[1] & 0x80, 0);
    std::string heard = wire.substr(header);
    for (std::size_t i = 0; i < size; ++i) heard[i] = static_cast<char>(heard[i] ^ wire[header - 4 + i % 4]);
    EXPECT_EQ(heard, said);
  }
}

}  // namespace
}  // namespace hubbub::bench
