#include "hubbub/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace hubbub {
void assert_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "hubbub: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}
}  // namespace hubbub
