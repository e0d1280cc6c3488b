#include "hubbub/core/topic_history.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "hubbub/base/rng.h"
#include "hubbub/core/limits.h"
#include "hubbub/core/notices.h"

namespace hubbub {
namespace {

// A publication of topic "t" with serial 1.
FrameRef publication(std::uint64_t offset, std::string_view data) {
  return topic_message("t", offset, data, 1);
}

// Appends offsets first..last with one-digit data at time `now`.
void fill(TopicHistory& history, std::uint64_t first, std::uint64_t last, Millis now, const Limits& limits) {
  for (std::uint64_t offset = first; offset <= last; ++offset)
    history.append(publication(offset, "7"), 1, now, limits);
}

TEST(TopicHistory, gives_back_the_very_frame_and_the_data_as_published) {
  TopicHistory history;
  const std::string data = R"({"a": [1.50, "}}"]})";
  const FrameRef frame = publication(1, data);
  history.append(frame, data.size(), 0, Limits{});
  ASSERT_NE(history.frame(1), nullptr);
  EXPECT_EQ(history.frame(1)->get(), frame.get());
  EXPECT_EQ(history.data(1), data);
  EXPECT_EQ(history.frame(0), nullptr);
  EXPECT_EQ(history.frame(2), nullptr);
  history.check_invariants();
}

TEST(TopicHistory, begins_at_whatever_offset_comes_first) {
  TopicHistory history;
  fill(history, 41, 42, 0, Limits{});
  EXPECT_EQ(history.first(), 41u);
  EXPECT_EQ(history.last(), 42u);
  EXPECT_EQ(history.frame(40), nullptr);
  history.check_invariants();
}

TEST(TopicHistory, keeps_as_many_as_history_messages_and_lets_the_oldest_go) {
  const Limits limits{.history_messages = 5};
  TopicHistory history;
  fill(history, 1, 5, 0, limits);
  EXPECT_EQ(history.size(), 5u);
  EXPECT_EQ(history.first(), 1u);
  fill(history, 6, 6, 0, limits);
  EXPECT_EQ(history.size(), 5u);
  EXPECT_EQ(history.first(), 2u);
  history.check_invariants();
}

TEST(TopicHistory, keeps_as_many_bytes_as_history_bytes_and_lets_the_oldest_go) {
  const std::size_t one = publication(1, "7")->size();
  const Limits limits{.history_bytes = 3 * one};
  TopicHistory history;
  fill(history, 1, 3, 0, limits);
  EXPECT_EQ(history.bytes(), 3 * one);
  EXPECT_EQ(history.first(), 1u);
  history.append(publication(4, "77"), 2, 0, limits);
  EXPECT_EQ(history.first(), 3u) << "one byte more costs two of the old";
  EXPECT_EQ(history.bytes(), 2 * one + 1);
  history.check_invariants();
}

TEST(TopicHistory, keeps_nothing_when_one_message_is_too_much_alone) {
  const std::string data = "\"" + std::string(500, 'x') + "\"";
  const Limits limits{.history_bytes = publication(4, data)->size() - 1};
  TopicHistory history;
  fill(history, 1, 3, 0, limits);
  history.append(publication(4, data), data.size(), 0, limits);
  EXPECT_TRUE(history.empty()) << "older ones would leave a hole";
  EXPECT_EQ(history.bytes(), 0u);
  fill(history, 5, 5, 0, limits);
  EXPECT_EQ(history.first(), 5u);
  history.check_invariants();
}

TEST(TopicHistory, lets_go_of_what_is_as_old_as_history_age) {
  const Limits limits{.history_age_ms = 100};
  TopicHistory history;
  fill(history, 1, 2, 1000, limits);
  fill(history, 3, 3, 1050, limits);
  history.expire(1099, limits.history_age_ms);
  EXPECT_EQ(history.size(), 3u);
  EXPECT_EQ(history.oldest(), 1000);
  history.expire(1100, limits.history_age_ms);
  EXPECT_EQ(history.first(), 3u);
  fill(history, 4, 4, 1150, limits);
  EXPECT_EQ(history.first(), 4u) << "appending ages, too";
  history.check_invariants();
}

TEST(TopicHistory, is_not_wanted_if_one_of_its_bounds_is_0) {
  EXPECT_TRUE(TopicHistory::wanted({}));
  EXPECT_FALSE(TopicHistory::wanted({.history_messages = 0}));
  EXPECT_FALSE(TopicHistory::wanted({.history_bytes = 0}));
  EXPECT_FALSE(TopicHistory::wanted({.history_age_ms = 0}));
}

TEST(TopicHistory, lets_go_of_its_frames) {
  const std::int64_t before = Frame::alive();
  {
    TopicHistory history;
    fill(history, 1, 100, 0, {.history_messages = 10});
    EXPECT_EQ(Frame::alive(), before + 10);
    history.expire(1'000'000, 1);
    EXPECT_EQ(Frame::alive(), before);
    fill(history, 101, 105, 2'000'000, {});
  }
  EXPECT_EQ(Frame::alive(), before);
}

// Random use against a plain list with the same rules.
class Model {
 public:
  void append(std::uint64_t offset, std::string data, std::size_t frame_size, Millis now,
              const Limits& limits) {
    expire(now, limits.history_age_ms);
    kept_.push_back({offset, std::move(data), frame_size, now});
    while (kept_.size() > limits.history_messages || bytes() > limits.history_bytes) kept_.pop_front();
  }
  void expire(Millis now, Millis age) {
    while (!kept_.empty() && now - kept_.front().at >= age) kept_.pop_front();
  }
  void compare(const TopicHistory& history, std::uint64_t offset_max) const {
    ASSERT_EQ(history.size(), kept_.size());
    ASSERT_EQ(history.bytes(), bytes());
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      ASSERT_EQ(history.first() + i, kept_[i].offset);
      ASSERT_EQ(history.data(kept_[i].offset), kept_[i].data);
    }
    const std::uint64_t first = kept_.empty() ? offset_max + 1 : kept_.front().offset;
    ASSERT_EQ(history.frame(first - 1), nullptr);
    ASSERT_EQ(history.frame(offset_max + 1), nullptr);
  }

 private:
  struct Entry {
    std::uint64_t offset;
    std::string data;
    std::size_t size;
    Millis at;
  };
  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = 0;
    for (const Entry& entry : kept_) sum += entry.size;
    return sum;
  }
  std::deque<Entry> kept_;
};

TEST(TopicHistory, behaves_as_a_plain_list_would_under_random_use) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    SeededRng rng(seed);
    const Limits limits{.history_messages = 1 + rng.next() % 40,
                        .history_bytes = 100 + rng.next() % 4000,
                        .history_age_ms = static_cast<Millis>(1 + rng.next() % 200)};
    TopicHistory history;
    Model model;
    Millis now = 0;
    std::uint64_t offset = 0;
    for (int step = 0; step < 500; ++step) {
      now += static_cast<Millis>(rng.next() % 10);
      if (rng.next() % 8 == 0) {
        history.expire(now, limits.history_age_ms);
        model.expire(now, limits.history_age_ms);
      } else {
        const std::string data = '"' + std::string(rng.next() % 200, 'x') + '"';
        const FrameRef frame = publication(++offset, data);
        model.append(offset, data, frame->size(), now, limits);
        history.append(frame, data.size(), now, limits);
      }
      history.check_invariants();
      ASSERT_NO_FATAL_FAILURE(model.compare(history, offset));
    }
  }
}

}  // namespace
}  // namespace hubbub
