#include "hubbub/core/outbox.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "hubbub/base/rng.h"

namespace hubbub {
namespace {

FrameRef frame_of(std::string_view payload) { return Frame::make("h", payload); }

TEST(Outbox, starts_empty) {
  const Outbox box;
  EXPECT_EQ(box.acked(), 0u);
  EXPECT_EQ(box.sent(), 0u);
  EXPECT_EQ(box.tail(), 0u);
  EXPECT_EQ(box.unsent_bytes(), 0u);
  EXPECT_EQ(box.kept_bytes(), 0u);
  box.check_invariants();
}

TEST(Outbox, keeps_messages_in_order_through_its_three_stations) {
  Outbox box;
  box.push(frame_of("a"));
  box.push(frame_of("bb"));
  EXPECT_EQ(box.unsent(), 2u);
  EXPECT_EQ(box.unsent_bytes(), 5u);
  EXPECT_EQ(box.at(0)->payload(), "a");
  EXPECT_EQ(box.at(1)->payload(), "bb");
  box.mark_sent();
  EXPECT_EQ(box.sent(), 1u);
  EXPECT_EQ(box.kept(), 1u);
  EXPECT_EQ(box.kept_bytes(), 2u);
  EXPECT_EQ(box.unsent_bytes(), 3u);
  EXPECT_EQ(box.at(0)->payload(), "a") << "what is sent stays until it is acknowledged";
  box.trim(1);
  EXPECT_EQ(box.acked(), 1u);
  EXPECT_EQ(box.kept_bytes(), 0u);
  EXPECT_EQ(box.at(1)->payload(), "bb");
  box.check_invariants();
}

TEST(Outbox, holds_references_and_lets_them_go_when_trimmed) {
  const auto before = Frame::alive();
  const FrameRef frame = frame_of("shared");
  {
    Outbox first;
    Outbox second;
    first.push(frame);
    second.push(frame);
    EXPECT_EQ(first.at(0), second.at(0)) << "one frame, however many outboxes";
    EXPECT_EQ(Frame::alive(), before + 1);
    second.push(frame_of("own"));
    second.mark_sent();
    second.mark_sent();
    second.trim(2);
    EXPECT_EQ(Frame::alive(), before + 1);
  }
  EXPECT_EQ(Frame::alive(), before + 1);
}

TEST(Outbox, trimming_again_or_to_where_it_is_changes_nothing) {
  Outbox box;
  box.push(frame_of("a"));
  box.mark_sent();
  box.trim(0);
  EXPECT_EQ(box.kept(), 1u);
  box.trim(1);
  box.trim(1);
  EXPECT_EQ(box.acked(), 1u);
  box.check_invariants();
}

TEST(Outbox, goes_on_counting_after_it_was_emptied) {
  Outbox box;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    box.push(frame_of(std::to_string(i)));
    EXPECT_EQ(box.at(i)->payload(), std::to_string(i));
    box.mark_sent();
    box.trim(i + 1);
  }
  EXPECT_EQ(box.tail(), 1000u);
}

TEST(Outbox, lets_go_of_everything_and_goes_on_counting) {
  const auto before = Frame::alive();
  Outbox box;
  for (int i = 0; i < 5; ++i) box.push(frame_of("x"));
  box.mark_sent();
  box.mark_sent();
  box.trim(1);
  box.let_go(box.tail());
  EXPECT_EQ(Frame::alive(), before);
  EXPECT_EQ(box.acked(), 5u);
  EXPECT_EQ(box.sent(), 5u);
  EXPECT_EQ(box.tail(), 5u);
  box.check_invariants();
  box.push(frame_of("next"));
  EXPECT_EQ(box.at(5)->payload(), "next");
  box.check_invariants();
}

TEST(Outbox, counts_replies_apart_until_they_are_sent_or_let_go) {
  Outbox box;
  box.push(frame_of("a"), Lane::reply);
  box.push(frame_of("bb"));
  box.push(frame_of("ccc"), Lane::reply);
  EXPECT_EQ(box.unsent_replies(), 2u);
  EXPECT_EQ(box.unsent_reply_bytes(), 6u);
  EXPECT_EQ(box.unsent_bytes(), 9u) << "of both lanes";
  box.check_invariants();
  box.mark_sent();
  EXPECT_EQ(box.unsent_replies(), 1u);
  EXPECT_EQ(box.unsent_reply_bytes(), 4u);
  box.mark_sent();
  EXPECT_EQ(box.unsent_replies(), 1u) << "that was a message";
  box.trim(2);
  box.check_invariants();
  box.let_go(box.tail());
  EXPECT_EQ(box.unsent_replies(), 0u);
  EXPECT_EQ(box.unsent_reply_bytes(), 0u);
  box.check_invariants();
}

TEST(Outbox, agrees_with_a_deque_under_random_use) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SeededRng rng(seed);
    Outbox box;
    std::deque<std::string> model;  // model[i] is message acked + i
    std::deque<Lane> lanes;         // of the same
    std::uint64_t acked = 0;
    std::uint64_t sent = 0;
    std::uint64_t tail = 0;
    for (int step = 0; step < 3000; ++step) {
      const std::uint64_t pushes = rng.below(20) == 0 ? rng.below(150) : rng.below(3);
      for (std::uint64_t i = 0; i < pushes; ++i, ++tail) {
        model.emplace_back(rng.below(40), static_cast<char>('a' + tail % 26));
        lanes.push_back(rng.below(3) == 0 ? Lane::reply : Lane::message);
        box.push(frame_of(model.back()), lanes.back());
      }
      for (std::uint64_t i = rng.below(tail - sent + 1); i > 0; --i, ++sent) box.mark_sent();
      const std::uint64_t to = acked + rng.below(sent - acked + 1);
      box.trim(to);
      for (; acked < to; ++acked) model.pop_front(), lanes.pop_front();
      ASSERT_EQ(box.acked(), acked);
      ASSERT_EQ(box.sent(), sent);
      ASSERT_EQ(box.tail(), tail);
      ASSERT_EQ(model.size(), tail - acked);
      if (step % 7 != 0) continue;
      for (std::uint64_t i = acked; i < tail; ++i) ASSERT_EQ(box.at(i)->payload(), model[i - acked]);
      std::uint64_t replies = 0;
      std::size_t reply_bytes = 0;
      for (std::uint64_t i = sent; i < tail; ++i) {
        if (lanes[i - acked] != Lane::reply) continue;
        ++replies;
        reply_bytes += model[i - acked].size() + 1;  // frame_of()'s header
      }
      ASSERT_EQ(box.unsent_replies(), replies);
      ASSERT_EQ(box.unsent_reply_bytes(), reply_bytes);
      box.check_invariants();
    }
  }
}

TEST(OutboxDeathTest, reading_or_marking_outside_ends_the_program) {
  Outbox box;
  EXPECT_DEATH(box.mark_sent(), "writable");
  EXPECT_DEATH((void)box.at(0), "tail_");
  EXPECT_DEATH(box.trim(1), "sent_");
}

}  // namespace
}  // namespace hubbub
