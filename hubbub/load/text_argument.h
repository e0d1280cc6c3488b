// Texts as they are given on the command line: as they are, or @FILE.
#pragma once

#include <string>
#include <string_view>

#include "hubbub/load/outcome.h"

namespace hubbub::load {

// "@FILE" is the contents of FILE without a line end at its end. With `escapes`, \r \n \t \0 \\ and \xHH
// stand for the byte. The error is the rest of the sentence "TEXT ...".
[[nodiscard]] Outcome<std::string> read_text(std::string_view argument, bool escapes);

}  // namespace hubbub::load
