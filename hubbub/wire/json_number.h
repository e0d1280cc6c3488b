// Numbers that are valid JSON and too large for simdjson. Internal to the layer's JSON files.
#pragma once

#include <string>
#include <string_view>

namespace hubbub::wire {

// Copies `text` to `out` with each number that is valid by RFC 8259 section 6, stands outside strings and is
// beyond 64 bits (integers) or beyond double (fractions, exponents) replaced by the largest double, with its
// sign. Numbers that are not valid stay as they are, so a parser still refuses them. False if there was
// nothing to replace. Appends wire::kReadPadding bytes behind; `size` is the length without them.
[[nodiscard]] bool replace_huge_numbers(std::string_view text, std::string& out, std::size_t& size);

}  // namespace hubbub::wire
