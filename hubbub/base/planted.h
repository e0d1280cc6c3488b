// Planted faults: mistakes that the simulator must find. Production builds contain none of them:
// HUBBUB_PLANTED is the constant false. tests/sim compiles the files that use it once more with
// HUBBUB_PLANTED_FAULTS and chooses one at run time.
#pragma once

#ifdef HUBBUB_PLANTED_FAULTS

#include <cstdint>

namespace hubbub {
enum class Planted : std::uint8_t {
  none,
  lost_ack,
  count_off_by_one,
  double_push,
  mirror_skip,
  late_snapshot
};
// Set by the simulator before it starts.
inline Planted planted_fault = Planted::none;
}  // namespace hubbub
#define HUBBUB_PLANTED(name) (::hubbub::planted_fault == ::hubbub::Planted::name)

#else

#define HUBBUB_PLANTED(name) false

#endif
