// Request targets (RFC 9112 section 3.2) and percent-encoding (RFC 3986 section 2.1). Internal to http_head.
#pragma once

#include <string>
#include <string_view>

#include "hubbub/wire/http_head.h"

namespace hubbub::wire {

// Sets path and query from the target: origin-form, absolute-form, or "*" for OPTIONS. Returns what is wrong
// with the target as a sentence, or "".
[[nodiscard]] std::string_view split_target(HttpRequest& request);

// False if a '%' is not followed by two hex digits. `out` is replaced.
[[nodiscard]] bool percent_decode(std::string_view text, std::string& out);

}  // namespace hubbub::wire
