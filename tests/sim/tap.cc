#include "tests/sim/tap.h"

#include <algorithm>

namespace hubbub::sim {

const Frame* kept_message(const Outbox& outbox, std::uint64_t number) {
  if (number <= outbox.acked() || number > outbox.tail() || outbox.is_hole(number - 1)) return nullptr;
  const Frame* frame = outbox.at(number - 1);
  const bool announcement =
      frame && frame->payload().starts_with(R"({"jsonrpc":"2.0","method":"session.gap")");
  return announcement ? nullptr : frame;
}

void Tap::look(const Outbox& outbox) {
  for (std::uint64_t number = std::max(seen_, outbox.acked()) + 1; number <= outbox.tail(); ++number)
    if (const Frame* frame = kept_message(outbox, number))
      texts_.emplace_hint(texts_.end(), number, frame->payload());
  seen_ = outbox.tail();
}

const std::string* Tap::text(std::uint64_t number) const {
  const auto found = texts_.find(number);
  return found == texts_.end() ? nullptr : &found->second;
}

}  // namespace hubbub::sim
