#include "hubbub/server/memory_allowance.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace hubbub {
namespace {

namespace fs = std::filesystem;

class CgroupMemoryLimit : public ::testing::Test {
 protected:
  CgroupMemoryLimit() : root_(fs::path(::testing::TempDir()) / "hubbub_cgroup") {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~CgroupMemoryLimit() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  [[nodiscard]] std::optional<std::size_t> limit() const { return cgroup_memory_limit(root_); }

 private:
  fs::path root_;
};

TEST_F(CgroupMemoryLimit, is_the_least_of_the_group_and_those_above_it) {
  write("proc/self/cgroup", "0::/site/hub\n");
  write("sys/fs/cgroup/site/hub/memory.max", "800000000\n");
  write("sys/fs/cgroup/site/memory.max", "500000000\n");
  EXPECT_EQ(limit(), 500'000'000U);
}

TEST_F(CgroupMemoryLimit, is_nothing_where_the_group_has_none) {
  write("proc/self/cgroup", "0::/hub\n");
  write("sys/fs/cgroup/hub/memory.max", "max\n");
  EXPECT_EQ(limit(), std::nullopt);
}

TEST_F(CgroupMemoryLimit, is_the_mounts_own_where_the_named_path_is_outside_the_container) {
  write("proc/self/cgroup", "0::/../../outer\n");
  write("sys/fs/cgroup/memory.max", "300000000\n");
  EXPECT_EQ(limit(), 300'000'000U);
}

TEST_F(CgroupMemoryLimit, reads_version_one) {
  write("proc/self/cgroup", "5:cpu,memory:/hub\n3:pids:/hub\n");
  write("sys/fs/cgroup/memory/hub/memory.limit_in_bytes", "400000000\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(limit(), 400'000'000U);
}

TEST_F(CgroupMemoryLimit, is_nothing_without_control_groups) { EXPECT_EQ(limit(), std::nullopt); }

TEST(MemoryAllowance, is_something_on_every_machine) {
  EXPECT_GT(memory_allowance(), 0U);
  EXPECT_GE(default_memory_budget(0), 8U * 1024 * 1024);
  EXPECT_EQ(default_memory_budget(300'000'000), 200'000'000U);
}

}  // namespace
}  // namespace hubbub
