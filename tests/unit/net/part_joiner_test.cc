#include "hubbub/net/part_joiner.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace hubbub {
namespace {

std::vector<iovec> parts_of(std::vector<std::string>& texts) {
  std::vector<iovec> parts;
  for (std::string& text : texts) parts.push_back({text.data(), text.size()});
  return parts;
}

std::string text_of(std::span<const iovec> parts) {
  std::string out;
  for (const iovec& part : parts) out.append(static_cast<const char*>(part.iov_base), part.iov_len);
  return out;
}

TEST(PartJoiner, small_parts_become_one_with_the_same_bytes) {
  PartJoiner joiner;
  std::vector<std::string> texts{"first", "second", std::string(PartJoiner::kCopyMax, 'x')};
  const auto joined = joiner.join(parts_of(texts));
  ASSERT_EQ(joined.size(), 1U);
  EXPECT_EQ(text_of(joined), texts[0] + texts[1] + texts[2]);
}

TEST(PartJoiner, a_single_part_stays_where_it_is) {
  PartJoiner joiner;
  std::vector<std::string> texts{"alone"};
  const auto parts = parts_of(texts);
  EXPECT_EQ(joiner.join(parts).data(), parts.data());
}

TEST(PartJoiner, the_same_parts_again_are_the_same_piece) {
  PartJoiner joiner;
  std::vector<std::string> texts{"a", "b"};
  const auto parts = parts_of(texts);
  const auto again = parts;
  const void* piece = joiner.join(parts)[0].iov_base;
  EXPECT_EQ(joiner.join(again)[0].iov_base, piece);
  std::vector<std::string> others{"c", "d"};
  const auto other = joiner.join(parts_of(others));
  EXPECT_NE(other[0].iov_base, piece);
  EXPECT_EQ(text_of(other), "cd");
}

TEST(PartJoiner, large_parts_are_copied_only_for_a_second_connection) {
  PartJoiner joiner;
  std::vector<std::string> texts{std::string(PartJoiner::kCopyMax + 1, 'x'), "y"};
  const auto parts = parts_of(texts);
  EXPECT_EQ(joiner.join(parts).size(), 2U);
  const auto second = joiner.join(parts);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(text_of(second), texts[0] + texts[1]);
}

TEST(PartJoiner, without_room_parts_stay_as_they_are_and_earlier_pieces_too) {
  PartJoiner joiner;
  std::vector<std::string> first{"kept", "piece"};
  const auto kept = joiner.join(parts_of(first));
  std::vector<std::string> texts(PartJoiner::kBytesMax / PartJoiner::kCopyMax,
                                 std::string(PartJoiner::kCopyMax, 'x'));
  EXPECT_EQ(joiner.join(parts_of(texts)).size(), texts.size());
  EXPECT_EQ(text_of(kept), "keptpiece");
  joiner.forget();
  EXPECT_EQ(joiner.join(parts_of(texts)).size(), 1U);
}

TEST(PartJoiner, gives_no_more_pieces_than_it_has_room_for) {
  PartJoiner joiner;
  std::vector<std::vector<std::string>> all(PartJoiner::kPiecesMax + 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = {std::to_string(i), "!"};
    EXPECT_EQ(joiner.join(parts_of(all[i])).size(), i < PartJoiner::kPiecesMax ? 1U : 2U);
  }
}

}  // namespace
}  // namespace hubbub
