// append_bounded: growing a buffer by what arrived. Capacity doubles, so that many small pieces cost linear
// time, and stops at the bound, so that a message at its limit does not hold twice the limit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

#include "hubbub/wire/ws_codec.h"

namespace hubbub::wire {

// Appends `piece` and leaves room for kReadPadding more. The capacity stays within size_max + kReadPadding;
// the caller has checked that the new size is within size_max.
inline void append_bounded(std::string& out, std::string_view piece, std::size_t size_max) {
  const std::size_t need = out.size() + piece.size() + kReadPadding;
  if (need > out.capacity()) {
    const std::size_t most =
        std::min(size_max, std::numeric_limits<std::size_t>::max() - kReadPadding) + kReadPadding;
    // A fresh string, because reserve() on a used one may double on its own and pass the bound.
    std::string grown;
    grown.reserve(std::max(need, std::min(2 * out.capacity(), most)));
    grown.append(out);
    out.swap(grown);
  }
  out.append(piece);
}

}  // namespace hubbub::wire
