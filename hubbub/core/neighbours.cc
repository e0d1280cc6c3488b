#include "hubbub/core/neighbours.h"

namespace hubbub {
namespace {
constexpr Millis kRetryAfterMs = 1000;
}

Error neighbour_busy() {
  Error error = limit_error(Errc::overloaded, "limits.shard_queue_messages",
                            "a part of this server is behind with its work; try again later");
  error.retry_after_ms = kRetryAfterMs;
  return error;
}

}  // namespace hubbub
