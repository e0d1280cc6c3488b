// What the tests of configuration share: files that go away, and one call for each source.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/server/config.h"

namespace hubbub::config_testing {

using Lines = std::vector<std::string>;

// A file of this test run, gone with the object.
class TempFile {
 public:
  explicit TempFile(std::string_view text) {
    static int number = 0;
    path_ = ::testing::TempDir() + "hubbub_config_" + std::to_string(getpid()) + "_" +
            std::to_string(++number) + ".toml";
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TempFile() { std::remove(path_.c_str()); }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

// The mistakes as lines, the file's path shortened to FILE.
inline std::vector<std::string> lines(const std::expected<Config, std::vector<Mistake>>& result,
                                      const std::string& path = {}) {
  std::vector<std::string> out;
  if (result) return out;
  for (const Mistake& mistake : result.error()) {
    std::string line = mistake.line();
    if (!path.empty() && line.starts_with(path)) line.replace(0, path.size(), "FILE");
    out.push_back(std::move(line));
  }
  return out;
}

inline std::vector<std::string> file_mistakes(std::string_view text) {
  const TempFile file(text);
  return lines(load_config({.file_path = file.path(), .environment = {}, .settings = {}}), file.path());
}

inline std::vector<std::string> set_mistakes(const Pairs& settings) {
  return lines(load_config({.file_path = {}, .environment = {}, .settings = settings}));
}

inline std::vector<std::string> variable_mistakes(const Pairs& environment) {
  return lines(load_config({.file_path = {}, .environment = environment, .settings = {}}));
}

inline Config from_settings(const Pairs& settings) {
  auto result = load_config({.file_path = {}, .environment = {}, .settings = settings});
  EXPECT_TRUE(result) << lines(result).front();
  return result.value_or(Config{});
}

inline Config from_file(std::string_view text) {
  const TempFile file(text);
  auto result = load_config({.file_path = file.path(), .environment = {}, .settings = {}});
  EXPECT_TRUE(result) << lines(result).front();
  return result.value_or(Config{});
}

}  // namespace hubbub::config_testing
