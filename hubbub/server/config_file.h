// The TOML side of configuration: a file becomes a flat list of dotted keys with their lines. toml++ is
// included in config_file.cc only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hubbub/server/config.h"
#include "hubbub/server/config_value.h"

namespace hubbub::conf {

struct FileSetting {
  std::string key;  // "limits.message_bytes"
  int line = 0;     // from 1
  RawValue value;
};

struct FileContents {
  std::vector<FileSetting> settings;  // in order of lines
  std::vector<Mistake> mistakes;  // unreadable, syntax (the first error only), empty sections nobody knows
};

// Reads and parses a file of at most 1 MiB. `path` is also the place in mistakes.
[[nodiscard]] FileContents read_config_file(const std::string& path);

// The same for a text at hand.
[[nodiscard]] FileContents parse_config_text(std::string_view text, const std::string& path);

}  // namespace hubbub::conf
