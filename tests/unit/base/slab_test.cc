#include "hubbub/base/slab.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "hubbub/base/rng.h"

namespace hubbub {
namespace {

TEST(Slab, gives_the_object_while_it_lives_and_nothing_after) {
  Slab<std::string> slab;
  const auto handle = slab.emplace("one");
  ASSERT_NE(slab.get(handle), nullptr);
  EXPECT_EQ(*slab.get(handle), "one");
  slab.erase(handle);
  EXPECT_EQ(slab.get(handle), nullptr);
  EXPECT_EQ(slab.size(), 0u);
}

TEST(Slab, a_stale_handle_never_finds_what_took_its_place) {
  Slab<std::string> slab;
  const auto stale = slab.emplace("old");
  slab.erase(stale);
  const auto fresh = slab.emplace("new");
  EXPECT_EQ(fresh.slot, stale.slot);
  EXPECT_NE(fresh, stale);
  EXPECT_EQ(slab.get(stale), nullptr);
  EXPECT_EQ(*slab.get(fresh), "new");
}

TEST(Slab, a_null_handle_and_one_of_another_slab_find_nothing) {
  Slab<int> slab;
  EXPECT_EQ(slab.get({}), nullptr);
  const auto only = slab.emplace(1);
  EXPECT_EQ(slab.get({}), nullptr);
  EXPECT_EQ(slab.get({only.slot + 1000, only.generation}), nullptr);
  EXPECT_FALSE(Handle<int>{});
  EXPECT_TRUE(only);
}

TEST(Slab, handles_survive_the_way_through_bits) {
  const Handle<int> handle{7, 0xFFFFFFFF};
  EXPECT_EQ(Handle<int>::from_bits(handle.bits()), handle);
}

TEST(Slab, addresses_stay_while_it_grows) {
  Slab<int> slab;
  const auto first = slab.emplace(1);
  const int* address = slab.get(first);
  for (int i = 0; i < 10'000; ++i) slab.emplace(i);
  EXPECT_EQ(slab.get(first), address);
}

TEST(Slab, for_each_visits_every_object_once_and_may_erase_the_one_it_is_given) {
  Slab<int> slab;
  for (int i = 0; i < 10; ++i) slab.emplace(i);
  int sum = 0;
  slab.for_each([&](Handle<int> handle, int& value) {
    sum += value;
    if (value % 2 == 0) slab.erase(handle);
  });
  EXPECT_EQ(sum, 45);
  EXPECT_EQ(slab.size(), 5u);
  slab.for_each([](Handle<int>, const int& value) { EXPECT_EQ(value % 2, 1); });
}

TEST(Slab, agrees_with_a_map_under_random_use) {
  Slab<std::uint64_t> slab;
  std::map<std::uint64_t, std::uint64_t> model;  // handle bits -> value
  std::vector<Handle<std::uint64_t>> given;
  SeededRng rng(1);
  for (int step = 0; step < 20'000; ++step) {
    if (given.empty() || rng.below(5) < 3) {
      const std::uint64_t value = rng.next();
      given.push_back(slab.emplace(value));
      EXPECT_TRUE(model.emplace(given.back().bits(), value).second) << "a handle was given twice";
    } else {
      const auto handle = given[rng.below(given.size())];
      const auto found = model.find(handle.bits());
      const std::uint64_t* value = slab.get(handle);
      ASSERT_EQ(value != nullptr, found != model.end());
      if (!value) continue;
      EXPECT_EQ(*value, found->second);
      slab.erase(handle);
      model.erase(found);
    }
    ASSERT_EQ(slab.size(), model.size());
  }
}

TEST(SlabDeathTest, erasing_twice_ends_the_program) {
  Slab<int> slab;
  const auto handle = slab.emplace(1);
  slab.erase(handle);
  EXPECT_DEATH(slab.erase(handle), "get");
}

}  // namespace
}  // namespace hubbub
