// answer_with: a Reply as the callback a Broker wants, for methods whose answer is what the broker says, now
// or later.
#pragma once

#include <utility>

#include "hubbub/core/call.h"

namespace hubbub {

// Answers through `reply` what the broker tells: convert(T) for a value, else the error.
template <class R, class T, class F>
[[nodiscard]] auto answer_with(Reply<R> reply, F convert) {
  return [reply = std::move(reply), convert](Result<T> result) mutable {
    if (result)
      reply.send(convert(std::move(*result)));
    else
      reply.fail(std::move(result.error()));
  };
}

}  // namespace hubbub
