// How much memory this process may have: what memory.budget is taken from while it is not set.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace hubbub {

// The least of the machine's memory, RLIMIT_AS, RLIMIT_DATA and the control group's limit (versions 1 and 2,
// with those of the groups above it). Bytes.
[[nodiscard]] std::size_t memory_allowance();

// The control group's part of it, read below `root` (production: "/"): /proc/self/cgroup names the group.
// Nothing if there is no limit or no way to tell.
[[nodiscard]] std::optional<std::size_t> cgroup_memory_limit(const std::filesystem::path& root);

// memory.budget where it is 0: two thirds of `allowance`, which leaves the rest to what is not counted: the
// program itself, its threads, and what malloc loses between blocks.
[[nodiscard]] std::size_t default_memory_budget(std::size_t allowance);

}  // namespace hubbub
