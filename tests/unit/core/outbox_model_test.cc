// The outbox beside a model: a connection that writes, is cut and comes back, a network that loses what was
// on its way, and bounds that let go of things. The client must get every message once, in order and under
// its number, or be told that it is gone, and be told nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "hubbub/base/rng.h"
#include "hubbub/core/outbox.h"

namespace hubbub {
namespace {

class OutboxWorld {
 public:
  explicit OutboxWorld(std::uint64_t seed) : rng_(seed) {}

  void step() {
    now_ += static_cast<Millis>(rng_.below(50));
    switch (rng_.below(10)) {
      case 0:
      case 1:
      case 2:
        return push();
      case 3:
      case 4:
        return connected_ ? write() : shrink();
      case 5:
        return connected_ ? acknowledge() : drop();
      case 6:
        return sealed_ ? drop() : let_go();
      case 7:
        return deliver();
      case 8:
        return age();
      default:
        return connected_ ? end_connection() : come_back();
    }
  }
  void check() {
    box_.check_invariants();
    ASSERT_EQ(box_.acked(), acked_);
    ASSERT_EQ(box_.sent(), sent_);
    ASSERT_EQ(box_.tail(), places_.size());
    ASSERT_EQ(box_.frames(), frames());
    ASSERT_GE(box_.sent_max(), count_);
  }
  [[nodiscard]] std::uint64_t delivered() const { return count_; }
  [[nodiscard]] std::uint64_t gaps_seen() const { return gaps_seen_; }
  [[nodiscard]] std::uint64_t refilled() const { return refilled_; }

 private:
  enum class Is { there, hole, gap, rest };
  struct Place {
    std::string text;
    Lane lane;
    Is is;
    std::uint64_t stamp;
  };
  struct OnWire {
    std::uint64_t index;
    std::string text;
  };

  static bool holds(const Place& place) { return place.is == Is::there || place.is == Is::gap; }
  [[nodiscard]] std::uint64_t frames() const {
    return static_cast<std::uint64_t>(
        std::count_if(places_.begin() + static_cast<std::ptrdiff_t>(acked_), places_.end(), holds));
  }
  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = 0;
    for (std::size_t i = acked_; i < places_.size(); ++i)
      if (places_[i].is == Is::there || (places_[i].is == Is::gap && i >= sent_))
        sum += places_[i].text.size() + 1;
    return sum;
  }

  void push() {
    for (std::uint64_t n = 1 + rng_.below(rng_.below(20) == 0 ? 60 : 4); n > 0; --n) {
      const auto lane = static_cast<Lane>(rng_.below(3));
      const std::uint64_t number = places_.size() + 1;
      std::string text = std::to_string(number) + std::string(rng_.below(20), 'x');
      const Origin origin{
          lane == Lane::message && number % 4 != 0 ? 1 + static_cast<std::uint32_t>(number % 2) : 0, number};
      const bool hole = (!connected_ || sealed_) && rng_.below(5) == 0;
      if (hole)
        box_.push_hole(origin, lane, now_);
      else
        box_.push(Frame::make("h", text, origin), lane, now_);
      places_.push_back(
          {std::move(text), lane, hole ? Is::hole : Is::there, static_cast<std::uint64_t>(now_) / 16});
    }
  }

  void write() {
    for (std::uint64_t n = rng_.below(20); n > 0 && box_.writable(); --n) {
      ASSERT_TRUE(holds(places_[sent_]));
      ASSERT_EQ(box_.at(sent_)->payload(), places_[sent_].text);
      wire_.push_back({sent_, places_[sent_].text});
      box_.mark_sent();
      ++sent_;
      while (sent_ < places_.size() && places_[sent_].is == Is::rest) {
        ASSERT_EQ(box_.at(sent_), nullptr);
        ++sent_;
      }
    }
  }

  // The client reads some of what is on its way.
  void deliver() {
    for (std::uint64_t n = rng_.below(20); n > 0 && !wire_.empty(); --n) {
      const OnWire got = std::move(wire_.front());
      wire_.pop_front();
      ASSERT_EQ(got.index, count_) << "each once, in order";
      if (got.text.starts_with("gap"))
        read_gap(got.text);
      else
        ++count_;
    }
  }

  // "gap FROM TO REPLIES"
  void read_gap(const std::string& text) {
    std::size_t end = 0;
    const std::uint64_t from = std::stoull(text.substr(4), &end);
    const std::uint64_t to = std::stoull(text.substr(4 + end));
    ASSERT_EQ(from, count_ + 1);
    ASSERT_EQ(text.back() == '1', any_reply(from, to));
    count_ = to;
    ++gaps_seen_;
  }
  // Numbers from..to are gone; whether an answer is among them.
  [[nodiscard]] bool any_reply(std::uint64_t from, std::uint64_t to) const {
    bool any = false;
    for (std::uint64_t i = from - 1; i < to; ++i) {
      EXPECT_NE(places_[i].is, Is::there) << i;
      any = any || places_[i].lane == Lane::reply;
    }
    return any;
  }

  void acknowledge() {
    const std::uint64_t index = std::min(count_ - rng_.below(std::min<std::uint64_t>(count_, 5) + 1), sent_);
    box_.trim(index);
    acked_ = std::max(acked_, index);
  }

  void let_go() {
    const std::uint64_t end = connected_ ? sent_ : places_.size();
    if (end <= acked_ || rng_.below(3) != 0) return;
    forget(acked_ + rng_.below(std::min<std::uint64_t>(end - acked_, 10) + 1));
    box_.let_go(acked_);
  }
  void forget(std::uint64_t index) {
    for (; acked_ < index; ++acked_)
      if (places_[acked_].is == Is::there) places_[acked_].is = Is::hole;
    sent_ = std::max(sent_, acked_);
  }

  void age() {
    const Millis most = 200;
    const std::uint64_t end = connected_ ? sent_ : places_.size();
    const std::uint64_t before = frames();
    std::uint64_t index = acked_;
    while (index < end && (static_cast<std::uint64_t>(now_) / 16 - places_[index].stamp) * 16 > most) ++index;
    forget(index);
    ASSERT_EQ(box_.let_go_older(most, now_, end), before - frames());
  }

  void drop() {
    std::uint64_t index = sealed_ ? std::max(seal_, acked_) : acked_;
    while (index < places_.size() && (places_[index].is != Is::there || places_[index].lane != Lane::message))
      ++index;
    const bool found = index < places_.size();
    ASSERT_EQ(box_.drop_oldest(), found);
    if (found) places_[index].is = Is::hole;
  }

  void shrink() {
    const auto lane = static_cast<Lane>(rng_.below(3));
    const std::uint64_t frames_max = rng_.below(60);
    const std::size_t bytes_max = rng_.below(1000);
    box_.shed(lane, frames_max, bytes_max);
    for (std::size_t i = acked_; i < places_.size() && (frames() > frames_max || bytes() > bytes_max); ++i)
      if (places_[i].is == Is::there && places_[i].lane == lane) places_[i].is = Is::hole;
  }

  // First it closes, then it is gone; or it is just gone.
  void end_connection() {
    if (!sealed_ && rng_.below(2) == 0) {
      box_.seal();
      sealed_ = true;
      seal_ = places_.size();
      return;
    }
    box_.unseal();
    sealed_ = connected_ = false;
    if (rng_.below(2) == 0) {
      box_.withdraw_gaps();
      withdraw_gaps();
    }
    deliver();
    wire_.clear();
  }

  void withdraw_gaps() {
    for (std::size_t i = acked_; i < places_.size(); ++i)
      if (places_[i].is == Is::gap || places_[i].is == Is::rest) places_[i].is = Is::hole;
  }

  void come_back() {
    withdraw_gaps();
    const std::uint64_t kept_before = kept_places();
    std::uint64_t from_history = 0;
    const auto refill = [&](Origin origin) {
      EXPECT_EQ(places_[origin.offset - 1].is, Is::hole);
      if (rng_.below(3) == 0) return FrameRef();
      places_[origin.offset - 1].is = Is::there;
      ++from_history;
      return Frame::make("h", places_[origin.offset - 1].text, origin);
    };
    const auto gap = [&](std::uint64_t from, std::uint64_t to, bool replies) {
      const std::string text =
          "gap " + std::to_string(from) + ' ' + std::to_string(to) + (replies ? " 1" : " 0");
      for (std::uint64_t i = from - 1; i < to; ++i) places_[i].is = i == from - 1 ? Is::gap : Is::rest;
      places_[from - 1].text = text;
      return Frame::make("h", text);
    };
    const Outbox::Replay replay = box_.resume(count_, refill, gap);
    connected_ = true;
    acked_ = std::max(acked_, count_);
    while (acked_ < places_.size() && !holds(places_[acked_])) ++acked_;
    sent_ = acked_;
    ASSERT_EQ(replay.missing_to, acked_ > count_ ? acked_ : 0);
    if (acked_ > count_) {
      ASSERT_EQ(replay.missing_replies, any_reply(count_ + 1, acked_));
      count_ = acked_;
    }
    ASSERT_EQ(replay.from_history, from_history);
    ASSERT_EQ(replay.from_ring, kept_before);
    const auto first = places_.begin() + static_cast<std::ptrdiff_t>(acked_);
    ASSERT_EQ(replay.gaps, std::any_of(first, places_.end(), [](const Place& p) { return p.is == Is::gap; }));
    ASSERT_TRUE(std::none_of(first, places_.end(), [](const Place& p) { return p.is == Is::hole; }));
    refilled_ += from_history;
  }
  [[nodiscard]] std::uint64_t kept_places() const {
    return static_cast<std::uint64_t>(
        std::count_if(places_.begin() + static_cast<std::ptrdiff_t>(std::max(acked_, count_)), places_.end(),
                      [](const Place& place) { return place.is == Is::there; }));
  }

  SeededRng rng_;
  Outbox box_;
  std::vector<Place> places_;  // places_[i] is message i + 1
  std::uint64_t acked_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t seal_ = 0;
  std::uint64_t count_ = 0;  // what the client has
  std::deque<OnWire> wire_;
  bool connected_ = true;
  bool sealed_ = false;
  Millis now_ = 0;
  std::uint64_t gaps_seen_ = 0;
  std::uint64_t refilled_ = 0;
};

TEST(OutboxModel, a_client_gets_each_message_once_or_is_told_that_it_is_gone) {
  std::uint64_t delivered = 0;
  std::uint64_t gaps = 0;
  std::uint64_t refilled = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    OutboxWorld world(seed);
    for (int i = 0; i < 2500 && !testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE(i);
      world.step();
      world.check();
    }
    delivered += world.delivered();
    gaps += world.gaps_seen();
    refilled += world.refilled();
  }
  EXPECT_GT(delivered, 10'000u) << "or this test tests nothing";
  EXPECT_GT(gaps, 100u);
  EXPECT_GT(refilled, 100u);
}

}  // namespace
}  // namespace hubbub
