// Violation: what an oracle throws when the server broke a promise. Not for use inside the server's own calls
// (its dispatcher catches what methods throw): there, Ledger::violation remembers it.
#pragma once

#include <stdexcept>
#include <string>

namespace hubbub::sim {

class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void demand(bool condition, const char* promise) {
  if (!condition) throw Violation(promise);
}
template <class... Parts>
void demand(bool condition, const char* promise, const Parts&... parts) {
  if (condition) return;
  std::string text = promise;
  const auto add = [&text](const auto& part) {
    text += ' ';
    if constexpr (requires { std::to_string(part); })
      text += std::to_string(part);
    else
      text += part;
  };
  (add(parts), ...);
  throw Violation(text);
}

}  // namespace hubbub::sim
