#include "hubbub/load/opening.h"

#include <fmt/format.h>

namespace hubbub::load {

Opening::Opening(const Options& options, Engine& engine)
    : options_(options), engine_(engine), script_(opening_script(options)) {
  if (options.call) script_.push_back(call_step(options));
}

Outcome<void> Opening::on_ready(std::size_t link, std::uint64_t now) {
  latency_.record(engine_.since(link), now);
  ++done_;
  if (options_.close) engine_.hang_up(link);
  return {};
}

Outcome<void> Opening::on_lost(std::size_t link, const std::string& reason, std::uint64_t) {
  if (errors_++ == 0) error_ = fmt::format("connection {}: {}", link, reason);
  return {};
}

}  // namespace hubbub::load
