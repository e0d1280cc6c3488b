#include "hubbub/server/memory_allowance.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

namespace hubbub {
namespace {

namespace fs = std::filesystem;

// The least that makes sense: a budget below would refuse everybody.
constexpr std::size_t kBudgetMin = 8 * 1024 * 1024;
// memory.limit_in_bytes of a version 1 group without a limit is a little below 2^63.
constexpr std::size_t kNoLimit = std::size_t{1} << 60;

std::optional<std::size_t> read_number(const fs::path& path) {
  std::ifstream file(path);
  std::size_t value = 0;
  if (!(file >> value) || value >= kNoLimit) return std::nullopt;  // "max" is no number
  return value;
}

void keep_least(std::optional<std::size_t>& least, std::optional<std::size_t> value) {
  if (value) least = least ? std::min(*least, *value) : *value;
}

// From the group up to the hierarchy's root: each one's limit holds for those below.
void keep_least_upwards(std::optional<std::size_t>& least, const fs::path& hierarchy, std::string_view group,
                        const char* file) {
  fs::path at = fs::path(group).relative_path();
  for (int depth = 0; depth < 32; ++depth) {
    keep_least(least, read_number(hierarchy / at / file));
    if (at.empty()) return;
    at = at.parent_path();
  }
}

void keep_least(std::size_t& least, int resource) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    least = std::min(least, static_cast<std::size_t>(limit.rlim_cur));
}

}  // namespace

std::optional<std::size_t> cgroup_memory_limit(const fs::path& root) {
  std::optional<std::size_t> least;
  std::ifstream groups(root / "proc/self/cgroup");
  // Lines "ID:CONTROLLERS:PATH"; version 2 is "0::PATH". In a container the path may not exist below the
  // mount: then the mount's own root is the group, and it is looked at as well.
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string_view group = std::string_view(line).substr(second + 1);
    if (controllers == ",,")
      keep_least_upwards(least, root / "sys/fs/cgroup", group, "memory.max");
    else if (controllers.find(",memory,") != std::string::npos)
      keep_least_upwards(least, root / "sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
  }
  return least;
}

std::size_t memory_allowance() {
  std::size_t least = std::numeric_limits<std::size_t>::max();
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_bytes > 0)
    least = static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_bytes);
  keep_least(least, RLIMIT_AS);
  keep_least(least, RLIMIT_DATA);
  return std::min(least, cgroup_memory_limit("/").value_or(least));
}

std::size_t default_memory_budget(std::size_t allowance) { return std::max(kBudgetMin, allowance / 3 * 2); }

}  // namespace hubbub
