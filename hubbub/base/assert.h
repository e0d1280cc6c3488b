// HUBBUB_ASSERT: a programmer's mistake ends the process, in every build. Never used on a peer's input: what
// a peer sends is answered with an Error.
#pragma once

namespace hubbub {
// Prints the condition and its place on stderr and aborts.
[[noreturn]] void assert_failed(const char* condition, const char* file, int line) noexcept;
}  // namespace hubbub

#define HUBBUB_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::hubbub::assert_failed(#condition, __FILE__, __LINE__))
