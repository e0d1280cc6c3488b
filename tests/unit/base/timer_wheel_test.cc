#include "hubbub/base/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "hubbub/base/rng.h"

namespace hubbub {
namespace {

struct Probe {
  Millis fired_at = -1;
  int fired = 0;
  Timer timer{[](void* self, Millis now) {
                static_cast<Probe*>(self)->fired_at = now;
                ++static_cast<Probe*>(self)->fired;
              },
              this};
};

TEST(TimerWheel, fires_at_the_deadline_and_not_before) {
  TimerWheel wheel(1000);
  Probe probe;
  wheel.arm(probe.timer, 1250);
  wheel.advance(1249);
  EXPECT_EQ(probe.fired, 0);
  wheel.advance(1250);
  EXPECT_EQ(probe.fired, 1);
  EXPECT_FALSE(probe.timer.armed());
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheel, a_deadline_in_the_past_fires_at_the_next_millisecond) {
  TimerWheel wheel(1000);
  Probe probe;
  wheel.arm(probe.timer, 10);
  wheel.advance(1000);
  EXPECT_EQ(probe.fired, 0);
  wheel.advance(1001);
  EXPECT_EQ(probe.fired, 1);
}

TEST(TimerWheel, a_cancelled_or_destroyed_timer_never_fires) {
  TimerWheel wheel(0);
  Probe probe;
  wheel.arm(probe.timer, 5);
  probe.timer.cancel();
  {
    Probe gone;
    wheel.arm(gone.timer, 6);
  }
  wheel.advance(100);
  EXPECT_EQ(probe.fired, 0);
  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_EQ(wheel.next_wake(), -1);
}

TEST(TimerWheel, a_timer_may_cancel_another_that_is_due_in_the_same_millisecond) {
  TimerWheel wheel(0);
  Probe victim;
  struct Killer {
    Probe& victim;
    Timer timer{[](void* self, Millis) { static_cast<Killer*>(self)->victim.timer.cancel(); }, this};
  } killer{victim};
  wheel.arm(killer.timer, 7);
  wheel.arm(victim.timer, 7);
  wheel.advance(7);
  EXPECT_EQ(victim.fired, 0);
}

TEST(TimerWheel, a_timer_may_arm_itself_again_while_firing) {
  TimerWheel wheel(0);
  struct Periodic {
    TimerWheel& wheel;
    int fired = 0;
    Timer timer{[](void* self, Millis) {
                  auto* p = static_cast<Periodic*>(self);
                  if (++p->fired < 5) p->wheel.arm(p->timer, p->timer.deadline() + 10);
                },
                this};
  } periodic{wheel};
  wheel.arm(periodic.timer, 10);
  wheel.advance(100);
  EXPECT_EQ(periodic.fired, 5);
}

TEST(TimerWheel, random_timers_agree_with_a_plain_list_under_any_steps) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRng rng(seed);
    Millis now = static_cast<Millis>(rng.below(1ULL << 40));
    TimerWheel wheel(now);
    std::vector<std::unique_ptr<Probe>> probes;
    for (int i = 0; i < 300; ++i) probes.push_back(std::make_unique<Probe>());
    std::vector<Millis> due(probes.size(), -1);
    for (int step = 0; step < 400; ++step) {
      for (int k = 0; k < 5; ++k) {
        const std::size_t i = rng.below(probes.size());
        const Millis delay = static_cast<Millis>(1 + (rng.next() >> (40 + rng.below(24))));
        if (rng.below(4) == 0) {
          probes[i]->timer.cancel();
          due[i] = -1;
        } else {
          wheel.arm(probes[i]->timer, now + delay);
          due[i] = now + delay;
        }
      }
      const Millis before = now;
      now += static_cast<Millis>(rng.next() >> (44 + rng.below(20)));
      Millis earliest = -1;
      for (const Millis d : due)
        if (d >= 0 && (earliest < 0 || d < earliest)) earliest = d;
      if (earliest >= 0) {
        EXPECT_LE(wheel.next_wake(), earliest);
        EXPECT_GT(wheel.next_wake(), before - 1);
      }
      wheel.advance(now);
      for (std::size_t i = 0; i < probes.size(); ++i) {
        const bool should = due[i] >= 0 && due[i] <= now;
        EXPECT_EQ(should, probes[i]->fired == 1) << "seed " << seed << " step " << step;
        if (should) due[i] = -1;
        probes[i]->fired = 0;
        EXPECT_EQ(probes[i]->timer.armed(), due[i] >= 0);
      }
    }
  }
}

}  // namespace
}  // namespace hubbub
