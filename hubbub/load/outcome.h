// Outcome: a value, or one sentence for the person at the terminal about why there is none.
#pragma once

#include <expected>
#include <string>

namespace hubbub::load {

template <class T>
using Outcome = std::expected<T, std::string>;

using Failure = std::unexpected<std::string>;

}  // namespace hubbub::load
