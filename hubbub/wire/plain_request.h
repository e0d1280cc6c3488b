// read_plain_request: one pass over a single request as clients write it, which checks all of the text and
// cuts out its members on the way. Most messages are such requests, and short: for them the DOM parser and
// the slices behind it cost several times as much.
//
// Invariant: what is taken here is valid JSON, and read_request() on its DOM gives the same request. The
// reverse does not hold: everything unusual is left to them, so every refusal and its text is theirs.
#pragma once

#include <cstddef>
#include <string_view>

#include "hubbub/wire/jsonrpc.h"

namespace hubbub::wire {

// Longer texts are not looked at: there simdjson's blocks win over a walk byte by byte.
inline constexpr std::size_t kPlainRequestMax = 1024;

// True if `text` is a request object with the members jsonrpc, method, id and params only, each at most once,
// keys and method without escapes, nesting at most `depth_max` levels. Fills `request` but for its DOM. False
// says nothing about the text; what `request` holds then means nothing. `text` must have wire::kReadPadding
// readable bytes behind it.
[[nodiscard]] bool read_plain_request(std::string_view text, std::size_t depth_max, RpcRequest& request);

}  // namespace hubbub::wire
