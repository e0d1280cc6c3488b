#include "hubbub/load/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace hubbub::load {
namespace {

constexpr std::array<std::pair<Mode, std::string_view>, 6> kModes{{{Mode::echo, "echo"},
                                                                   {Mode::fan_out, "fan-out"},
                                                                   {Mode::idle, "idle"},
                                                                   {Mode::connect, "connect"},
                                                                   {Mode::slow_readers, "slow-readers"},
                                                                   {Mode::resume, "resume"}}};
constexpr std::size_t kHandshakesAtATime = 64;

bool is_fan_out(Mode mode) { return mode == Mode::fan_out || mode == Mode::slow_readers; }

Outcome<Url> read_url(std::string_view option, const std::string& text) {
  auto url = parse_url(text);
  if (!url) return Failure(fmt::format("{} {}: {}", option, text, url.error()));
  return url;
}

void fill_counts(Options& options) {
  if (options.connections == 0) options.connections = options.mode == Mode::echo ? 100 : 1000;
  if (options.in_flight == 0) {
    const bool opens = options.mode == Mode::connect || options.mode == Mode::resume;
    options.in_flight = opens ? kHandshakesAtATime : 1;
  }
  if (options.mode == Mode::resume && options.messages == 0) options.messages = 1;
  if (options.mode != Mode::slow_readers) options.stalled = 0;
  if (options.mode == Mode::resume && options.upgrade.subprotocol.empty()) {
    options.upgrade.subprotocol = kSubprotocol;
  }
}

// What does not go together; "" if all does.
std::string_view conflict(const Options& options) {
  const bool hubbub = options.dialect == Dialect::hubbub;
  if (options.mode == Mode::resume && !hubbub)
    return "resume speaks hubbub's protocol: not with --dialect raw";
  if (options.mode == Mode::resume && options.rate > 0) return "--rate: resume comes as fast as it can";
  if (options.ack_every > 0 && !hubbub)
    return "--ack-every is a part of hubbub's protocol: not with --dialect raw";
  if (hubbub && !options.upgrade.subprotocol.empty() && options.upgrade.subprotocol != kSubprotocol) {
    return "--subprotocol: with --dialect hubbub it can only be hubbub.v1";
  }
  if (options.call && options.mode != Mode::idle) return "--call belongs to idle";
  if (options.close && options.mode != Mode::connect) return "--close belongs to connect";
  if (options.rate > 0 && options.mode == Mode::idle) return "--rate: an idle connection sends nothing";
  if (!options.publish_url_text.empty() && !is_fan_out(options.mode)) {
    return "--publish-url belongs to fan-out and slow-readers";
  }
  if (options.stream && options.publishers > 1) return "--stream: with one publisher only";
  if (options.stream && !is_fan_out(options.mode) && options.mode != Mode::echo) {
    return "--stream belongs to echo, fan-out and slow-readers";
  }
  return {};
}

}  // namespace

std::string_view mode_name(Mode mode) {
  return std::ranges::find(kModes, mode, &std::pair<Mode, std::string_view>::first)->second;
}

std::optional<Mode> mode_of(std::string_view name) {
  const auto* found = std::ranges::find(kModes, name, &std::pair<Mode, std::string_view>::second);
  return found == kModes.end() ? std::nullopt : std::optional(found->first);
}

Outcome<Options> complete(Options options) {
  auto url = read_url("--url", options.url_text);
  if (!url) return Failure(url.error());
  options.url = std::move(*url);
  options.publish_url = options.url;
  if (!options.publish_url_text.empty()) {
    auto other = read_url("--publish-url", options.publish_url_text);
    if (!other) return Failure(other.error());
    options.publish_url = std::move(*other);
  }
  if (const std::string_view wrong = conflict(options); !wrong.empty()) return Failure(std::string(wrong));
  fill_counts(options);
  return options;
}

}  // namespace hubbub::load
