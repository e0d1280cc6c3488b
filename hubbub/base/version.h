// The version of hubbub, the program, the library and what session.open tells clients. CMake reads it from
// here.
#pragma once

#include <string_view>

namespace hubbub {
inline constexpr std::string_view kVersion = "0.1.0";
}  // namespace hubbub
